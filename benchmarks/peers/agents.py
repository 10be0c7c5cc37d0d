"""openai-agents for a Responses client: its converter and stream handler, without spans, tracing and HTTP client."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

from agents import FunctionTool
from agents.models.chatcmpl_converter import Converter
from agents.models.chatcmpl_stream_handler import ChatCmplStreamHandler
from agents.util._json import _to_dump_compatible
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response

from .peer import Body, Mapper, Peer, loop, payloads


async def _never(*_: Any) -> None: ...


def _requester(example: Body) -> Mapper:
    """In its world tools are objects of the program: making them is not its cost, and only functions exist."""
    named = [tool for tool in example.get("tools", []) if tool["type"] == "function"]
    tools = [FunctionTool(t["name"], t.get("description", ""), t["parameters"], _never, False) for t in named]
    return lambda body: _request(body, tools)


def _request(body: Body, tools: list[FunctionTool]) -> Body:
    """What OpenAIChatCompletionsModel does between its arguments and its client."""
    messages = Converter.items_to_messages(body["input"], model=body["model"])
    if body.get("instructions"):
        messages.insert(0, {"role": "system", "content": body["instructions"]})
    declared = _to_dump_compatible([Converter.tool_to_openai(tool) for tool in tools])
    kept = {name: body[name] for name in ("temperature", "parallel_tool_calls", "stream") if name in body}
    return {"model": body["model"], "messages": _to_dump_compatible(messages), "tools": declared, **kept}


def _blank(model: str, output: list[Any]) -> Response:
    fixed = {"object": "response", "tools": [], "tool_choice": "auto", "parallel_tool_calls": False}
    return Response.construct(id="__fake_id__", created_at=time.time(), model=model, output=output, **fixed)


def _answerer(asked: Body) -> Mapper:
    """Its items, put into a Response: it has none of its own for finished answers."""

    def mapping(body: Body) -> Response:
        message = ChatCompletion.construct(**body).choices[0].message
        return _blank(asked["model"], Converter.message_to_output_items(message))

    return mapping


def _stream(asked: Body, events: list[bytes]) -> list[bytes]:
    async def chunks() -> AsyncIterator[ChatCompletionChunk]:
        for payload in payloads(events):
            yield ChatCompletionChunk.construct(**json.loads(payload))

    source: Any = chunks()
    handler = ChatCmplStreamHandler.handle_stream(_blank(asked["model"], []), source)

    async def frames() -> list[bytes]:
        return [f"event: {event.type}\ndata: {_dumped(event)}\n\n".encode() async for event in handler]

    return loop.run_until_complete(frames())


def _dumped(model: Any) -> str:
    return model.model_dump_json(warnings=False)


PEER = Peer("openai-agents", _requester, _answerer, lambda made: _dumped(made).encode(), _stream)
