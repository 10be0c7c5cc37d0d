"""Upstreams that answer as they are told, one request after the other, and stores that fail as they are told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

Item = dict[str, Any]
DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}


class Model:
    """A chat upstream. Each request gets the next of the *answers*, and the last one again when there are no more.

    A text is one, whole or streamed as the request says; a dictionary is the message of one; a pair is the status and
    the JSON of a refusal; a list holds the pieces of an event stream: bytes are sent, numbers are seconds, exceptions
    are raised.
    """

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.bodies: list[Any] = []
        self.reached = anyio.Event()
        """Set by the first request."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        body = await read(receive)
        self.bodies.append(body)
        self.reached.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, tuple):
            await reply(send, answer[1], answer[0])
        elif isinstance(answer, list):
            await stream(send, answer)
        elif body.get("stream"):
            await stream(send, self.frames(answer))
        else:
            await reply(send, self.whole(answer))

    def whole(self, answer: Any) -> Item:
        """A finished answer."""
        message = answer if isinstance(answer, dict) else {"role": "assistant", "content": answer}
        finish = "tool_calls" if "tool_calls" in message else "stop"
        choices = [{"index": 0, "message": message, "finish_reason": finish}]
        return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, "usage": USAGE}

    def frames(self, answer: Any) -> list[bytes]:
        """The same as a stream."""
        delta = answer if isinstance(answer, dict) else {"role": "assistant", "content": answer}
        calls = [{"index": i, **call} for i, call in enumerate(delta.get("tool_calls", ()))]
        delta = {**delta, "tool_calls": calls} if calls else delta
        return [chunk(delta), chunk({}, "tool_calls" if calls else "stop"), chunk(None, usage=USAGE), DONE]


class Responder(Model):
    """A Responses upstream, which gives all of its answers the same id."""

    def whole(self, answer: Any) -> Item:
        """A finished answer."""
        part = {"type": "output_text", "text": answer, "annotations": []}
        message = {"id": "m1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
        usage = {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12}
        about = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed"}
        return {**about, "output": [message], "usage": usage}

    def frames(self, answer: Any) -> list[bytes]:
        """The same as a stream."""
        whole = self.whole(answer)
        begun = {**whole, "status": "in_progress", "output": []}
        delta = {"item_id": "m1", "output_index": 0, "content_index": 0, "delta": answer}
        return [
            event("created", response=begun),
            event("output_text.delta", **delta),
            event("completed", response=whole),
        ]


def chunk(delta: Item | None, finish: str | None = None, **more: Any) -> bytes:
    """One frame of a chat stream."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    value = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def event(kind: str, **fields: Any) -> bytes:
    """One frame of a Responses stream."""
    return f"event: response.{kind}\ndata: {json.dumps({'type': f'response.{kind}', **fields})}\n\n".encode()


def call(call_id: str, arguments: str = "{}") -> Item:
    """A message of a model that calls a function."""
    function = {"name": "look", "arguments": arguments}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": call_id, "type": "function", "function": function}],
    }


async def read(receive: Any) -> Any:
    """The body of a request."""
    data, more = b"", True
    while more:
        message = await receive()
        data, more = data + message["body"], message["more_body"]
    return json.loads(data)


async def reply(send: Any, value: Any, status: int = 200) -> None:
    """Answer with one body."""
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(value).encode(), "more_body": False})


async def stream(send: Any, pieces: Sequence[Any]) -> None:
    """Answer with an event stream."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for piece in pieces:
        if isinstance(piece, Exception):
            raise piece
        if isinstance(piece, bytes):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        else:
            await anyio.sleep(piece)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def lifespan(receive: Any, send: Any) -> None:
    """Start and stop as an application does that has nothing to do then."""
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


if TYPE_CHECKING:
    Anything = Any
else:
    Anything = object


class Double(Anything):
    """A store of which some methods are replaced; each gets the store that is behind it as its first argument."""

    def __init__(self, store: Any, **replaced: Any) -> None:
        self.store = store
        self.replaced = replaced

    def __getattr__(self, name: str) -> Any:
        if name in self.replaced:
            return partial(self.replaced[name], self.store)
        return getattr(self.store, name)


def failing(*errors: Exception) -> Any:
    """A method that raises these, one after the other, and then works."""
    left = list(errors)

    async def put(store: Any, *arguments: Any) -> None:
        if left:
            raise left.pop(0)
        await store.put(*arguments)

    return put
