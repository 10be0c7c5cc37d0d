"""Finished answers: one thing said, written down in either dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.directions import Api

from . import requests
from .texts import encode, prose

Body = dict[str, Any]
CREATED = 1_700_000_000


class Answer(NamedTuple):
    """What an answer says, in no dialect."""

    text: str
    thoughts: str = ""
    calls: tuple[tuple[str, str, str], ...] = ()  # id, name, arguments


def text() -> Answer:
    return Answer("A diglot speaks two languages; a polyglot speaks many.")


def long_text() -> Answer:
    """A text of 20,000 characters."""
    return Answer(prose(20_000, 7))


def calls() -> Answer:
    """Thoughts, a text and two calls."""
    thoughts = "The user wants to know what is in the folder and what the file says. I list it first and read it."
    listing = encode({"cmd": "ls -la /workspace", "yield_time_ms": 1000}).decode()
    reading = encode({"cmd": "sed -n 1,80p README.md"}).decode()
    made = (("call_82c1f4b07a9d4c5e", "tool_1", listing), ("call_90d2e5c18b0e4d6f", "tool_1", reading))
    return Answer("I look at the folder and at the file.", thoughts, made)


ANSWERS: dict[str, tuple[Callable[[], Answer], str]] = {  # the answer, and the request that it answers
    "text": (text, "small"),
    "20,000 characters": (long_text, "small"),
    "reasoning and two calls": (calls, "small"),
    "the same, to Codex": (calls, "Codex"),
}


def body(answer: Answer, api: Api, asked: Body) -> Body:
    """The answer in one dialect; *asked* is the request in the same dialect, which a Response repeats."""
    return response(answer, asked) if api == "responses" else _completion(answer)


def asked(name: str, api: Api) -> Body:
    """The request that one of ANSWERS answers: it wants no stream."""
    return requests.body(requests.REQUESTS[ANSWERS[name][1]]()._replace(stream=False), api)


def data(name: str, api: Api) -> bytes:
    """One of ANSWERS, as bytes."""
    return encode(body(ANSWERS[name][0](), api, asked(name, api)))


def _completion(answer: Answer) -> Body:
    message: Body = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.thoughts:
        message["reasoning_content"] = answer.thoughts
    if answer.calls:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for call_id, name, arguments in answer.calls
        ]
    reason = "tool_calls" if answer.calls else "stop"
    about = {"id": "chatcmpl-8f2b1c0d9e7a46b5a1c3d5e7f9012345", "object": "chat.completion", "created": CREATED}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
    usage = {
        "prompt_tokens": 31,
        "completion_tokens": 14,
        "total_tokens": 45,
        "prompt_tokens_details": {"cached_tokens": 16},
        "completion_tokens_details": {"reasoning_tokens": 7},
    }
    return {**about, "model": requests.MODEL, "choices": [choice], "usage": usage}


def response(answer: Answer, asked: Body) -> Body:
    """A whole Response."""
    output: list[Body] = []
    if answer.thoughts:
        output.append(thinking(answer.thoughts))
    output.append(message(answer.text))
    output += [call(n, *made) for n, made in enumerate(answer.calls)]
    return completed(asked, output)


def completed(asked: Body, output: list[Body]) -> Body:
    """The Response around its items."""
    usage = {
        "input_tokens": 31,
        "input_tokens_details": {"cached_tokens": 16},
        "output_tokens": 14,
        "output_tokens_details": {"reasoning_tokens": 7},
        "total_tokens": 45,
    }
    return {**begun(asked), "status": "completed", "output": output, "usage": usage}


def begun(asked: Body) -> Body:
    """The Response as it is when a stream begins."""
    same = ("instructions", "max_output_tokens", "parallel_tool_calls", "temperature", "tool_choice", "tools")
    defaults: Body = {"tools": [], "tool_choice": "auto", "metadata": {}, "top_p": 1.0, "truncation": "disabled"}
    return {
        "id": f"resp_{1:048}",
        "object": "response",
        "created_at": CREATED,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": requests.MODEL,
        "output": [],
        "usage": None,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "reasoning": asked.get("reasoning", {"effort": None, "summary": None}),
        **defaults,
        **{name: asked[name] for name in same if name in asked},
    }


def thinking(thoughts: str) -> Body:
    return {"id": f"rs_{2:048}", "type": "reasoning", "summary": [{"type": "summary_text", "text": thoughts}]}


def message(text: str, logprobs: list[Body] | None = None) -> Body:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs or []}
    return {"id": f"msg_{3:048}", "type": "message", "status": "completed", "role": "assistant", "content": [part]}


def call(n: int, call_id: str, name: str, arguments: str) -> Body:
    made = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"id": f"fc_{n:048}", "type": "function_call", "status": "completed", **made}
