"""What is noted of an exchange."""

import pytest

from diglot.adapters.middleware import notes
from diglot.adapters.middleware.notes import Attempt, Notes
from diglot.translator import UpstreamError


@pytest.mark.parametrize(
    ("status", "failure", "result"),
    [
        (200, None, "ok"),
        (304, None, "ok"),
        (404, None, "4xx"),
        (503, None, "5xx"),
        (0, None, "abandoned"),
        (0, UpstreamError("x", code="upstream_unreachable"), "refused"),
        (0, UpstreamError("x", code="upstream_timeout"), "timeout"),
        (200, UpstreamError("x", code="upstream_timeout"), "timeout"),
        (200, UpstreamError("x", code="upstream_disconnected"), "lost"),
        (0, UpstreamError("x"), "lost"),
        (200, OSError(), "lost"),
        (503, OSError(), "5xx"),
    ],
)
def test_results(status: int, failure: Exception | None, result: str) -> None:
    """A call that failed on its way is never called ok, and an error is one, however it ended."""
    assert notes.result_of(status, failure) == result


def test_the_first_token_is_the_first_one() -> None:
    """Later ones change nothing."""
    noted = Notes()
    assert noted.first_token is None
    noted.note_first_token()
    first = noted.first_token
    noted.note_first_token()
    assert noted.first_token == first


def test_lines() -> None:
    """What is not known is null."""
    noted = Notes()
    assert noted.fields() == {"request_id": None, "trace_id": None, "upstream": None, "attempts": 0}
    noted.attempts += [Attempt("a", "5xx"), Attempt("b", "ok")]
    noted.request_id, noted.trace_id = "r", "t"
    assert noted.fields() == {"request_id": "r", "trace_id": "t", "upstream": "b", "attempts": 2}
    noted.attempts.append(Attempt("b", "ok", "http://b1"))
    about = {"upstream": "b", "replica": "http://b1", "attempts": 3}
    assert noted.fields() == {"request_id": "r", "trace_id": "t", **about}


def test_in_a_scope() -> None:
    """They are shared by all scopes that are made from one, unless they are left out."""
    noted, scope = Notes(), {"type": "http"}
    inner = notes.with_notes(scope, noted)
    assert (notes.notes_of(scope), notes.notes_of(inner)) == (None, noted)
    assert notes.notes_of({**inner, "path": "/"}) is noted
    assert notes.without_notes(inner) == scope
