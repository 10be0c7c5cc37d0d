"""LiteLLM's SDK in the smallest application that can serve it: no auth, no router, no database.

Started by uvicorn; LITELLM_UPSTREAM says where the upstream is.
"""

from __future__ import annotations

import json
import os
from typing import Any

import litellm

litellm.drop_params = True  # else it refuses a Codex request, whose effort it believes these models not to take
_COMMON: dict[str, Any] = {"api_base": f"{os.environ.get('LITELLM_UPSTREAM', '')}/v1", "api_key": "none"}
_CHAT = {"model": "custom_openai/my-local-model", **_COMMON}
"""A provider that LiteLLM knows to have Chat Completions only."""
_RESPONSES = {"model": "openai/responses/gpt-4o", **_COMMON}
"""What LiteLLM calls a model behind the Responses API; of one that it does not know, it would not stream the answer."""


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        await _live(receive, send)
        return
    asked = json.loads(await _whole(receive))
    serves_responses = scope["path"].endswith("/responses")
    if serves_responses:
        answer: Any = await litellm.aresponses(**{**asked, **_CHAT})
    else:
        answer = await litellm.acompletion(**{**asked, **_RESPONSES})
    if not asked.get("stream"):
        await _start(send, b"application/json")
        await send({"type": "http.response.body", "body": answer.model_dump_json().encode(), "more_body": False})
        return
    await _start(send, b"text/event-stream")
    async for event in answer:
        name = f"event: {event.type.value}\n" if serves_responses else ""
        data = f"{name}data: {event.model_dump_json()}\n\n".encode()
        await send({"type": "http.response.body", "body": data, "more_body": True})
    last = b"" if serves_responses else b"data: [DONE]\n\n"
    await send({"type": "http.response.body", "body": last, "more_body": False})


async def _whole(receive: Any) -> bytes:
    pieces, more = [], True
    while more:
        message = await receive()
        pieces.append(message["body"])
        more = message["more_body"]
    return b"".join(pieces)


async def _start(send: Any, kind: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})


async def _live(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
