"""Upstreams that refuse as real ones do, and take the second or the third try: the client sees one good answer."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from diglot.adapters import TranslationMiddleware

pytestmark = pytest.mark.anyio

Body = dict[str, Any]
Refusal = tuple[int, Any] | None


def error(message: str, status: int = 400, **more: Any) -> Refusal:
    return status, {"error": {"message": message, "type": "invalid_request_error", **more}}


def groq(asked: Body) -> Refusal:
    """https://github.com/NousResearch/hermes-agent/issues/11089"""
    at = next((i for i, message in enumerate(asked["messages"]) if "reasoning_content" in message), None)
    where = f"'messages.{at}' : for 'role:assistant' the following must be satisfied"
    return None if at is None else error(f"{where}[('messages.{at}' : property 'reasoning_content' is unsupported)]")


def mistral(asked: Body) -> Refusal:
    """https://github.com/BerriAI/litellm/issues/30835"""
    at = next((i for i, message in enumerate(asked["messages"]) if "reasoning_content" in message), None)
    loc = ["body", "messages", at, "assistant", "reasoning_content"]
    detail = [{"type": "extra_forbidden", "loc": loc, "msg": "Extra inputs are not permitted", "input": "Hm."}]
    return None if at is None else (422, {"detail": detail})


def kimi(asked: Body) -> Refusal:
    """https://github.com/QuantumNous/new-api/issues/3121"""
    for i, message in enumerate(asked["messages"]):
        if message.get("tool_calls") and not message.get("reasoning_content"):
            return error(
                f"thinking is enabled but reasoning_content is missing in assistant tool call message at index {i}"
            )
    return None


def deepseek(asked: Body) -> Refusal:
    """https://github.com/anomalyco/opencode/issues/24135"""
    said = "The `reasoning_content` in the thinking mode must be passed back to the API."
    return None if kimi(asked) is None else error(said, code="invalid_request_error")


def qwen(asked: Body) -> Refusal:
    """A template on llama.cpp: https://github.com/BerriAI/litellm/issues/39282"""
    late = any(message["role"] == "system" for message in asked["messages"][1:])
    return error("System message must be at the beginning.", 500, code=500, type="server_error") if late else None


def parser(asked: Body) -> Refusal:
    """vLLM: https://github.com/vllm-project/vllm/issues/43995"""
    for message in asked.get("messages") or asked["input"]:
        for call in message.get("tool_calls") or [{"function": message}]:
            try:
                json.loads(call["function"].get("arguments", "{}"))
            except ValueError as cause:
                return error(str(cause), type="BadRequestError", param=None, code=400)
    return None


def openai(asked: Body) -> Refusal:
    """A reasoning model: https://github.com/gabrii/Cursor-Azure-GPT-5/issues/33"""
    if "max_tokens" in asked:
        said = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        return error(said, param="max_tokens", code="unsupported_parameter")
    if "temperature" in asked:
        said = "'temperature' does not support 0.2 with this model. Only the default (1) value is supported."
        return error(said, param="temperature", code="unsupported_value")
    return None


def openai_responses(asked: Body) -> Refusal:
    """The same at the Responses API, which says it in its own words."""
    for name in ("temperature", "top_p"):
        if name in asked:
            said = f"Unsupported parameter: '{name}' is not supported with this model."
            return error(said, param=name, code="unsupported_parameter")
    return None


def xai(asked: Body) -> Refusal:
    """https://github.com/lobehub/lobehub/issues/7370"""
    said = "Argument not supported on this model: parallelToolCalls"
    refused = {"code": "Client specified an invalid argument", "error": said}
    return (400, refused) if "parallel_tool_calls" in asked else None


@pytest.fixture
def chat_side(responses_side: Any) -> Any:
    """The direction with a chat upstream."""
    return type(responses_side)("chat")


class Upstream:
    """Refuses as *refuse* says, then answers as an upstream of *side* does, whole or as a stream."""

    def __init__(self, refuse: Callable[[Body], Refusal], side: Any) -> None:
        self.refuse = refuse
        self.side = side
        self.asked: list[Body] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        asked = json.loads((await receive())["body"])
        self.asked.append(asked)
        kind, status, body = b"application/json", 200, self.side.whole
        refused = self.refuse(asked)
        if refused is not None:
            status, body = refused[0], json.dumps(refused[1]).encode()
        elif asked.get("stream"):
            kind, body = b"text/event-stream", b"".join(self.side.hello)
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": body})


USER = {"role": "user", "content": "time?"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
CALL = {"type": "function_call", "call_id": "c1", "name": "now", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "12"}
TOOLS = [{"type": "function", "name": "now", "parameters": {"type": "object", "properties": {}}}]
LOOP = {"input": [USER, THOUGHT, CALL, OUTPUT], "tools": TOOLS}
LATER = {"input": [*LOOP["input"], {"role": "assistant", "content": "It is 12."}, USER], "tools": TOOLS}
LATE = {"instructions": "A", "input": [USER, {"role": "developer", "content": "Be brief."}, USER]}
BROKEN = {"input": [USER, {**CALL, "arguments": '{"value": '}, OUTPUT, USER]}
BROKEN_CHAT = {
    "messages": [
        USER,
        {
            "role": "assistant",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "now", "arguments": '{"a": '}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "12"},
    ]
}

CHAT_UPSTREAMS = [
    (groq, LOOP, 1, [("reasoning_replay", "never")]),
    (mistral, LOOP, 1, [("reasoning_replay", "never")]),
    (kimi, LATER, 1, [("reasoning_replay", "always")]),
    (deepseek, LATER, 1, [("reasoning_replay", "always")]),
    (qwen, LATE, 1, [("system_messages", "one")]),
    (parser, BROKEN, 1, [("object_arguments", True)]),
    (xai, {"input": "hi", "tools": TOOLS, "parallel_tool_calls": False}, 1, [("unsupported", ["parallel_tool_calls"])]),
    (
        openai,
        {"input": "hi", "temperature": 0.2, "max_output_tokens": 50},
        2,
        [("renamed", {}), ("unsupported", ["temperature"])],
    ),
    (
        lambda asked: groq(asked) or qwen(asked),
        {"input": [*LOOP["input"], USER, {"role": "developer", "content": "Be brief."}, USER, THOUGHT, CALL, OUTPUT]},
        2,
        [("reasoning_replay", "never"), ("system_messages", "one")],
    ),
]
RESPONSES_UPSTREAMS = [
    (parser, BROKEN_CHAT, 1, [("object_arguments", True)]),
    (
        openai_responses,
        {"messages": [USER], "temperature": 0.2, "top_p": 0.5},
        2,
        [("responses_unsupported", ["temperature", "top_p"])],
    ),
    (
        lambda asked: error("Unknown parameter: 'store'.") if "store" in asked else openai_responses(asked),
        {"messages": [USER], "temperature": 0.2},
        2,
        [("responses_unsupported", ["store", "temperature"])],
    ),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("refuse", "asked", "refusals", "learned"), [*CHAT_UPSTREAMS, *RESPONSES_UPSTREAMS])
async def test_the_client_sees_one_good_answer(
    talk: Any,
    responses_side: Any,
    refuse: Any,
    asked: Body,
    refusals: int,
    learned: Any,
    stream: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And the next request for the same model is right at once; another model is asked as if nothing had happened."""
    side = responses_side if "messages" in asked else type(responses_side)("chat")
    upstream = Upstream(refuse, side)
    app = TranslationMiddleware(upstream, upstream_api=side.api)
    for model, count in (("secret", refusals + 1), ("secret", 1), ("other", refusals + 1)):
        before = len(upstream.asked)
        got = await talk(app, {"model": model, **asked, "stream": stream}, path=side.path).run()
        assert got.status == 200, got.body
        assert b"Hello" in got.body
        assert b"error" not in got.body.replace(b'"error":null', b"")
        assert len(upstream.asked) - before == count
    assert [(one["setting"], one["value"], one["models"]) for one in app.learned] == [(*one, 2) for one in learned]
    told = " ".join(record.getMessage() for record in caplog.records if record.levelno == logging.WARNING)
    assert all(setting in told for setting, _ in learned)
    assert not any(word in told for word in ("secret", "Hm.", "brief", "value"))


async def test_there_are_two_tries_more_at_most(talk: Any, chat_side: Any) -> None:
    """The third refusal is the client's answer, and what did not help is not remembered."""

    def refuse(asked: Body) -> Refusal:
        names = ("temperature", "top_p", "user")
        return next((error(f"Unsupported parameter: '{name}'", param=name) for name in names if name in asked), None)

    upstream = Upstream(refuse, chat_side)
    app = TranslationMiddleware(upstream)
    body = {"model": "m", "input": "hi", "temperature": 0.2, "top_p": 0.5, "user": "me"}
    got = await talk(app, body).run()
    assert (got.status, got.error["param"], len(upstream.asked)) == (400, "user", 3)
    assert app.learned == []


async def test_what_clients_rely_on_is_refused(talk: Any, chat_side: Any) -> None:
    """A refusal of tools or formats is the client's answer."""
    upstream = Upstream(
        lambda asked: error("Unsupported parameter: 'tools' is not supported", param="tools"), chat_side
    )
    got = await talk(TranslationMiddleware(upstream), {"model": "m", **LOOP}).run()
    assert (got.status, len(upstream.asked)) == (400, 1)


async def test_what_is_left_out_is_in_the_losses(talk: Any, chat_side: Any) -> None:
    """The header of the answer names it."""
    upstream = Upstream(openai, chat_side)
    got = await talk(TranslationMiddleware(upstream), {"model": "m", "input": "hi", "temperature": 0.2}).run()
    assert "temperature" in got.headers["diglot-losses"]
