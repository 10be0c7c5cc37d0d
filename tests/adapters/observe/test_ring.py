"""The ring is bounded whatever comes."""

import resource
import tracemalloc

import pytest

from diglot.adapters.middleware.record import Record
from diglot.adapters.observe.redaction import Redaction
from diglot.adapters.observe.ring import BODY, EXCHANGES, MAX_ATTEMPTS, MAX_LOSSES, TOTAL, KeptBody, Ring
from diglot.translator import Loss


def record(losses: int = 0) -> Record:
    lost = tuple(Loss(f"input[{number}]." + "x" * 999, "dropped", "w" * 999) for number in range(losses))
    return Record("POST", "/v1/responses", 200, "m", False, 0.1, {"input_tokens": 1}, "completed", None, lost)


def test_a_body_in_pieces() -> None:
    """The beginning is kept, with ends and times of its pieces; the rest is counted."""
    body = KeptBody(200)
    for piece in (b"a" * 30, memoryview(b"b" * 30), b"c" * 30, b"d" * 60_000_000, b"e"):
        body.take(piece)
    assert body.kept == b"a" * 30 + b"b" * 30 + b"c" * 28
    assert (body.size, body.ends, len(body.times)) == (60_000_091, [30, 60, 88], 3)
    assert body.held == 88 + 3 * 56
    assert sorted(body.times) == list(body.times)


def test_a_body_in_bytes() -> None:
    """A body in tiny pieces takes no more memory than another one."""
    body = KeptBody(BODY)
    for _ in range(100_000):
        body.take(b"x")
    assert (body.size, body.held <= BODY + 56) == (100_000, True)
    body.drop()
    body.take(b"x")
    assert (body.size, body.held) == (100_001, 0)


def test_cleaned() -> None:
    """A credential is overwritten in place."""
    body = KeptBody(100)
    body.take(b"the key is 12345678")
    body.clean(Redaction((b"12345678",)))
    body.take(b"!")
    assert (body.kept, body.ends) == (b"the key is ********!", [19, 20])


def test_the_oldest_go_first() -> None:
    """There are never more than the last hundred; what was forgotten while it ran keeps nothing."""
    ring = Ring()
    first = ring.begin("POST", "/v1/responses", b"", [])
    side = ring.attempt(first, "/v1/chat/completions", [])
    assert side is not None
    side.request.take(b"x")
    for _ in range(EXCHANGES):
        ring.end(ring.begin("POST", "/v1/responses", b"", []))
    assert len(ring) == EXCHANGES
    assert (ring.oldest, ring.get(1), ring.get(2) is not None) == (2, None, True)
    assert side.request.held == 0
    held = ring.held
    assert ring.attempt(first, "/v1/chat/completions", []) is None
    ring.end(first)
    assert (ring.held, first.more_attempts) == (held, 1)
    ring.clear()
    assert (len(ring), ring.held, ring.oldest) == (0, 0, 102)


def test_attempts_and_losses_are_bounded() -> None:
    """More of them are only counted."""
    ring = Ring()
    exchange = ring.begin("POST", "/v1/responses", b"", [])
    sides = [ring.attempt(exchange, "/v1/chat/completions", []) for _ in range(MAX_ATTEMPTS + 2)]
    assert (sides[-1], len(exchange.attempts), exchange.more_attempts) == (None, MAX_ATTEMPTS, 2)
    ring.record(exchange, record(MAX_LOSSES + 3))
    assert (len(exchange.losses), exchange.more_losses) == (MAX_LOSSES, 3)
    assert max(len(path) + len(why) for path, _, why in exchange.losses) == 600
    assert exchange.about["outcome"] == "completed"


def test_what_changed() -> None:
    """Begin, attempt and end are changes; what comes meanwhile is noticed when somebody looks."""
    ring = Ring()
    one, other = (ring.begin("POST", "/v1/responses", b"", []) for _ in range(2))
    seen = ring.revision
    assert ring.changed_since(seen) == []
    one.client.request.take(b"x")
    ring.look(lambda: False)
    assert ring.changed_since(seen) == []
    ring.look(lambda: True)
    assert ring.changed_since(seen) == [one]
    seen = ring.revision
    ring.look(lambda: True)
    ring.end(other)
    other.client.answer.take(b"x")
    ring.look(lambda: True)
    assert ring.changed_since(seen) == [other]


@pytest.mark.parametrize("attempts", [1, MAX_ATTEMPTS])
def test_memory(attempts: int) -> None:
    """Whatever clients and upstreams send, the ring stays below its bound, and so does the memory it takes."""
    ring, piece, headers = Ring(), b"x" * 2000, [(b"x-%d" % n, b"v" * 400) for n in range(80)]
    tracemalloc.start()
    try:
        running = []
        for number in range(300 if attempts == 1 else 60):
            exchange = ring.begin("POST", "/v1/" + "p" * 9999, b"q=" + b"1" * 9999, headers)
            sides = [exchange.client, *filter(None, (ring.attempt(exchange, "/u", headers) for _ in range(attempts)))]
            for side in sides:
                for _ in range(35):
                    side.request.take(piece)
                    side.answer.take(piece)
            ring.record(exchange, record(20))
            running.append(exchange)
            if number % 2:
                ring.end(running.pop(0))
            assert ring.held <= TOTAL
        running.clear()
        assert tracemalloc.get_traced_memory()[0] < TOTAL * 1.15
    finally:
        tracemalloc.stop()
    assert len(ring) > 10


@pytest.mark.slow
def test_after_many_exchanges() -> None:
    """After 100,000 exchanges it takes what the last ones take."""
    ring = Ring()

    def exchanges(number: int) -> int:
        for _ in range(number):
            exchange = ring.begin("POST", "/v1/responses", b"", [(b"authorization", b"Bearer 123456789")])
            side = ring.attempt(exchange, "/v1/chat/completions", [])
            assert side is not None
            for body in (exchange.client.request, side.request, side.answer, exchange.client.answer):
                body.take(b"x" * 2000)
            ring.end(exchange)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = exchanges(1000)
    assert exchanges(99_000) - before < 8 * 1024  # KiB
    assert (len(ring), ring.held) == (EXCHANGES, EXCHANGES * (8 * 1024 + 4 * 2056))
