"""An exchange as plain values."""

import gzip
import json
from typing import Any

import pytest

from diglot.adapters.observe.detail import detail, summary
from diglot.adapters.observe.ring import Exchange, Ring

JSON = [(b"content-type", b"application/json")]


def exchange(headers: Any = JSON, body: bytes = b"{}") -> tuple[Ring, Exchange]:
    ring = Ring()
    made = ring.begin("POST", "/v1/responses", b"", headers)
    made.client.request.take(body)
    return ring, made


def test_running() -> None:
    """While it runs, the model is read from the request, and there is no end."""
    ring, made = exchange(body=b'{"model": "gpt", "input": "hi"}')
    shown = summary(made)
    assert (shown["model"], shown["outcome"], shown["running"], shown["first"]) == ("gpt", "running", True, None)
    assert detail(made)["client"]["ended"] is None
    ring.end(made)
    assert summary(made)["running"] is False
    json.dumps(detail(made))


@pytest.mark.parametrize(
    ("status", "outcome"), [(0, "disconnected"), (200, "completed"), (404, "refused"), (502, "failed")]
)
def test_outcomes_of_what_goes_through(status: int, outcome: str) -> None:
    """They follow from the status."""
    ring, made = exchange()
    if status:
        made.client.start_answer(status, [])
    ring.end(made)
    assert summary(made)["outcome"] == outcome


def test_events() -> None:
    """The events of a stream have the times of the pieces with which they were complete; the last may be cut."""
    _, made = exchange()
    client = made.client
    client.start_answer(200, [(b"content-type", b"text/event-stream; charset=utf-8")])
    assert detail(made)["client"]["answer"]["events"] == []
    for piece in (b"data: 1\n\nda", b"ta: 2\r\n\r\n", b"data: 3"):
        client.answer.take(piece)
    answer = detail(made)["client"]["answer"]
    times = [round((time - client.began) * 1000, 1) for time in client.answer.times]
    assert answer["events"] == [(times[0], "data: 1"), (times[1], "data: 2"), (times[2], "data: 3")]
    assert answer["text"] is None
    assert summary(made)["stream"] is True


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        (b"gzip", gzip.compress(b'{"a": 1}', mtime=0), '{"a": 1}'),
        (b"gzip", gzip.compress(b'{"a": 1}' * 99, mtime=0)[:60], '{"a": 1}'),
        (b"gzip", gzip.compress(b"x" * 9_000_000, mtime=0), "x" * 262144),
        (b"identity", b"{}", "{}"),
        (b"unknown", b"{}", ""),
        (b"gzip", b"no gzip", ""),
    ],
    ids=["whole", "cut", "large", "none", "unknown", "damaged"],
)
def test_compressed(encoding: bytes, body: bytes, text: str) -> None:
    """What can be decoded is shown, up to a limit, without credentials."""
    _, made = exchange([*JSON, (b"content-encoding", encoding)], body)
    shown = detail(made)["client"]["request"]
    assert shown["text"].startswith(text)
    assert len(shown["text"]) <= 262144
    assert shown["note"] == f"decoded from {encoding.decode()}"


@pytest.mark.parametrize("where", ["request", "answer"])
def test_a_compressed_body_that_repeats_a_key(where: str) -> None:
    """It is not shown, neither while the exchange runs nor afterwards."""
    encoded = [*JSON, (b"content-encoding", b"gzip")]
    body = gzip.compress(b'{"got": "Bearer sk-secret-123"}')
    key = [(b"authorization", b"Bearer sk-secret-123")]
    ring, made = exchange([*(encoded if where == "request" else JSON), *key], body if where == "request" else b"{}")
    made.client.start_answer(200, encoded if where == "answer" else JSON)
    made.client.answer.take(body if where == "answer" else b"{}")
    for _ in range(2):
        assert detail(made)["client"][where]["text"] == '{"got": "Bearer *************"}'
        ring.end(made)


def test_what_is_no_text() -> None:
    """It is not shown; a text that is cut within a letter is."""
    _, made = exchange([(b"content-type", b"image/png")], b"\x89PNG")
    assert detail(made)["client"]["request"]["text"] is None
    _, made = exchange([], "é".encode()[:1])
    assert detail(made)["client"]["request"]["text"] == "\ufffd"
