"""What an `AnswerReader` says that is to be done, and how much it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


class Body:
    """The client's whole answer, as a value and encoded (of events: not encoded).

    *answer* may also be what makes the value when somebody asks for it: most only send the ``data``.
    """

    __slots__ = ("_answer", "data")

    def __init__(self, answer: dict[str, Any] | Callable[[], dict[str, Any]], data: bytes) -> None:
        self.data: bytes = data
        self._answer = answer

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Body:
        """Return the body for *answer*."""
        return cls(answer, json.encode(answer))

    @property
    def answer(self) -> dict[str, Any]:
        """The answer as a value."""
        if not isinstance(self._answer, dict):
            self._answer = self._answer()
        return self._answer

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and (self.answer, self.data) == (other.answer, other.data)

    def __reduce__(self) -> tuple[Any, ...]:
        return Body, (self.answer, self.data)


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
