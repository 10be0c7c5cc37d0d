"""What an `AnswerReader` says that is to be done, and how much it reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from ..errors import TranslationError
from ..profiles import Profile
from ..wire import json, sse

Frame = TypeVar("Frame")


class Data(msgspec.Struct, Generic[Frame], frozen=True, gc=False):  # one for every chunk: it costs the least so
    """Frames of the client's event stream: a list, or an iterator that makes large ones on demand.

    Iterating it may raise TranslationError; give that to `AnswerReader.fail`. Look at `AnswerReader.ended` afterwards.
    """

    frames: Iterable[Frame]


class Body(NamedTuple):
    """The client's whole answer, as a value and encoded (of events: not encoded)."""

    answer: dict[str, Any]
    data: bytes

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Body:
        """Return the body for *answer*."""
        return cls(answer, json.encode(answer))


class Failed(NamedTuple):
    """The error that the client gets instead of an answer: `error.status` and `error.body()`."""

    error: TranslationError


class Retry(NamedTuple):
    """The upstream refused the request, and may accept it if it is translated with *profile*."""

    profile: Profile
    left_out: frozenset[int] = frozenset()
    """Places of items of the (expanded) input to leave out."""


Action = Data[Frame] | Body | Failed | Retry


class Bounds(Protocol):
    """Limits on what is read, in bytes, as `diglot.adapters.Limits` and `AnswerBounds` have them."""

    @property
    def max_answer(self) -> int: ...
    @property
    def max_stream(self) -> int: ...
    @property
    def max_error(self) -> int: ...
    @property
    def max_line(self) -> int: ...


class AnswerBounds(NamedTuple):
    """Limits in bytes: of a finished answer, of a stream, of an error, and of one line of a stream."""

    max_answer: int = 64 << 20
    max_stream: int = 128 << 20
    max_error: int = 1 << 20
    max_line: int = sse.MAX_LINE
