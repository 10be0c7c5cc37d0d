"""LiteLLM for a chat client: what litellm.completion() does for models that only have the Responses API.

Left out: completion() and responses() themselves, routing, callbacks, cost and logging, and the stream wrapper.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from typing import Any

from litellm.completion_extras.litellm_responses_transformation.transformation import (
    LiteLLMResponsesTransformationHandler,
)
from litellm.llms.openai.responses.transformation import OpenAIResponsesAPIConfig
from litellm.types.llms.openai import ResponsesAPIResponse
from litellm.types.utils import ModelResponse

from .peer import Body, Mapper, Peer, payloads

_handler = LiteLLMResponsesTransformationHandler()
_config = OpenAIResponsesAPIConfig()
_logging: Any = types.SimpleNamespace(call_type="", litellm_call_id="", model_call_details={})
_NOT_SENT = ("litellm_logging_obj", "client")


def _named(asked: Body) -> str:
    """The model with a provider that it knows: of another one it would look for it, again and again."""
    return f"openai/{asked['model']}"


def _requester(example: Body) -> Mapper:
    return _request


def _request(body: Body) -> Body:
    settings = {name: value for name, value in body.items() if name not in ("model", "messages")}
    made = _handler.transform_request(_named(body), body["messages"], settings, {}, {}, _logging)
    for name in _NOT_SENT:
        del made[name]
    return made


def _answerer(asked: Body) -> Mapper:
    def mapping(body: Body) -> Any:
        answered = ResponsesAPIResponse(**body)
        return _handler.transform_response(
            _named(asked), answered, ModelResponse(), _logging, {}, asked["messages"], {}, {}, None
        )

    return mapping


def _stream(asked: Body, events: list[bytes]) -> list[bytes]:
    """Its iterator over the typed events that litellm.responses() yields."""

    def typed() -> Iterator[Any]:
        for payload in payloads(events):
            yield _config.transform_streaming_response(_named(asked), json.loads(payload), _logging)

    chunks: Any = _handler.get_model_response_iterator(typed(), sync_stream=True)
    return [b"data: %b\n\n" % chunk.model_dump_json(exclude_none=True).encode() for chunk in chunks]


PEER = Peer("litellm", _requester, _answerer, lambda made: made.model_dump_json().encode(), _stream)
