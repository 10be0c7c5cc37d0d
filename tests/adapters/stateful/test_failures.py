"""What a client is told when something fails."""

from __future__ import annotations

import logging

import anyio
import anyio.lowlevel
import pytest

from diglot.adapters.stateful import failures
from diglot.adapters.stateful.failures import failure_of, in_time
from diglot.adapters.store import DamagedEntry, HistoryTooLarge, StoreUnavailable
from diglot.translator import ProtocolMisuse, RequestError, state

CASES = [
    (RequestError("No.", "input"), 400, "invalid_value", [], ""),
    (HistoryTooLarge(2_000), 400, "context_length_exceeded", [], ""),
    (StoreUnavailable("SELECT secret"), 503, "store_unavailable", [(b"retry-after", b"1")], "not available"),
    (
        state.records.DamagedRecord("'resp_1' is stored, but cannot be read: its data is damaged."),
        500,
        "damaged_record",
        [(b"x-should-retry", b"false")],
        "'resp_1'",
    ),
    (DamagedEntry("resp_1"), 500, "damaged_record", [(b"x-should-retry", b"false")], "'resp_1'"),
    (ProtocolMisuse("secret"), 500, "internal_error", [], "ProtocolMisuse"),
    (ValueError("secret"), 500, "internal_error", [], "ValueError"),
]


@pytest.mark.parametrize(
    ("error", "status", "code", "headers", "logged"), CASES, ids=[type(case[0]).__name__ for case in CASES]
)
def test_failures(
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    code: str,
    headers: list[tuple[bytes, bytes]],
    logged: str,
) -> None:
    """Status, code and headers; the log names what is not the client's fault, and quotes nothing."""
    with caplog.at_level(logging.INFO):
        failure = failure_of(error, 1_000)
    assert (failure.error.status, failure.error.code, failure.headers) == (status, code, headers)
    assert logged in caplog.text
    assert "secret" not in caplog.text + failure.error.message
    assert bool(caplog.text) == bool(logged)


def test_the_id_of_a_damaged_record_is_for_the_log() -> None:
    """The client knows which one it asked for; which one of a history cannot be read, it does not learn."""
    assert "resp_1" not in str(failure_of(state.records.DamagedRecord("'resp_1' is stored, but"), 1).error.body())


@pytest.mark.anyio
async def test_a_store_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as good as away."""
    monkeypatch.setattr(failures, "PATIENCE", 0.05)
    with pytest.raises(StoreUnavailable, match=r"no answer within 0\.05 seconds"), in_time():
        await anyio.sleep(5)
    with in_time():
        await anyio.lowlevel.checkpoint()
