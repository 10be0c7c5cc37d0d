"""An application with a chat endpoint serves the Responses API as well.

pip install 'diglot[asgi]' fastapi uvicorn
uvicorn fastapi_app:app
curl http://127.0.0.1:8000/v1/responses -H 'Content-Type: application/json' -d '{"model": "echo", "input": "Hello"}'
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response, StreamingResponse

from diglot.adapters import Record, TranslationMiddleware

app = FastAPI()


def log(record: Record) -> None:
    """Say what was lost of each translated request; paths and kinds hold nothing of what users write."""
    for loss in record.losses:
        print(f"{loss.kind} {loss.place}")


# "chat" is what this application speaks; requests to /v1/responses become requests to its /v1/chat/completions
app.add_middleware(TranslationMiddleware, upstream_api="chat", on_exchange=log)


@app.post("/v1/chat/completions")
def complete(body: dict[str, Any]) -> Response:
    """Your model; this one repeats what it is told."""
    text = str(body["messages"][-1]["content"])
    head = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": body["model"]}
    if body.get("stream"):
        return StreamingResponse(chunks(head, text), media_type="text/event-stream")
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return JSONResponse({**head, "object": "chat.completion", "choices": [choice]})


def chunks(head: dict[str, Any], text: str) -> Iterator[str]:
    """The answer in pieces, as the chat API streams it."""
    for word in text.split(" "):
        yield chunk(head, {"content": f"{word} "}, None)
    yield chunk(head, {}, "stop")
    yield "data: [DONE]\n\n"


def chunk(head: dict[str, Any], delta: dict[str, Any], reason: str | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return f"data: {json.dumps({**head, 'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"
