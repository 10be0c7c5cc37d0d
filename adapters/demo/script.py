"""What the demo upstream answers: no model, but a script with everything that a client has to cope with."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from ...translator import encode_json

GREETING = "Hello from the embedded upstream."
_WORD = re.compile(r"\s*\S+\s*")
_SAMPLES = {"city": "Paris", "location": "Paris, France", "cmd": "echo hello", "command": "echo hello"}
_MAX_CALLS = 2
_FRAGMENT = 12


@dataclasses.dataclass
class ScriptedAnswer:
    """The content of an answer, before it becomes JSON."""

    text: str = ""
    calls: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    """Names and arguments."""
    reasoning: str = ""
    finish: str = "stop"


def reply(body: dict[str, Any]) -> ScriptedAnswer:
    """Return the answer to a valid request."""
    last = body["messages"][-1]
    tools = _chosen(body, _text(last)) if last["role"] != "tool" or _forced(body) else []
    answer = ScriptedAnswer(reasoning="The script says what to answer." if _thinks(body) else "")
    if tools:
        answer.calls = [(tool["name"], encode_json(sample(tool.get("parameters") or {})).decode()) for tool in tools]
        answer.finish = "tool_calls"
    else:
        answer.text = _answer_text(body, last)
        _cut(answer, body)
    return answer


def usage(body: dict[str, Any], answer: ScriptedAnswer) -> dict[str, Any]:
    """Return the usage, with words counted as tokens."""
    reasoning_tokens = len(answer.reasoning.split())
    completion_tokens = (
        reasoning_tokens + len(answer.text.split()) + sum(len(arguments.split()) for _, arguments in answer.calls)
    )
    prompt_tokens = sum(len(_text(message).split()) for message in body["messages"])
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning_tokens},
    }


def completion(body: dict[str, Any], ident: str, created: int) -> dict[str, Any]:
    """Return a chat.completion."""
    answer = reply(body)
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.calls:
        message["tool_calls"] = [
            {"id": f"call_{ident}_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for index, (name, arguments) in enumerate(answer.calls)
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish}
    head = {"id": f"chatcmpl-{ident}", "object": "chat.completion", "created": created, "model": body["model"]}
    return {**head, "choices": [choice], "usage": usage(body, answer)}


def chunks(body: dict[str, Any], ident: str, created: int) -> Iterator[dict[str, Any]]:
    """Return the same answer as chat.completion.chunk objects, a word at a time."""
    head = {"id": f"chatcmpl-{ident}", "object": "chat.completion.chunk", "created": created, "model": body["model"]}
    counts = bool((body.get("stream_options") or {}).get("include_usage"))
    answer = reply(body)

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**head, "choices": [choice], **({"usage": None} if counts else {})}

    yield chunk({"role": "assistant", "content": "" if answer.text else None})
    for delta in _deltas(answer, ident):
        yield chunk(delta)
    yield chunk({}, answer.finish)
    if counts:
        yield {**head, "choices": [], "usage": usage(body, answer)}


def _deltas(answer: ScriptedAnswer, ident: str) -> Iterator[dict[str, Any]]:
    for word in _WORD.findall(answer.reasoning):
        yield {"reasoning_content": word}
    for word in _WORD.findall(answer.text):
        yield {"content": word}
    for index, (name, arguments) in enumerate(answer.calls):
        function = {"name": name, "arguments": ""}
        yield {
            "tool_calls": [{"index": index, "id": f"call_{ident}_{index}", "type": "function", "function": function}]
        }
        for start in range(0, len(arguments), _FRAGMENT):
            fragment = {"arguments": arguments[start : start + _FRAGMENT]}
            yield {"tool_calls": [{"index": index, "function": fragment}]}


# Text


def _answer_text(body: dict[str, Any], last: dict[str, Any]) -> str:
    format_ = body.get("response_format") or {}
    if format_.get("type") == "json_schema":
        return encode_json(sample(format_.get("json_schema", {}).get("schema") or {})).decode()
    if format_.get("type") == "json_object":
        return '{"greeting":"hello"}'
    if last["role"] == "tool":
        return f"The tool said: {_text(last)}"
    images = sum(part.get("type") == "image_url" for part in _parts(last))
    images_note = f" I was given {images} image{'s' * (images > 1)}." if images else ""
    turns = sum(message["role"] == "user" for message in body["messages"])
    turn_note = f" This is turn {turns} of our conversation." if turns > 1 else ""
    return f"{GREETING}{images_note}{turn_note} You said: {_text(last)}"


def _cut(answer: ScriptedAnswer, body: dict[str, Any]) -> None:
    """Apply stop sequences, then the limit of words, which includes reasoning."""
    stops = body.get("stop") or []
    for stop in [stops] if isinstance(stops, str) else stops:
        answer.text = answer.text.partition(stop)[0]
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    thoughts, words = _WORD.findall(answer.reasoning), _WORD.findall(answer.text)
    if limit is not None and len(thoughts) + len(words) > limit:
        answer.reasoning = "".join(thoughts[:limit])
        answer.text = "".join(words[: max(0, limit - len(thoughts))]).rstrip()
        answer.finish = "length"


def _thinks(body: dict[str, Any]) -> bool:
    return body.get("reasoning_effort") not in (None, "none")


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content") or []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _text(message: dict[str, Any]) -> str:
    return " ".join(part.get("text", "") for part in _parts(message)).strip()


# Calls


def _forced(body: dict[str, Any]) -> bool:
    choice = body.get("tool_choice")
    return choice == "required" or isinstance(choice, dict)


def _chosen(body: dict[str, Any], text: str) -> list[dict[str, Any]]:
    """Return the functions to call: the chosen one, else those whose names occur in the text, else the first."""
    functions = [tool["function"] for tool in body.get("tools") or []]
    choice = body.get("tool_choice")
    if not functions or choice == "none":
        return []
    if isinstance(choice, dict):
        return [function for function in functions if function["name"] == choice["function"]["name"]][:1]
    recalled = [function for function in functions if _recalls(text.lower(), function["name"])]
    most = 1 if body.get("parallel_tool_calls") is False else _MAX_CALLS
    return recalled[:most] or functions[:1]


def _recalls(text: str, name: str) -> bool:
    return any(word in text for word in re.split(r"[^a-z]+", name.lower()) if len(word) > 3)


def sample(schema: Any, name: str = "", defs: dict[str, Any] | None = None, depth: int = 0) -> Any:
    """Return a value that a JSON schema allows (for the common part of JSON Schema)."""
    if not isinstance(schema, dict) or depth > 8:
        return None
    defs = {**(defs or {}), **schema.get("$defs", {}), **schema.get("definitions", {})}
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    if schema.get("enum"):
        return schema["enum"][0]
    if "$ref" in schema:
        return sample(defs.get(str(schema["$ref"]).rsplit("/", 1)[-1]), name, defs, depth + 1)
    for word in ("anyOf", "oneOf", "allOf"):
        if schema.get(word):
            return sample(schema[word][0], name, defs, depth + 1)
    return _sample_of_type(schema, name, defs, depth)


def _sample_of_type(schema: dict[str, Any], name: str, defs: dict[str, Any], depth: int) -> Any:
    kind = schema.get("type") or ("object" if "properties" in schema else "string" if name else "object")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        names = schema.get("required", list(schema.get("properties", {})))
        properties = schema.get("properties", {})
        return {key: sample(properties.get(key, {}), key, defs, depth + 1) for key in names}
    if kind == "array":
        return [
            sample(schema.get("items", {}), name, defs, depth + 1) for _ in range(max(1, schema.get("minItems", 1)))
        ]
    if kind in ("integer", "number"):
        return (
            max(1, schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
            if _above(schema)
            else schema["maximum"]
        )
    return {"boolean": True, "null": None}.get(
        kind, _SAMPLES.get(name, "example").ljust(schema.get("minLength", 0), ".")
    )


def _above(schema: dict[str, Any]) -> bool:
    return schema.get("maximum", 1) >= 1
