"""What the tests of the translator share: an exchange with ids and a clock that repeat."""

from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Profile, Report, ServeResponses
from diglot.translator.context import Context
from diglot.translator.stream.to_chat.context import CompletionContext


@pytest.fixture
def serve(new_id: Callable[[str], str], clock: Callable[[], float]) -> Callable[..., ServeResponses]:
    """Begin an exchange; what a body does not say is `model` and one word of `input`."""

    def make(body: dict[str, Any] | None = None, profile: Profile | None = None, **settings: Any) -> ServeResponses:
        given = {"model": "m", "input": "Go", **(body or {})}
        return ServeResponses(given, profile=profile, new_id=new_id, clock=clock, **settings)

    return make


@pytest.fixture
def make_context(new_id: Callable[[str], str], clock: Callable[[], float]) -> Callable[..., CompletionContext]:
    """What reading the answer to a chat request needs."""

    def make(
        *stops: str, profile: Profile | None = None, include_usage: bool = False, legacy: bool = False
    ) -> CompletionContext:
        context = Context(profile or Profile(), Report())
        return CompletionContext("m", context, include_usage, legacy, stops, new_id, clock)

    return make
