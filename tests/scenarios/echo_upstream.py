"""A chat upstream that answers with what it heard, so that an answer shows its history: `python echo_upstream.py PORT`.

The answer to any messages is `heard` and the texts of the user. The model says what happens: `quick`, `slow-SECONDS`,
`refusing` (400), `failing` (500).
"""

import sys
from collections.abc import AsyncIterator
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from diglot.translator import decode_json, encode_json

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
ERRORS = {"refusing": 400, "failing": 500}


def heard(messages: list[Any]) -> str:
    texts = [message["content"] for message in messages if message["role"] == "user"]
    return " ".join(["heard", *(text if isinstance(text, str) else text[0]["text"] for text in texts)])


def seconds(model: str) -> float:
    return float(model.removeprefix("slow-")) if model.startswith("slow-") else 0


def answer(body: dict[str, Any], kind: str, choice: dict[str, Any]) -> dict[str, Any]:
    choices = [{"index": 0, "finish_reason": None, **choice}]
    return {"id": "c", "object": kind, "created": 1, "model": body["model"], "choices": choices}


async def chunks(body: dict[str, Any]) -> AsyncIterator[bytes]:
    words = heard(body["messages"]).split(" ")
    for number, word in enumerate(words):
        delta = {"role": "assistant", "content": " " * bool(number) + word}
        yield b"data: %b\n\n" % encode_json(answer(body, "chat.completion.chunk", {"delta": delta}))
        await anyio.sleep(seconds(body["model"]) / len(words))
    last = answer(body, "chat.completion.chunk", {"delta": {}, "finish_reason": "stop"})
    yield b"data: %b\n\ndata: [DONE]\n\n" % encode_json({**last, "usage": USAGE})


async def completions(request: Request) -> Response:
    body = decode_json(await request.body())
    if body["model"] in ERRORS:
        return JSONResponse({"error": {"message": "no", "type": "none"}}, ERRORS[body["model"]])
    if body.get("stream"):
        return StreamingResponse(chunks(body), media_type="text/event-stream")
    await anyio.sleep(seconds(body["model"]))
    message = {"role": "assistant", "content": heard(body["messages"])}
    choice = {"message": message, "finish_reason": "stop"}
    return JSONResponse({**answer(body, "chat.completion", choice), "usage": USAGE})


if __name__ == "__main__":
    app = Starlette(routes=[Route("/v1/chat/completions", completions, methods=["POST"])])
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", timeout_graceful_shutdown=1)
