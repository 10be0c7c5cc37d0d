"""A server that says what a test wants, and clients of both packages, with and without an event loop."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scripted_server import COMPLETION, Asked, ScriptedServer, Steps, answer
from transports import KINDS, Talker


def _whole(asked: Asked) -> Steps:
    return answer(COMPLETION)


@pytest.fixture
def upstream() -> Iterator[ScriptedServer]:
    """Answers with a completion until it gets another script."""
    server = ScriptedServer(_whole)
    yield server
    server.stop()


@pytest.fixture(params=KINDS)
def talk(request: pytest.FixtureRequest) -> Iterator[Callable[..., Talker]]:
    """Makes clients of one kind, and closes them."""
    made: list[Talker] = []

    def make(*arguments: Any, **settings: Any) -> Talker:
        made.append(Talker(request.param, *arguments, **settings))
        return made[-1]

    yield make
    for each in made:
        each.end()
