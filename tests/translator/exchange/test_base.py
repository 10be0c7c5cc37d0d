import json
from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Exchange, ServeChat, ServeCompact, ServeResponses, UpstreamError

RESPONSES = {"model": "m", "input": [{"role": "user", "content": "Go"}], "max_output_tokens": 50}
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Go"}], "max_tokens": 50}
BOTH = [(ServeResponses, RESPONSES), (ServeCompact, RESPONSES), (ServeChat, CHAT)]


@pytest.fixture
def exchange(new_id: Callable[[str], str], clock: Callable[[], float]) -> Callable[..., Exchange]:
    """Begin an exchange in either direction."""
    return lambda kind, body, **more: kind({**body, **more}, new_id=new_id, clock=clock)


def refusal(**error: Any) -> bytes:
    return json.dumps({"error": {"message": "Bad.", **error}}).encode()


@pytest.mark.parametrize(("kind", "body"), BOTH)
def test_what_an_exchange_says_of_itself(exchange: Any, kind: type[Exchange], body: dict[str, Any]) -> None:
    """What to send, where, how often, and what to expect."""
    one = exchange(kind, body)
    assert isinstance(one, Exchange)
    assert one.request["model"] == "m"
    assert one.endpoint == ("/responses" if kind is ServeChat else "/chat/completions")
    assert (one.copies, one.streaming) == (1, False)
    assert one.answer_kind.startswith("a ")
    assert (one.profile.name, len(list(one.report))) == ("default", len(one.report))


@pytest.mark.parametrize(
    ("kind", "body", "theirs", "ours"),
    [
        (ServeResponses, RESPONSES, "messages[0].content", "input[0].content"),
        (ServeResponses, RESPONSES, "max_tokens", "max_output_tokens"),
        (ServeChat, CHAT, "input[0].content", "messages[0].content"),
        (ServeChat, CHAT, "max_output_tokens", "max_tokens"),
        (ServeChat, CHAT, "temperature", "temperature"),
    ],
)
def test_an_error_names_what_the_client_sent(exchange: Any, kind: Any, body: Any, theirs: str, ours: str) -> None:
    """Path and message are in the caller's words (protocol 7.2)."""
    error = exchange(kind, body).error(400, refusal(param=theirs, message=f"Invalid '{theirs}': see {theirs}."))
    assert (error.param, error.message) == (ours, f"Invalid '{ours}': see {ours}.")


@pytest.mark.parametrize(("kind", "body"), BOTH)
def test_an_error_without_a_path(exchange: Any, kind: type[Exchange], body: dict[str, Any]) -> None:
    """Status, code and message are the upstream's."""
    error = exchange(kind, body).error(429, refusal(code="slow"))
    assert isinstance(error, UpstreamError)
    assert (error.status, error.code, error.param, error.message) == (429, "slow", None, "Bad.")


@pytest.mark.parametrize(("kind", "body"), BOTH)
def test_an_answer_that_is_none(exchange: Any, kind: type[Exchange], body: dict[str, Any]) -> None:
    """What is not in the upstream's dialect is its fault, not the client's."""
    with pytest.raises(UpstreamError):
        exchange(kind, body).answer("no")
