"""What is to be done with an answer."""

import pickle
from typing import Any

import pytest

from diglot.translator import AnswerBounds, Body, Data, Failed, Profile, Retry, UpstreamError


def test_a_body_is_encoded_once() -> None:
    """As a value, and as what goes over the wire."""
    assert Body.of({"a": [1]}) == Body({"a": [1]}, b'{"a":[1]}')


def test_a_value_that_is_made_when_somebody_asks() -> None:
    """Once, and not before."""
    made: list[int] = []

    def make() -> dict[str, Any]:
        made.append(1)
        return {"a": 1}

    body = Body(make, b'{"a":1}')
    assert body.data == b'{"a":1}'
    assert not made
    assert body.answer is body.answer
    assert body == Body.of({"a": 1})
    assert body != Body.of({"a": 2})
    assert body != b'{"a":1}'
    assert pickle.loads(pickle.dumps(body)) == body
    assert made == [1]


def test_bounds_have_defaults() -> None:
    """Those of the server, but for its own settings."""
    assert AnswerBounds().max_answer == 64 * 2**20
    assert AnswerBounds(max_error=5).max_error == 5


@pytest.mark.parametrize("action", [Data([b"x"]), Body.of({}), Retry(Profile())])
def test_actions_are_values(action: object) -> None:
    """They can be compared and sent elsewhere."""
    assert pickle.loads(pickle.dumps(action)) == action


def test_an_error_says_its_status() -> None:
    """And its body, in both APIs' envelope."""
    failed = Failed(UpstreamError("no", status=503))
    assert (failed.error.status, failed.error.body()["error"]["message"]) == (503, "no")
