"""What each operation may cost, in calls of Python functions, and what one more message and one more chunk cost.

The numbers are those of Python 3.11. A change that needs more says why, and writes the new number here; one that needs
fewer writes it, too: it is what the next one is held against.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.directions import Api
from benchmarks.inputs import requests

import budgets

REQUESTS, ANSWERS, MIDDLEWARE = 1.03, 1.06, 1.10
"""How many times the calls of Python 3.11 other versions may need."""
Count = Callable[[Api], int]


def request(talk: requests.Talk) -> Count:
    return lambda api: budgets.calls_of(budgets.request(talk, api))


def answer(name: str) -> Count:
    return lambda api: budgets.calls_of(budgets.answer(name, api))


BUDGETS: dict[str, tuple[Count, float, int, int]] = {  # how it is counted, the room, Responses client, chat client
    "small request": (request(requests.small()), REQUESTS, 41, 43),
    "Codex request": (request(requests.codex()), REQUESTS, 1168, 916),
    "1,000 messages": (request(requests.messages()), REQUESTS, 3036, 1037),
    "text answer": (answer("text"), ANSWERS, 19, 21),
    "reasoning and two calls": (answer("reasoning and two calls"), ANSWERS, 29, 29),
    "the same, to Codex": (answer("the same, to Codex"), ANSWERS, 32, 29),
    "100 text chunks": (lambda api: budgets.chunks(100, api), ANSWERS, 900, 800),
    "stream of one token": (lambda api: budgets.calls_of(budgets.stream(1, api)), ANSWERS, 402, 657),
    "middleware, finished answer": (budgets.middleware, MIDDLEWARE, 246, 235),
}


@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize("name", BUDGETS)
def test_at_most(name: str, api: Any) -> None:
    """A failure says by how much."""
    count, room, responses, chat = BUDGETS[name]
    budget = responses if api == "responses" else chat
    calls = count(api)
    assert calls <= budget * room, f"{name}, {api} client: {calls:,} calls, {calls / budget - 1:+.1%} of {budget:,}"


@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize("count", [budgets.messages, budgets.chunks])
def test_one_more_costs_the_same(count: Callable[[int, Api], int], api: Any) -> None:
    """Of 400 as of 200; texts differ a little."""
    assert count(400, api) == pytest.approx(2 * count(200, api), rel=0.03)
