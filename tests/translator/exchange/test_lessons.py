"""What a Responses upstream's refusals teach (those of chat upstreams: test_serve_responses.py)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Profile, ServeChat

Serve = Callable[..., ServeChat]


@pytest.fixture
def serve_chat(new_id: Callable[[str], str], clock: Callable[[], float]) -> Serve:
    """Begin an exchange with a Responses upstream."""

    def make(profile: Profile | None = None, **more: Any) -> ServeChat:
        body = {"model": "m", "messages": [{"role": "user", "content": "Go"}], **more}
        return ServeChat(body, profile=profile, new_id=new_id, clock=clock)

    return make


def refusal(message: str = "Bad.", **error: Any) -> bytes:
    return json.dumps({"error": {"message": message, **error}}).encode()


@pytest.mark.parametrize(
    "body",
    [
        refusal("Unsupported parameter: 'store'", param="store", code="unsupported_parameter"),
        refusal("Unknown parameter: 'store'."),
        refusal("Bad.", param="store", code="unknown_parameter"),
        b'{"detail":"Unsupported parameter: store"}',
        b'{"detail":[{"type":"extra_forbidden","loc":["body","store"],"msg":"Extra inputs are not permitted"}]}',
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_what_was_added_is_left_out(serve_chat: Serve, status: int, body: bytes) -> None:
    """`store` is sent on our own; an upstream that does not know it gets it no more."""
    learned = serve_chat().learned(status, body)
    assert learned is not None
    assert learned.responses_unsupported == {"store"}
    assert "store" not in serve_chat(learned).request


def test_lessons_add_up(serve_chat: Serve) -> None:
    """What was unsupported before stays so."""
    learned = serve_chat(Profile(responses_unsupported=frozenset({"user"}))).learned(400, refusal("Unknown: store"))
    assert learned is not None
    assert learned.responses_unsupported == {"user", "store"}


@pytest.mark.parametrize(
    ("status", "body", "more"),
    [
        (500, refusal("Unknown parameter: 'store'."), {}),
        (400, refusal("The item store is unknown.", param="input[0].store"), {}),
        (400, refusal("'store' must be true."), {}),
        (400, refusal("Unknown parameter: 'input[0].store'"), {}),
        (400, refusal("Unknown parameter: 'storey'."), {}),
        (400, refusal("Unknown parameter: 'store'."), {"store": False}),
        (400, refusal("Unknown parameter: 'include'."), {"logprobs": True}),
        (400, refusal("Unknown parameter: 'temperature'."), {"temperature": 1}),
    ],
)
def test_nothing_is_learned(serve_chat: Serve, status: int, body: bytes, more: dict[str, Any]) -> None:
    """Neither from other refusals nor about what the client asked for itself."""
    assert serve_chat(**more).learned(status, body) is None


def test_null_asks_for_nothing(serve_chat: Serve) -> None:
    """`store: null` is no wish."""
    assert serve_chat(store=None).learned(400, refusal("Unknown parameter: 'store'.")) is not None


def test_it_is_not_learned_twice(serve_chat: Serve) -> None:
    """What is no longer sent cannot be the reason."""
    profile = Profile(responses_unsupported=frozenset({"store"}))
    assert serve_chat(profile).learned(400, refusal("Unknown parameter: 'store'.")) is None


BELOW = "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 8 instead."


@pytest.mark.parametrize(
    "body",
    [
        refusal(BELOW, param="max_output_tokens", code="integer_below_min_value"),
        refusal("It must be at least 16.", param="max_output_tokens"),
        refusal("The minimum of max_output_tokens is too high: minimum value of 16"),
    ],
)
def test_the_least_limit(serve_chat: Serve, body: bytes) -> None:
    """OpenAI's API has a floor: a smaller limit becomes that one, and it is said that it did."""
    learned = serve_chat(max_tokens=8).learned(400, body)
    assert learned is not None
    again = serve_chat(learned, max_tokens=8)
    assert (again.request["max_output_tokens"], [loss.kind for loss in again.report]) == (16, ["approximated"])
    assert again.learned(400, body) is None


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (refusal(BELOW), {}),
        (refusal(BELOW), {"max_tokens": 20}),
        (refusal("temperature must be at least 16"), {"max_tokens": 8}),
        (refusal("max_output_tokens must be at least 9000"), {"max_tokens": 8}),
        (refusal("max_output_tokens is wrong"), {"max_tokens": 8}),
    ],
)
def test_no_least_limit(serve_chat: Serve, body: bytes, more: dict[str, Any]) -> None:
    """Only a limit that was too small can be raised, and not by much."""
    assert serve_chat(**more).learned(400, body) is None
