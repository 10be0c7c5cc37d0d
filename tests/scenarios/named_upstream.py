"""One replica of an upstream in a process of its own: it notes each request in a file, as soon as it has it.

Words in a message say what happens: `slow` streams for a while, `busy` is a 429 with `retry-after`, `late` a 503 after
some seconds. The model is called otherwise than it was asked for.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import anyio
import uvicorn

NAME = "real-model-2026"


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    data, more = b"", True
    while more:
        message = await receive()
        data, more = data + message.get("body", b""), message.get("more_body", False)
    if scope["path"].endswith("/models"):
        await _whole(send, 200, {"object": "list", "data": [{"id": "listed", "object": "model"}]})
        return
    body = json.loads(data)
    word = body["messages"][-1]["content"]
    _note(word, body["model"])
    if "busy" in word and sys.argv[2] == "first":
        await _whole(send, 429, {"error": {"message": "busy"}}, (b"retry-after", b"2"))
    elif "late" in word:
        await anyio.sleep(1.5)
        await _whole(send, 503, {"error": {"message": "late"}}, (b"retry-after", b"7"))
    elif body.get("stream"):
        await _stream(send, word)
    else:
        await anyio.sleep(0.02)
        message = {"role": "assistant", "content": word}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        await _whole(send, 200, {"id": "c", "created": 1, "model": NAME, "choices": [choice]})


def _note(word: str, model: str) -> None:
    with Path(sys.argv[1]).open("a") as log:
        log.write(json.dumps([word, model]) + "\n")


async def _whole(send: Any, status: int, value: Any, *headers: tuple[bytes, bytes]) -> None:
    kind = (b"content-type", b"application/json")
    await send({"type": "http.response.start", "status": status, "headers": [kind, *headers]})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


async def _stream(send: Any, word: str) -> None:
    kind = (b"content-type", b"text/event-stream")
    await send({"type": "http.response.start", "status": 200, "headers": [kind]})
    await anyio.sleep(0.02)  # the head comes long before the first byte
    for number in range(10 if "slow" in word else 2):
        await _chunk(send, {"index": 0, "delta": {"content": word if not number else "."}})
        await anyio.sleep(0.03)
    await _chunk(send, {"index": 0, "delta": {}, "finish_reason": "stop"})
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def _chunk(send: Any, choice: dict[str, Any]) -> None:
    value = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": NAME, "choices": [choice]}
    body = b"data: " + json.dumps(value).encode() + b"\n\n"
    await send({"type": "http.response.body", "body": body, "more_body": True})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[3]), log_level="error")
