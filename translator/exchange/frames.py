"""Bytes of an upstream's stream in, whole frames of the client's stream out; the same in both directions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ..errors import TranslationError
from ..parts import upstream_errors
from ..wire import json, sse

Body = dict[str, Any]
_ERROR = re.compile(r"error|exception|traceback|\bfail(ed|ure)\b|out of memory", re.I)
_LABEL = re.compile(r"^\[?error\]?\s*[:\-]\s*", re.I)
_JSON = ("{", "[")
_NO_JSON = "a line that is not JSON"
_TOO_MANY = f"an event of more than {json.MAX_VALUES:,} JSON values"


class FastPath(Protocol):
    """A short cut from an event to its frame; None for what must go the general path."""

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


class FrameStream:
    """Bytes in, whole frames out.

    Every verb returns a list of frames. Before anything has ``started``, a failure is raised as TranslationError:
    answer it over HTTP. When ``finishing``, wait only a moment for the rest, then ``finish``. When ``ended``, stop;
    when it was also ``cut_short``, the upstream still works in vain: hang up.
    """

    def __init__(
        self, transducer: Transducer, decoder: sse.Decoder, frame: Callable[[Body], bytes], done_mark: bool
    ) -> None:
        self._transducer = transducer
        self._decoder = decoder
        self._frame = frame
        self._done_mark = done_mark
        self._fast_path = transducer.fast_path()
        self._has_remarks = False  # lines that are no words of an answer
        self._closed: FastPath | None = None  # the fast path while a large event is on its way
        decoder.warn = self._close_fast_path
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
        """Whether, when ``finishing``, nothing but the reason of a failure is waited for."""
        return self._transducer.failing

    @property
    def failure(self) -> TranslationError | None:
        """Why there is no answer. The client of a stream was told; to others, this is to be told instead of one."""
        return self._transducer.failure

    @property
    def answer(self) -> Body:
        """The answer as far as it has grown."""
        return self._transducer.answer

    def release(self) -> None:
        """Let go of the request: what ``answer`` repeats of it stays encoded (`msgspec.Raw`)."""
        self._transducer.release()

    def start(self) -> list[bytes]:
        """Begin now, ahead of the first chunk, to keep the connection alive."""
        return self._frames(self._transducer.start())

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes, cut anywhere. What follows the end is ignored."""
        try:
            events = self._decoder.feed(data)
        except TranslationError as error:
            return self.fail(error)
        return self._take(events)

    def finish(self) -> list[bytes]:
        """The upstream closed its stream, or nothing more is waited for."""
        frames = self._take(self._decoder.flush())
        return frames if self.ended else frames + self._frames(self._finish())

    def each(self, data: bytes, last: bool = False) -> Iterator[bytes]:
        """Do what ``feed`` does, and ``finish`` after the *last* of the data; each frame is made when it is asked for.

        At the end of an answer several frames repeat all of it: of a large one, only one should be there at a time.
        """
        try:
            events = self._decoder.feed(data)
        except TranslationError as error:
            yield from self._each(self._transducer.fail(error))
            return
        for event in events:
            yield from self._one(event)
        for event in self._decoder.flush() if last else ():
            yield from self._one(event)
        if last and not self.ended:
            yield from self._each(self._finish())

    def fail(self, error: TranslationError) -> list[bytes]:
        """The upstream broke in a way that the caller knows of."""
        return [] if self.ended else self._frames(self._transducer.fail(error))

    def _one(self, event: sse.Event) -> Iterator[bytes]:
        frame = None if self._fast_path is None else self._fast_path.take(event)
        if frame is not None:
            yield frame
        elif not self.ended:
            yield from self._each(self._read(event))

    def _take(self, events: list[sse.Event]) -> list[bytes]:
        frames: list[bytes] = []
        for event in events:
            frame = None if self._fast_path is None else self._fast_path.take(event)
            if frame is not None:
                frames.append(frame)
            elif not self.ended:
                frames += self._frames(self._read(event))
        return frames

    def _close_fast_path(self) -> None:
        """A large event comes: it must go the general path, where it is counted what it holds."""
        self._fast_path, self._closed = None, self._fast_path or self._closed

    def _read(self, event: sse.Event) -> list[Body]:
        """The general path."""
        if self._closed is not None and len(event.data) > sse.LARGE:
            self._fast_path, self._closed = self._closed, None
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
        if event.name != "error" and not isinstance(chunk, (dict, list)):  # some servers quote their comments
            return self._take_line(chunk.encode("utf-8", "replace") if isinstance(chunk, str) else event.data, None)
        return self._transducer.feed(_named(chunk, event.name) if event.name else chunk)

    def _take_line(self, data: bytes, error: ValueError | None) -> list[Body]:
        """Take what is no JSON: a chunk that broke, an error in words, or a comment (W9)."""
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

    def _frames(self, events: list[Body]) -> list[bytes]:
        return list(self._each(events))

    def _each(self, events: list[Body]) -> Iterator[bytes]:
        self.finishing, self.ended = self._transducer.finishing, self._transducer.ended
        if self.ended:
            self._fast_path = self._closed = None  # what follows the end is ignored
        is_over = self.ended
        for event in events:
            yield self._frame(event)
        if is_over and self._done_mark and events:
            yield sse.DONE


def _named(chunk: Any, name: str) -> Any:
    """What an event is called says what it is, where its data do not."""
    if name == "error" and not (isinstance(chunk, dict) and (chunk.get("error") or chunk.get("type") == "error")):
        return {"error": chunk or "The upstream reported an error."}
    if isinstance(chunk, dict) and "type" not in chunk:
        return {**chunk, "type": name}
    return chunk
