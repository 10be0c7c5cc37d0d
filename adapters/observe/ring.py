"""The last exchanges, in memory and of bounded size: what a client and its upstream really sent."""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from time import monotonic
from typing import Any

from ..middleware.record import Record
from . import redaction
from .redaction import Redaction

EXCHANGES = 100
BODY = 64 * 1024
TOTAL = 32 * 1024 * 1024
MAX_ATTEMPTS = 16
MAX_LOSSES = 200
"""Of one exchange; more are counted."""
_PIECE = 56  # bytes that a piece takes beside its own: of an object, a reference, and a time
_OVERHEAD = 8 * 1024  # bytes for all that has a bound of its own: headers, losses, objects
_MAX_TEXT = 300
_KEPT = frozenset({"model", "stream", "input_tokens", "output_tokens", "outcome", "error"})
Buffer = bytes | bytearray | memoryview


class KeptBody:
    """The beginning of a body, in its pieces, and when they came; of the rest only the size is known.

    A piece counts as some more bytes than it has, so that a body in tiny pieces takes no more room than another one.
    """

    __slots__ = ("_pieces", "_room", "size", "times")

    def __init__(self, room: int) -> None:
        self.size: int = 0
        """Bytes of the whole body so far."""
        self.times: array[float] = array("d")
        """When the pieces came that are kept, on the monotonic clock."""
        self._pieces: list[bytes] = []
        self._room = room

    def take(self, data: Buffer) -> None:
        """Take the next piece, which is not empty."""
        self.size += (size := len(data))
        if (room := self._room) > 0:
            if size > room or data.__class__ is not bytes:
                data = bytes(data[:room])
            self._pieces.append(data)  # pyright: ignore[reportArgumentType]
            self.times.append(monotonic())
            self._room = room - size - _PIECE

    @property
    def kept(self) -> bytes:
        """What is kept, in one piece."""
        pieces = self._pieces
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    @property
    def ends(self) -> list[int]:
        """Where the pieces end in what is kept."""
        return list(accumulate(map(len, self._pieces)))

    def clean(self, redaction: Redaction) -> None:
        """Overwrite credentials in what is kept."""
        kept = self.kept
        cleaned = redaction.clean(kept)
        if cleaned is not kept:
            self._pieces = [cleaned[start:end] for start, end in pairwise([0, *self.ends])]

    def drop(self) -> None:
        """Keep nothing from now on."""
        self._pieces, self.times, self._room = [], array("d"), 0

    @property
    def held(self) -> int:
        """Bytes of memory."""
        return sum(map(len, self._pieces)) + _PIECE * len(self._pieces)


class Side:
    """One side of an exchange: a request and its answer."""

    def __init__(self, path: str, headers: Sequence[tuple[bytes, bytes]], room: int) -> None:
        self.path: str = path
        self.began: float = monotonic()
        self.ended: float = 0.0
        self.status: int = 0
        self.error: str = ""
        """What was raised instead of an answer."""
        self.request_headers: list[tuple[str, str]] = redaction.shown_headers(headers)
        self.answer_headers: list[tuple[str, str]] = []
        self.request: KeptBody = KeptBody(room)
        self.answer: KeptBody = KeptBody(room)

    def start_answer(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """The head of the answer has come."""
        self.status, self.answer_headers = status, redaction.shown_headers(list(headers))

    def drop(self) -> None:
        """Keep nothing of the bodies from now on."""
        self.request.drop()
        self.answer.drop()

    @property
    def is_encoded(self) -> bool:
        """Whether a body is compressed."""
        return any(name == "content-encoding" for name, _ in (*self.request_headers, *self.answer_headers))

    @property
    def size(self) -> int:
        """Bytes that came so far, in both directions."""
        return self.request.size + self.answer.size


class Exchange:
    """A client's request with its answer, and every attempt at the upstream."""

    def __init__(self, number: int, method: str, client: Side, secrets: Redaction) -> None:
        self.number: int = number
        self.began: float = time.time()
        self.method: str = method
        self.client: Side = client
        self.attempts: list[Side] = []
        self.more_attempts: int = 0
        """Attempts that are only counted."""
        self.redaction: Redaction = secrets
        self.handled: str = "passed"
        self.about: dict[str, Any] = {}
        """What is known of a translated exchange once it is over."""
        self.losses: list[tuple[str, str, str]] = []
        """Path, kind and reason of each."""
        self.more_losses: int = 0
        self.revision: int = 0
        self.reserved: int = 0
        self.seen: int = 0
        """Bytes that had come when somebody last looked."""

    @property
    def sides(self) -> list[Side]:
        """The client's, and one for each attempt."""
        return [self.client, *self.attempts]

    @property
    def size(self) -> int:
        """Bytes that came so far, on both sides."""
        return sum(side.size for side in self.sides)


class Ring:
    """Keeps the last *exchanges* with at most *body* bytes of each body, and at most *total* bytes in all.

    A running exchange counts as if all of its bodies were full; the oldest exchanges go first.
    """

    def __init__(self, exchanges: int = EXCHANGES, body: int = BODY, total: int = TOTAL) -> None:
        self.revision: int = 0
        """Grows with each change."""
        self.held: int = 0
        self.worker: int = os.getpid()
        self._most, self._body, self._total = exchanges, body, total
        self._exchanges: dict[int, Exchange] = {}
        self._last = 0

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges.values())

    def __len__(self) -> int:
        return len(self._exchanges)

    def get(self, number: int) -> Exchange | None:
        """Return an exchange that is still there."""
        return self._exchanges.get(number)

    @property
    def oldest(self) -> int:
        """The number of the oldest exchange that is there, or would be."""
        return next(iter(self._exchanges), self._last + 1)

    def begin(self, method: str, path: str, query: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Exchange:
        """A client sends a request."""
        self._last += 1
        client = Side(redaction.shown_target(path, query), headers, self._body)
        exchange = Exchange(self._last, method[:_MAX_TEXT], client, Redaction(redaction.secrets_in(headers)))
        self._exchanges[exchange.number] = exchange
        self._reserve(exchange, _OVERHEAD + 2 * self._body)
        return exchange

    def attempt(self, exchange: Exchange, path: str, headers: Sequence[tuple[bytes, bytes]]) -> Side | None:
        """The upstream is called; returns None if the attempt is only counted."""
        if exchange.number not in self._exchanges or len(exchange.attempts) == MAX_ATTEMPTS:
            exchange.more_attempts += 1
            return None
        side = Side(path[:_MAX_TEXT], headers, self._body)
        exchange.attempts.append(side)
        self._reserve(exchange, 2 * self._body)
        return side

    def record(self, exchange: Exchange, record: Record) -> None:
        """Keep what is known of a translated exchange that is over."""
        exchange.more_losses = max(0, len(record.losses) - MAX_LOSSES)
        exchange.losses = [
            (loss.path[:_MAX_TEXT], loss.kind, loss.why[:_MAX_TEXT]) for loss in record.losses[:MAX_LOSSES]
        ]
        exchange.about = {name: value for name, value in record.fields().items() if name in _KEPT}

    def end(self, exchange: Exchange) -> None:
        """The client has its answer."""
        exchange.client.ended = monotonic()
        for side in exchange.sides:
            side.answer.clean(exchange.redaction)
            side.error = exchange.redaction.clean_text(side.error)[:_MAX_TEXT]
        if not any(side.is_encoded for side in exchange.sides):  # otherwise they are looked for where it is decoded
            exchange.redaction = Redaction(())
        if exchange.number in self._exchanges:
            actual = _OVERHEAD + sum(side.request.held + side.answer.held for side in exchange.sides)
            self._reserve(exchange, actual - exchange.reserved)

    def clear(self) -> None:
        """Forget all."""
        for number in list(self._exchanges):
            self._forget(number)

    def changed_since(self, revision: int) -> list[Exchange]:
        """Return the exchanges that changed after a *revision*."""
        return [exchange for exchange in self if exchange.revision > revision]

    def look(self, is_due: Callable[[], bool]) -> None:
        """Notice what came for running exchanges, if that *is due*: it is not counted while it comes."""
        if is_due():
            for exchange in self:
                if not exchange.client.ended and exchange.seen != exchange.size:
                    exchange.seen = exchange.size
                    self._touch(exchange)

    def _touch(self, exchange: Exchange) -> None:
        self.revision += 1
        exchange.revision = self.revision

    def _reserve(self, exchange: Exchange, size: int) -> None:
        self._touch(exchange)
        exchange.reserved += size
        self.held += size
        while self.held > self._total or len(self._exchanges) > self._most:
            self._forget(self.oldest)

    def _forget(self, number: int) -> None:
        exchange = self._exchanges.pop(number)
        self.held -= exchange.reserved
        self.revision += 1
        for side in exchange.sides:
            side.drop()
