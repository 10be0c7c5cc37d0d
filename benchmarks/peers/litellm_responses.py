"""LiteLLM for a Responses client: what litellm.responses() does for chat providers.

Left out: completion(), routing, callbacks, cost and logging. The provider is one that it knows: it would look for
another at every request, and print that it found none.
"""

from __future__ import annotations

import json
import types
from collections.abc import AsyncIterator
from typing import Any

from litellm.responses.litellm_completion_transformation.streaming_iterator import LiteLLMCompletionStreamingIterator
from litellm.responses.litellm_completion_transformation.transformation import LiteLLMCompletionResponsesConfig
from litellm.types.utils import ModelResponse, ModelResponseStream

from .peer import Body, Mapper, Peer, loop, payloads

_config: Any = LiteLLMCompletionResponsesConfig
_Iterator: Any = LiteLLMCompletionStreamingIterator
_PROVIDER = "openai"


def _requester(example: Body) -> Mapper:
    return _request


def _request(body: Body) -> Body:
    return _config.transform_responses_api_request_to_chat_completion_request(
        model=f"{_PROVIDER}/{body['model']}",
        input=body["input"],
        responses_api_request=body,
        custom_llm_provider=_PROVIDER,
        stream=body.get("stream"),
    )


def _answerer(asked: Body) -> Mapper:
    def mapping(body: Body) -> Any:
        return _config.transform_chat_completion_response_to_responses_api_response(
            asked["input"], asked, ModelResponse(**body)
        )

    return mapping


def _stream(asked: Body, events: list[bytes]) -> list[bytes]:
    """Its iterator over its own chunk type; the wrapper that parses providers' chunks is left out."""

    async def chunks() -> AsyncIterator[ModelResponseStream]:
        for payload in payloads(events):
            chunk = json.loads(payload)
            chunk["choices"] = chunk["choices"] or [{"index": 0, "delta": {}}]  # it cannot read an empty list
            yield ModelResponseStream(**chunk)

    source = chunks()
    source_like = types.SimpleNamespace(__anext__=source.__anext__, logging_obj=None)
    iterator = _Iterator(f"{_PROVIDER}/{asked['model']}", source_like, asked["input"], asked, _PROVIDER)

    async def frames() -> list[bytes]:
        return [f"event: {event.type}\ndata: {event.model_dump_json()}\n\n".encode() async for event in iterator]

    return loop.run_until_complete(frames())


PEER = Peer("litellm", _requester, _answerer, lambda made: made.model_dump_json().encode(), _stream)
