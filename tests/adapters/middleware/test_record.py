"""What remains of an exchange."""

import msgspec

from diglot.adapters import Record
from diglot.adapters.middleware.notes import Attempt
from diglot.translator import Loss


def record(*losses: Loss, path: str = "/v1/responses", model: str | None = "m") -> Record:
    return Record("POST", path, 200, model, False, 0.5, {"input_tokens": 1}, "completed", None, losses)


def test_fields() -> None:
    """Plain values, the losses without their own."""
    fields = record(Loss("a", "dropped", "why", "secret")).fields()
    assert fields["duration_ms"] == 500
    assert fields["losses"] == [{"path": "a", "kind": "dropped", "why": "why"}]
    assert "losses_more" not in fields
    assert record(model=None).fields()["model"] is None
    assert "key" not in fields
    assert msgspec.structs.replace(record(), key="alice").fields()["key"] == "alice"


def test_what_was_noted() -> None:
    """Ids, calls of the upstream and the time of the first token are in the line; times are in milliseconds."""
    attempts = (Attempt("a:1", "4xx"), Attempt("b:2", "ok"))
    noted = record()
    assert (noted.upstream, noted.fields()["first_token_ms"], noted.fields()["attempts"]) == ("", None, 0)
    noted = msgspec.structs.replace(noted, attempts=attempts, first_token=0.25, request_id="r", trace_id="t")
    fields = noted.fields()
    assert (fields["request_id"], fields["trace_id"], fields["upstream"]) == ("r", "t", "b:2")
    assert (fields["attempts"], fields["first_token_ms"]) == (2, 250)
    assert "replica" not in fields
    noted = msgspec.structs.replace(noted, attempts=(*attempts, Attempt("b", "ok", "http://b1")))
    assert noted.fields()["replica"] == "http://b1"


def test_bounded() -> None:
    """However much a client sends, a line of the log stays a line."""
    long = "x" * 9999
    fields = record(*[Loss(long, "dropped", long)] * 120, path=long, model=long).fields()
    assert fields["losses_more"] == 70
    assert len(fields["losses"]) == 50
    assert {len(fields["path"]), len(fields["model"]), len(fields["losses"][0]["why"])} == {200}
    assert fields["losses"][0]["path"] == "?"
