"""Bytes of an upstream's stream in, whole frames of the client's stream out, in both directions."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from ..errors import TranslationError
from ..parts import upstream_errors
from ..wire import json, sse

Body = dict[str, Any]
Frame = TypeVar("Frame")
_ERROR = re.compile(r"error|exception|traceback|\bfail(ed|ure)\b|out of memory", re.I)
_LABEL = re.compile(r"^\[?error\]?\s*[:\-]\s*", re.I)
_JSON = ("{", "[")
_TERMINAL = tuple(b"event: response.%b\n" % status for status in (b"completed", b"incomplete", b"failed"))
_NO_JSON = "a line that is not JSON"
_TOO_MANY = f"an event of more than {json.MAX_VALUES:,} JSON values"


class FastPath(Protocol):
    """A shortcut from an event to its frame; None for events that must take the general path."""

    def take(self, event: sse.Event, /) -> bytes | None: ...


class Transducer(Protocol):
    """One answer: decoded events of the upstream in, events for the client out."""

    @property
    def answer(self) -> Body: ...
    @property
    def started(self) -> bool: ...
    @property
    def finishing(self) -> bool: ...
    @property
    def failing(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    @property
    def cut_short(self) -> bool: ...
    @property
    def failure(self) -> TranslationError | None: ...
    def fast_path(self) -> FastPath | None: ...
    def start(self) -> list[Body]: ...
    def feed(self, chunk: Any, /) -> list[Body]: ...
    def garbled(self, what: str) -> None: ...
    def release(self) -> None: ...
    def finish(self, clean: bool = False) -> list[Body]: ...
    def fail(self, error: TranslationError) -> list[Body]: ...


class AnswerStream(ABC, Generic[Frame]):
    """What streams share, whether the client's events come out encoded or not.

    Every verb returns a list of frames. Before anything has ``started``, a failure is raised as TranslationError:
    answer it over HTTP. When ``finishing``, wait only a moment for the rest, then ``finish``. When ``ended``, stop; if
    it was also ``cut_short``, hang up, because the upstream is still working in vain.
    """

    def __init__(self, transducer: Transducer, decoder: sse.Decoder) -> None:
        self._transducer = transducer
        self._decoder = decoder
        self._has_remarks = False  # lines that are no words of an answer
        self.finishing: bool = False
        self.ended: bool = False  # kept here, because they are asked for after every chunk

    @property
    def started(self) -> bool:
        return self._transducer.started

    @property
    def cut_short(self) -> bool:
        return self._transducer.cut_short

    @property
    def failing(self) -> bool:
        """Whether, when ``finishing``, only the reason of a failure may still follow."""
        return self._transducer.failing

    @property
    def failure(self) -> TranslationError | None:
        """Why there is no answer. The client of a stream has received it; others get it in place of an answer."""
        return self._transducer.failure

    @property
    def answer(self) -> Body:
        """The answer as far as it has grown."""
        return self._transducer.answer

    def release(self) -> None:
        """Release the request; what ``answer`` repeats of it is kept encoded (`msgspec.Raw`)."""
        self._transducer.release()

    def start(self) -> list[Frame]:
        """Begin now, ahead of the first chunk, to keep the connection alive."""
        return list(self._frames(self._transducer.start()))

    def feed(self, data: bytes) -> list[Frame]:
        """Read bytes, cut anywhere. Anything after the end is ignored."""
        try:
            events = self._decoder.feed(data)
        except TranslationError as error:
            return self.fail(error)
        return self._take(events)

    def finish(self) -> list[Frame]:
        """End the stream: the upstream closed it, or nothing more is expected."""
        frames = self._take(self._decoder.flush())
        return frames if self.ended else [*frames, *self._frames(self._finish())]

    def each(self, data: bytes, last: bool = False) -> Iterator[Frame]:
        """Do what ``feed`` does, and ``finish`` after the *last* data; each frame is made on demand.

        At the end of an answer, several frames repeat all of it: of a large one, only one should be in memory.
        """
        try:
            events = self._decoder.feed(data)
        except TranslationError as error:
            yield from self._frames(self._transducer.fail(error))
            return
        for event in events:
            yield from self._one(event)
        for event in self._decoder.flush() if last else ():
            yield from self._one(event)
        if last and not self.ended:
            yield from self._frames(self._finish())

    def whole(self, answer: Any) -> Iterator[Frame]:
        """Read a finished, decoded *answer* of the upstream in place of a stream; frames come as from ``each``."""
        yield from self._frames(self._read_value(answer, None))
        if not self.ended:
            yield from self._frames(self._finish(clean=True))

    def fail(self, error: TranslationError) -> list[Frame]:
        """End the stream with *error*, which the caller has detected."""
        return [] if self.ended else list(self._frames(self._transducer.fail(error)))

    def replaced_answer(self, frame: Frame, replace: Callable[[Body], Body]) -> Frame:
        """Return the *frame*; if it holds the whole answer, with what *replace* returns for that."""
        return frame

    @abstractmethod
    def _frames(self, events: list[Body]) -> Iterator[Frame]:
        """Note how far the answer is, and give the frames of these events."""

    def _note(self) -> None:
        """Note how far the answer is."""
        self.finishing, self.ended = self._transducer.finishing, self._transducer.ended

    def _take(self, events: list[sse.Event]) -> list[Frame]:
        return [frame for event in events for frame in self._one(event)]

    def _one(self, event: sse.Event) -> Iterator[Frame]:
        if not self.ended:
            yield from self._frames(self._read(event))

    def _read(self, event: sse.Event) -> list[Body]:
        if event.is_done:
            return self._finish(clean=True)
        if not event.data.strip():
            return []
        try:
            chunk = json.decode(event.data)
        except ValueError as error:
            if event.name != "error":
                return self._take_line(event.data, error)
            chunk = event.data[: upstream_errors.MAX_MESSAGE].decode("utf-8", "replace")
        if event.name == "error":
            return self._transducer.feed(_named(chunk, event.name))
        return self._read_value(_named(chunk, event.name) if event.name else chunk, event.data)

    def _read_value(self, chunk: Any, data: bytes | None) -> list[Body]:
        if isinstance(chunk, (dict, list)):
            return self._transducer.feed(chunk)
        # some servers quote their comments
        line = chunk.encode("utf-8", "replace") if isinstance(chunk, str) else data or json.encode(chunk)
        return self._take_line(line, None)

    def _take_line(self, data: bytes, error: ValueError | None) -> list[Body]:
        """Read a line that is not JSON: a broken chunk, an error as text, or a comment (W9)."""
        if isinstance(error, json.TooManyValues):
            self._transducer.garbled(_TOO_MANY)
            return []
        text = data[: upstream_errors.MAX_MESSAGE].decode("utf-8", "replace").strip()
        if _ERROR.search(text) and text[:1] not in _JSON:
            return self._transducer.feed({"error": _LABEL.sub("", text) or text})
        if text[:1] not in _JSON:
            self._has_remarks = True
        elif not self._transducer.finishing:  # behind the end of the answer, nothing of it is lost
            self._transducer.garbled(_NO_JSON)
        return []

    def _finish(self, clean: bool = False) -> list[Body]:
        if self._has_remarks and not self._transducer.started:  # nobody answered, but somebody said something
            self._transducer.garbled(_NO_JSON)
        return self._transducer.finish(clean)


class EventStream(AnswerStream[Body]):
    """Bytes in, decoded events of the client's stream out (chunks, for a chat client)."""

    def _frames(self, events: list[Body]) -> Iterator[Body]:
        self._note()
        return iter(events)


class FrameStream(AnswerStream[bytes]):
    """Bytes in, whole frames out, ready to be written. Pieces of text take a shortcut."""

    def __init__(
        self, transducer: Transducer, decoder: sse.Decoder, frame: Callable[[Body], bytes], done_mark: bool
    ) -> None:
        super().__init__(transducer, decoder)
        self._frame = frame
        self._done_mark = done_mark
        self._fast_path = transducer.fast_path()

    def replaced_answer(self, frame: bytes, replace: Callable[[Body], Body]) -> bytes:
        """Return the *frame*; if it holds the whole answer, with what *replace* returns for that."""
        if not frame.startswith(_TERMINAL):
            return frame
        event = json.decode(sse.Decoder(len(frame)).feed(frame)[0].data, None)
        return self._frame({**event, "response": replace(event["response"])})

    def _one(self, event: sse.Event) -> Iterator[bytes]:
        frame = None if self._fast_path is None or len(event.data) > sse.LARGE else self._fast_path.take(event)
        return super()._one(event) if frame is None else iter((frame,))

    def _take(self, events: list[sse.Event]) -> list[bytes]:
        frames: list[bytes] = []
        for event in events:  # a large one must go the general path, where it is counted what it holds
            frame = None if self._fast_path is None or len(event.data) > sse.LARGE else self._fast_path.take(event)
            if frame is not None:
                frames.append(frame)
            elif not self.ended:
                frames += self._frames(self._read(event))
        return frames

    def _frames(self, events: list[Body]) -> Iterator[bytes]:
        self._note()
        is_over = self.ended
        if is_over:
            self._fast_path = None  # what follows the end is ignored
        for event in events:
            yield self._frame(event)
        if is_over and self._done_mark and events:
            yield sse.DONE


def _named(chunk: Any, name: str) -> Any:
    """Return a chunk without a type as the event's name says: as an error, or with it as its type."""
    if name == "error" and not (isinstance(chunk, dict) and (chunk.get("error") or chunk.get("type") == "error")):
        return {"error": chunk or "The upstream reported an error."}
    if isinstance(chunk, dict) and "type" not in chunk:
        return {**chunk, "type": name}
    return chunk
