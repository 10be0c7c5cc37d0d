"""A request or a finished answer of either dialect in the other one; its fields say which it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..translator import BadRequest, Exchange, Profile, Report, ServeChat, ServeResponses
from .call import new_id

Body = dict[str, Any]


def convert(body: Any, *, profile: Profile | str | None = None, strict: bool = False) -> tuple[Body, Report]:
    """Return *body* in the other dialect, and what was lost; raises TranslationError.

    What only a call with its answer emulates is lost here: `stop` and `n` for example.
    """
    if not isinstance(body, dict):
        raise BadRequest("A request or an answer is a JSON object.")
    read = next((read for name, read in _READERS.items() if name in body), _responses_request)
    exchange, made = read(body, profile, strict)
    return made, exchange.report


def _responses_request(body: Body, profile: Profile | str | None, strict: bool) -> tuple[Exchange, Body]:
    exchange = ServeResponses(body, profile=profile, strict=strict, live=False, new_id=new_id, clock=time.time)
    return exchange, exchange.request


def _chat_request(body: Body, profile: Profile | str | None, strict: bool) -> tuple[Exchange, Body]:
    exchange = ServeChat(body, profile=profile, strict=strict, live=False, new_id=new_id, clock=time.time)
    return exchange, exchange.request


def _completion(body: Body, profile: Profile | str | None, strict: bool) -> tuple[Exchange, Body]:
    asked = {"model": body.get("model") or "unknown", "input": ""}
    exchange = ServeResponses(asked, profile=profile, new_id=new_id, clock=time.time)
    return exchange, exchange.answer(body)


def _answer(body: Body, profile: Profile | str | None, strict: bool) -> tuple[Exchange, Body]:
    asked = {"model": body.get("model") or "unknown", "messages": [{"role": "user", "content": ""}]}
    exchange = ServeChat(asked, profile=profile, new_id=new_id, clock=time.time)
    return exchange, exchange.answer(body)


_READERS: dict[str, Callable[[Body, Profile | str | None, bool], tuple[Exchange, Body]]] = {
    "messages": _chat_request,
    "choices": _completion,
    "output": _answer,
}
