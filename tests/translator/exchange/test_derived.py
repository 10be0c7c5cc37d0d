"""Ids and times that are functions of the input."""

from typing import Any

import pytest

from diglot.translator import ServeChat, ServeResponses
from diglot.translator.exchange import derived


def test_ids() -> None:
    """The same values give the same ids, in the same order; others give others."""
    one, same, other = derived.Ids({"a": 1}), derived.Ids({"a": 1}), derived.Ids({"a": 2})
    made = [one("resp"), one("msg"), one("msg")]
    assert made == [same("resp"), same("msg"), same("msg")]
    assert len({*made, other("resp")}) == 4
    assert made[0].startswith("resp_")
    assert len(made[0]) == len("resp_") + 32


@pytest.mark.parametrize("odd", [10**5_000, "deep"], ids=["long", "deep"])
def test_what_cannot_be_encoded_does_no_harm(odd: Any) -> None:
    """It makes no difference."""
    if odd == "deep":
        odd = []
        odd.append(odd)
    assert derived.Ids(odd)("resp") == derived.Ids(10**6_000)("resp")


ABOUT = {"id": "x", "created": 1, "created_at": None, "model": "m"}


@pytest.mark.parametrize(
    ("answer", "identity"),
    [
        ({"id": "x", "created": 1, "model": "m", "choices": []}, ABOUT),
        ({"type": "response.created", "response": ABOUT}, ABOUT),
        ({"id": "", "choices": []}, {"id": "", "choices": []}),
        ([], None),
        (None, None),
    ],
)
def test_identity(answer: Any, identity: Any) -> None:
    """A chunk, an event and a whole answer of one name are one."""
    assert derived.identity(answer) == identity


@pytest.mark.parametrize(
    ("answer", "model"),
    [({"model": "m"}, "m"), ({"response": {"model": "m"}}, "m"), ({"model": 1}, "unknown"), (None, "unknown")],
)
def test_model(answer: Any, model: str) -> None:
    """Where none is said, nobody knows it."""
    assert derived.model_of(answer) == model
    assert len(derived.model_of({"model": "m" * 5_000})) == 1_000


def test_exchanges_repeat_themselves() -> None:
    """Without ids and a clock, the same request and answer give the same bytes; times are the upstream's."""
    completion = {"created": 7, "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    one, other = (ServeResponses({"model": "m", "input": "Go"}).answer(completion) for _ in range(2))
    assert one == other
    assert (one["created_at"], one["completed_at"]) == (7, 7)
    del completion["created"]
    made = ServeResponses({"model": "m", "input": "Go"}).answer(completion)
    assert (made["created_at"], made["completed_at"]) == (0, 0)
    call = {"type": "function_call", "name": "f", "arguments": "{}"}
    body = {"model": "m", "messages": [{"role": "user", "content": "Go"}]}
    first, second = (ServeChat(body).answer({"status": "completed", "output": [call]}) for _ in range(2))
    assert first == second
    assert first["created"] == 0
