"""The contestants. Every function takes bytes (or the decoded body) and returns bytes (or the mapped body)."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
import types
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # no look-up in the network on import

import msgspec
from agents import FunctionTool
from agents.models.chatcmpl_converter import Converter
from agents.models.chatcmpl_stream_handler import ChatCmplStreamHandler
from agents.util._json import _to_dump_compatible
from litellm.responses.litellm_completion_transformation.streaming_iterator import LiteLLMCompletionStreamingIterator
from litellm.responses.litellm_completion_transformation.transformation import LiteLLMCompletionResponsesConfig
from litellm.types.utils import ModelResponse, ModelResponseStream
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response

from diglot.translator import ServeResponses, decode_json, encode_json, request

Body = dict[str, Any]
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_loop = asyncio.new_event_loop()


def _payloads(events: Iterable[bytes]) -> Iterable[bytes]:
    """The data of events that stand one in each read: what a peer's own SSE decoder costs is spared it."""
    for event in events:
        if event != b"data: [DONE]\n\n":
            yield event[6:-2]


def stdlib_json(body: Body) -> bytes:
    """As the OpenAI SDK writes its requests."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


# the floors: no translation at all


def floor(data: bytes) -> bytes:
    return _encode(_decode(data))


def floor_stdlib(data: bytes) -> bytes:
    return stdlib_json(json.loads(data))


def floor_stream(events: list[bytes]) -> list[bytes]:
    return [b"data: " + _encode(_decode(payload)) + b"\n\n" for payload in _payloads(events)]


# diglot


def _new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_urlsafe(24)}"


def exchange(body: Body) -> ServeResponses:
    return ServeResponses(body, new_id=_new_id, clock=time.time)


def diglot_mapping(body: Body) -> Body:
    return request.to_chat(body)


def diglot_request(data: bytes) -> bytes:
    return encode_json(exchange(decode_json(data)).chat)


def diglot_answerer(asked: Body) -> tuple[Callable[[Body], Body], Callable[[bytes], bytes]]:
    """Answers to one request: the mapping alone, and bytes to bytes."""
    serve = exchange(asked)
    return serve.answer, lambda data: encode_json(serve.answer(decode_json(data)))


def diglot_stream(asked: Body, events: list[bytes]) -> list[bytes]:
    """One read for each event, as it comes from a server that writes token by token."""
    stream = exchange(asked).stream()
    frames: list[bytes] = []
    for event in events:
        frames += stream.feed(event)
    return frames


# LiteLLM: its pure functions, without completion(), routing, callbacks, cost and logging


def litellm_mapping(body: Body) -> Body:
    return LiteLLMCompletionResponsesConfig.transform_responses_api_request_to_chat_completion_request(
        model=body["model"], input=body["input"], responses_api_request=body, stream=body.get("stream")
    )


def litellm_request(data: bytes) -> bytes:
    return stdlib_json(litellm_mapping(json.loads(data)))


def litellm_request_msgspec(data: bytes) -> bytes:
    return _encode(litellm_mapping(_decode(data)))


def litellm_answerer(asked: Body) -> tuple[Callable[[Body], Any], Callable[[bytes], bytes]]:
    def mapping(body: Body) -> Any:
        return LiteLLMCompletionResponsesConfig.transform_chat_completion_response_to_responses_api_response(
            asked["input"], asked, ModelResponse(**body)
        )

    return mapping, lambda data: mapping(json.loads(data)).model_dump_json().encode()


def litellm_stream(asked: Body, events: list[bytes]) -> list[bytes]:
    """Its iterator over its own chunk type; the wrapper that parses providers' chunks is left out."""

    async def chunks() -> AsyncIterator[ModelResponseStream]:
        for payload in _payloads(events):
            chunk = json.loads(payload)
            chunk["choices"] = chunk["choices"] or [{"index": 0, "delta": {}}]  # it cannot read an empty list
            yield ModelResponseStream(**chunk)

    source = chunks()
    source_like = types.SimpleNamespace(__anext__=source.__anext__, logging_obj=None)
    iterator = LiteLLMCompletionStreamingIterator(asked["model"], source_like, asked["input"], asked)

    async def frames() -> list[bytes]:
        return [_frame(event.type, event.model_dump_json()) async for event in iterator]

    return _loop.run_until_complete(frames())


def _frame(kind: str, data: str) -> bytes:
    return f"event: {kind}\ndata: {data}\n\n".encode()


# openai-agents: its converter, without spans, tracing and the HTTP client


def agents_tools(body: Body) -> list[FunctionTool]:
    """In its world tools are objects of the program: making them is not its cost, and only functions exist."""
    named = [tool for tool in body.get("tools", []) if tool["type"] == "function"]
    return [FunctionTool(t["name"], t.get("description", ""), t["parameters"], _never, False) for t in named]


async def _never(*_: Any) -> None: ...


def agents_mapping(body: Body, tools: list[FunctionTool]) -> Body:
    """What OpenAIChatCompletionsModel does between its arguments and its client."""
    said = Converter.items_to_messages(body["input"], model=body["model"])
    if body.get("instructions"):
        said.insert(0, {"role": "system", "content": body["instructions"]})
    declared = _to_dump_compatible([Converter.tool_to_openai(tool) for tool in tools])
    kept = {name: body[name] for name in ("temperature", "parallel_tool_calls", "stream") if name in body}
    return {"model": body["model"], "messages": _to_dump_compatible(said), "tools": declared, **kept}


def agents_request(data: bytes, tools: list[FunctionTool]) -> bytes:
    return stdlib_json(agents_mapping(json.loads(data), tools))


def _agents_response(model: str, output: list[Any]) -> Response:
    fixed = {"object": "response", "tools": [], "tool_choice": "auto", "parallel_tool_calls": False}
    return Response.construct(id="__fake_id__", created_at=time.time(), model=model, output=output, **fixed)


def agents_answerer(asked: Body) -> tuple[Callable[[Body], Any], Callable[[bytes], bytes]]:
    """Its items, put into a Response: it has none of its own for finished answers."""

    def mapping(body: Body) -> Response:
        message = ChatCompletion.construct(**body).choices[0].message
        return _agents_response(asked["model"], Converter.message_to_output_items(message))

    return mapping, lambda data: mapping(json.loads(data)).model_dump_json(warnings=False).encode()


def agents_stream(asked: Body, events: list[bytes]) -> list[bytes]:
    async def chunks() -> AsyncIterator[ChatCompletionChunk]:
        for payload in _payloads(events):
            yield ChatCompletionChunk.construct(**json.loads(payload))

    handler = ChatCmplStreamHandler.handle_stream(_agents_response(asked["model"], []), chunks())  # type: ignore

    async def frames() -> list[bytes]:
        return [_frame(event.type, event.model_dump_json(warnings=False)) async for event in handler]

    return _loop.run_until_complete(frames())
