"""An upstream's HTTP answer in, what the client gets for it out; without I/O.

The caller feeds the bytes, and carries out what each method returns: one action, or None if there is nothing to do.

=========  =========================================================================================================
`Data`     send these frames, one after the other; the client's answer is an event stream, begun with the first Data
`Body`     send this answer: status 200, a JSON object
`Failed`   send this error; nothing has been sent before
`Retry`    translate the request again with this profile and send it; nothing has been sent to the client yet
=========  =========================================================================================================

All decisions are made here: whether it is a stream, by content type or first byte; collecting a stream for a client
that wants none, and streaming a finished answer to one that does; limits; errors of any shape; learning from refusals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from ..errors import ProtocolMisuse, RequestError, TranslationError, UpstreamError
from ..wire import json
from . import diagnostics
from .actions import Action, AnswerBounds, Body, Bounds, Data, Failed, Retry
from .adaptation import Retries
from .base import Exchange
from .first_token import is_piece
from .frames import AnswerStream, EventStream, FrameStream

Frame = TypeVar("Frame")
LARGE = 2**20
"""The size in bytes from which an answer delays other requests, and a stream ends with large frames."""
_MAY_TEACH = (400, 422, 500)
_BOM = b"\xef\xbb\xbf"
_LINES = re.compile(rb"}\s*\n\s*{")
"""The end of one value and the start of the next, on lines of their own (NDJSON)."""
_FIELDS = b":deir"  # how the lines of an event stream begin: a comment, data, event, id, retry


class AnswerReader(Generic[Frame]):
    """Reads one answer to the request of an exchange: `head()`, then `feed()` until the *last* data, or `finish()`.

    Make it with `AnswerReader.of(exchange)`, whose frames are bytes, or with `AnswerReader.of_events(exchange)`, whose
    frames are decoded events, to merge several answers. *retries* is what the request has learned so far; without it,
    no refusal leads to a `Retry`.

    >>> from diglot.translator import ServeResponses
    >>> reader = AnswerReader.of(ServeResponses({"model": "m", "input": "Hi"}))
    >>> reader.head(200, "application/json")
    >>> action = reader.feed(b'{"choices":[{"message":{"content":"Hello."},"finish_reason":"stop"}]}', last=True)
    >>> action.answer["output"][0]["content"][0]["text"], reader.ended
    ('Hello.', True)
    """

    def __init__(
        self,
        exchange: Exchange,
        stream: AnswerStream[Frame] | None,
        encodes: bool,
        bounds: Bounds,
        retries: Retries | None,
    ) -> None:
        self.exchange: Exchange = exchange
        self.status: int = 0
        self.accepted: bool = False
        """Whether the upstream has accepted the request."""
        self.streams: bool = stream is not None
        """Whether the client gets an event stream."""
        self.started: bool = False
        """Whether the client's event stream has begun: from then on, errors are sent in it."""
        self.ended: bool = False
        """Whether the client has everything that it will get of this answer."""
        self.goes_on: bool = False
        """Whether the last Data was in the middle of a stream, neither its beginning nor its end."""
        self.finishing: bool = False
        """Whether the answer is complete, and only something after it may follow: wait a moment, then `finish()`."""
        self.was_silent: bool = True
        """Whether the last data was nothing, or only comments and blank lines, which keep the connection alive."""
        self.error: TranslationError | None = None
        self.on_first_token: Callable[[], object] | None = None
        """Called once, when a stream has its first piece of text, reasoning or arguments; set it before `head()`."""
        self._body = Body({}, b"")
        self._stream = stream
        self._encode = json.encode if encodes else _not_encoded
        self._bounds = bounds
        self._few = min(LARGE, bounds.max_stream)
        self._retries = retries
        self._content_type = self._location = ""
        self._fast_path = exchange.fast_path if encodes and stream is None else None
        self._pieces: list[bytes] = []
        self._size = 0
        self._gathered: EventStream | None = None
        self._read: Callable[[AnswerReader[Frame], bytes, bool], Action[Frame] | None] = AnswerReader._too_early

    @staticmethod
    def of(exchange: Exchange, bounds: Bounds = AnswerBounds(), retries: Retries | None = None) -> AnswerReader[bytes]:
        """Return the reader whose frames are the bytes of server-sent events."""
        stream: FrameStream | None = exchange.stream(bounds.max_line) if exchange.streaming else None
        return AnswerReader(exchange, stream, True, bounds, retries)

    @staticmethod
    def of_events(
        exchange: Exchange, bounds: Bounds = AnswerBounds(), retries: Retries | None = None
    ) -> AnswerReader[dict[str, Any]]:
        """Return the reader whose frames are events, and whose bodies are not encoded."""
        stream: EventStream | None = exchange.events(bounds.max_line) if exchange.streaming else None
        return AnswerReader(exchange, stream, False, bounds, retries)

    @property
    def answer(self) -> dict[str, Any]:
        """What the client was sent, as one body; empty if there was an error."""
        return self._body.answer

    @property
    def failing(self) -> bool:
        """Whether, when ``finishing``, only the reason of a failure may still follow."""
        stream = self._stream or self._gathered
        return stream is not None and stream.failing

    @property
    def concluded(self) -> bool:
        """Whether the answer of a stream is final, although its last frames may not have been taken."""
        return self._stream is not None and self._stream.ended

    @property
    def conclusion(self) -> dict[str, Any]:
        """That final answer."""
        return {} if self._stream is None else self._stream.answer

    def not_stored(self, frame: Frame) -> Frame:
        """Return a frame of an answer that could not be stored: the last one says so."""
        stream = self._stream
        return frame if stream is None else stream.replaced_answer(frame, self.exchange.not_stored)

    @property
    def in_vain(self) -> bool:
        """Whether the upstream's remaining work is not needed: after an error, or if the stream was cut short here."""
        return self.error is not None or (self._stream is not None and self._stream.cut_short)

    @property
    def may_teach(self) -> bool:
        """Whether this refusal may lead to a `Retry`: then the request should be checked before the end."""
        return self._retries is not None and self.status in _MAY_TEACH and not self.started

    def head(self, status: int, content_type: str = "", location: str = "") -> None:
        """Read the status of the upstream's answer and its relevant headers.

        If the client wants a stream and the request was ``accepted``, the exchange is released: only what the answer
        repeats of the request is still needed.
        """
        self.status, self._content_type, self._location = status, content_type, location
        self.accepted = 200 <= status < 300
        if not self.accepted:
            self._read = AnswerReader._collect
            return
        is_stream = "text/event-stream" in content_type.lower()
        if self._stream is None:
            self._read = AnswerReader._gather if is_stream else AnswerReader._guess
            return
        self._read = AnswerReader._take_first if is_stream else AnswerReader._guess
        self.exchange.release()
        self._stream.release()

    def takes_long(self, data: bytes, last: bool) -> bool:
        """Whether feeding this may take so long that it belongs in a thread of its own."""
        is_whole = self._read is AnswerReader._guess or self._read is AnswerReader._collect
        return last and is_whole and self.accepted and self._size + len(data) > LARGE

    def feed(self, data: bytes, last: bool = False) -> Action[Frame] | None:
        """Read a piece of the body, cut anywhere; anything after the end is ignored.

        Raises ProtocolMisuse before `head()`.
        """
        try:
            return None if self.ended else self._read(self, data, last)
        except ProtocolMisuse:
            raise
        except TranslationError as error:
            return self.fail(error)
        except RecursionError:  # what the answer repeats of the request could be read, but not written
            return self.fail(RequestError("The request is nested too deeply."))

    def finish(self) -> Action[Frame] | None:
        """End the answer: the upstream has closed it, or nothing more is expected."""
        return self.feed(b"", True)

    def begin(self) -> Data[Frame]:
        """Begin the client's event stream before the upstream has sent anything, to keep the connection alive."""
        assert self._stream is not None
        self.started = True
        return Data([] if self._stream.started else self._stream.start())

    def fail(self, error: TranslationError) -> Action[Frame] | None:
        """End with *error*, as a status or in the stream: the connection broke, or time is up.

        A stream whose answer is complete, but for what may follow it, ends as complete: that is no error.
        """
        if self.ended:
            return None
        if not (self.started and self.finishing) or self.failing:
            self.error = error
        stream = self._stream
        if stream is None or not self.started:
            self.ended = True
            return Failed(error)
        if stream.ended:  # its last frames were not all taken: without them, a cut must look like one
            self.ended = True
            return None
        return self._send(stream.finish() if stream.finishing else stream.fail(error))

    def _too_early(self, data: bytes, last: bool) -> None:
        raise ProtocolMisuse("head() must be called before feed()")

    # A stream

    def _take_first(self, data: bytes, last: bool) -> Action[Frame] | None:
        """Do what `_take` does, until the model has written something: from then on, nobody has to look."""
        action = self._take(data, last)
        if isinstance(action, Data) and (not isinstance(action.frames, list) or any(map(is_piece, action.frames))):
            self._read = AnswerReader._take
            self._note_first_token()
        return action

    def _note_first_token(self) -> None:
        if self.on_first_token is not None:
            self.on_first_token()

    def _take(self, data: bytes, last: bool) -> Action[Frame] | None:
        stream = self._stream
        assert stream is not None
        self._size = size = self._size + len(data)
        if size > self._few:
            if size > self._bounds.max_stream:
                raise UpstreamError(f"The upstream's stream is longer than {self._bounds.max_stream} bytes.")
            return self._send_each(stream.each(data, last))
        frames = stream.feed(data)
        if last and not stream.ended:
            frames = [*frames, *stream.finish()]
        if not frames or stream.finishing or stream.ended:
            return self._send(frames)
        if not self.goes_on:
            self.goes_on, self.started = self.started, True
            self.finishing = self.was_silent = False
        return Data(frames)

    def _send(self, frames: list[Frame]) -> Data[Frame] | None:
        self._note()
        self.goes_on, self.was_silent = False, not frames
        if not frames and not self.ended:
            return None
        self.started = True
        return Data(frames)

    def _send_each(self, frames: Iterator[Frame]) -> Data[Frame]:
        """Send frames that may be large, each made when it is asked for."""

        self.goes_on, self.was_silent = False, True

        def noting() -> Iterator[Frame]:
            for frame in frames:
                self.started, self.was_silent = True, False
                yield frame
            self._note()

        return Data(noting())

    def _note(self) -> None:
        """Note how far the stream is."""
        stream = self._stream or self._gathered
        assert stream is not None
        self.finishing = stream.finishing
        if stream.ended:
            self.ended, self._body = True, Body(stream.answer, b"")

    def _guess(self, data: bytes, last: bool) -> Action[Frame] | None:
        """Not every server names its event stream so, or its JSON: the first byte decides."""
        if data.startswith(b"{"):  # as nearly always
            self._read = AnswerReader._collect
            return self._collect(data, last)
        first = data.removeprefix(_BOM).lstrip()[:1]
        if not (first or last):
            self.was_silent = True
            return None
        if first == b"<":
            raise diagnostics.no_answer(self.exchange, self._content_type)
        if self._stream is not None:
            self._read = AnswerReader._collect if first in (b"{", b"[") else AnswerReader._take_first
        else:
            self._read = AnswerReader._gather if first and first in _FIELDS else AnswerReader._collect
        return self._read(self, data.removeprefix(_BOM), last)

    def _gather(self, data: bytes, last: bool) -> Action[Frame] | None:
        """Some servers always stream (transformers serve): the client that did not ask for it gets the answer whole."""
        if not self.exchange.can_collect_stream:
            raise UpstreamError("The upstream sent an event stream although none was requested.")
        stream = self._gathered = self._gathered or self.exchange.events(self._bounds.max_line)
        self._size += len(data)
        if self._size > self._bounds.max_answer:
            raise UpstreamError(f"The upstream's answer is larger than {self._bounds.max_answer} bytes.")
        self.was_silent = not stream.feed(data)
        if last and not stream.ended:
            stream.finish()
        if stream.failure is not None:
            raise stream.failure
        if stream.ended:
            return self._tell(Body(stream.answer, self._encode(stream.answer)))
        self.finishing = stream.finishing
        return None

    # A whole body

    def _collect(self, data: bytes, last: bool) -> Action[Frame] | None:
        self.was_silent = not data.strip()
        limit = self._bounds.max_answer if self.accepted else self._bounds.max_error
        self._pieces.append(data[: max(0, limit - self._size)])
        self._size += len(data)
        if self.accepted and self._size > limit:
            raise UpstreamError(f"The upstream's answer is larger than {limit} bytes.")
        if not last:
            return None
        body = b"".join(self._pieces)
        return self._whole(body) if self.accepted else self._refused(body)

    def _refused(self, body: bytes) -> Retry:
        if self.may_teach and self._retries is not None:
            learned = self._retries.learn(self.exchange, self.status, body)
            if learned is not None:
                self.ended = True
                return Retry(learned)
            left_out = self._retries.shorten(self.exchange, self.status, body)
            if left_out is not None:
                self.ended = True
                return Retry(self.exchange.profile, left_out)
        raise diagnostics.refusal(self.exchange, self.status, self._location, body)

    def _whole(self, body: bytes) -> Action[Frame] | None:
        fast_path = self._fast_path if len(body) <= LARGE else None  # in a large one, it must be counted what it holds
        if fast_path is not None and (made := fast_path.take(body)) is not None:
            return self._tell(made)
        try:
            value = json.decode(body)
        except ValueError as error:
            if _LINES.search(body) is None:
                raise diagnostics.no_answer(self.exchange, self._content_type, error) from None
            self._size = 0  # one JSON value in each line
            return self._gather(body, True) if self._stream is None else self._take_first(body, True)
        if self._stream is None:
            answer = self.exchange.answer(value)
            return self._tell(Body(answer, self._encode(answer)))
        self._note_first_token()
        frames = self._stream.whole(value)
        return self._send_each(frames) if len(body) > LARGE else self._send([*frames])

    def _tell(self, body: Body) -> Body:
        self.ended, self._body = True, body
        return body


def _not_encoded(answer: dict[str, Any]) -> bytes:
    return b""
