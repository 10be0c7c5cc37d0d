"""A chat upstream in a process of its own: `python stream_upstream.py PORT`.

It streams for as many seconds as the name of the model says, with a word each tenth of a second.
"""

import json
import sys
from typing import Any

import anyio
import uvicorn

PAUSE = 0.1


def chunk(content: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return b"data: %b\n\n" % json.dumps({"id": "c", "created": 1, "model": "m", "choices": [choice]}).encode()


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise RuntimeError
    body = b""
    more = True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    seconds = float(json.loads(body)["model"]) if body else 0
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for _ in range(round(seconds / PAUSE)):
        await send({"type": "http.response.body", "body": chunk("x"), "more_body": True})
        await anyio.sleep(PAUSE)
    end = chunk("", "stop") + b"data: [DONE]\n\n"
    await send({"type": "http.response.body", "body": end, "more_body": False})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", timeout_graceful_shutdown=1)
