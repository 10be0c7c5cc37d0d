"""One request to the upstream, until it is known what the client gets; without I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, islice
from typing import Any, Generic, NamedTuple, TypeVar

from ...translator import (
    AnswerReader,
    Body,
    Data,
    Failed,
    Profile,
    RequestBody,
    Retries,
    Retry,
    TranslationError,
)
from ..asgi.types import Headers, Scope, without
from ..limits import Limits
from ..middleware import deployments
from ..middleware.translation import Translation
from ..middleware.upstream_scope import upstream_scope

Frame = TypeVar("Frame")
_Action = Data[Frame] | Body | Failed | Retry


class UpstreamRequest(NamedTuple):
    """What to send to the upstream, by POST."""

    target: bytes
    """Path and query."""
    headers: Headers
    content: bytes


class Branch(Generic[Frame]):
    """Until it ``is_decided``: send `request()`, give the answer's `head()`, and `begin()` with what comes.

    ``action`` is then what the client gets: a stream that begins, a whole body, or an error. After a refusal that can
    be avoided, it is not, and there is another `request()`.
    """

    def __init__(
        self,
        scope: Scope,
        endpoint: str,
        limits: Limits,
        strict: bool,
        read_answer: Callable[..., AnswerReader[Frame]],
        *,
        is_copy: bool = False,
    ) -> None:
        self.translation: Translation = Translation(scope, endpoint)
        self.action: Data[Frame] | Body | Failed | None = None
        self.headers: Headers = []
        """The upstream's, in lower case."""
        self.retries: Retries = Retries()
        self._scope = scope
        self._endpoint = endpoint
        self._limits = limits
        self._strict = strict
        self._read_answer = read_answer
        self._reader: AnswerReader[Frame] | None = None
        self._is_repeated = is_copy

    @property
    def reader(self) -> AnswerReader[Frame]:
        """The reader of the current answer."""
        assert self._reader is not None
        return self._reader

    @property
    def has_reader(self) -> bool:
        """Whether the request could be translated."""
        return self._reader is not None

    @property
    def is_decided(self) -> bool:
        """Whether it is known what the client gets."""
        return self.action is not None

    @property
    def error(self) -> TranslationError | None:
        """Why there is no answer, or no complete one."""
        if isinstance(self.action, Failed):
            return self.action.error
        return self.reader.error if self.has_reader else None

    def take(self, received: RequestBody, profile: Profile) -> None:
        """Translate a request for the first time."""
        self.translation.bodies.take(received)
        self.translate(profile)

    def translate(self, profile: Profile) -> None:
        """Translate the request with *profile*; if that fails, the client gets the error."""
        try:
            self.translation.make_at_once(profile, self._strict)
        except TranslationError as error:
            self.fail(error)
        else:
            self.translated()

    def translated(self) -> None:
        """The translation has another exchange, to whose request there is no answer yet."""
        self._reader = self._read_answer(self.translation.exchange, self._limits, self.retries)

    def fail(self, error: TranslationError) -> None:
        """The client gets this error."""
        self.action = Failed(error)

    def request(self) -> UpstreamRequest:
        """Return what to send."""
        exchange, bodies = self.reader.exchange, self.translation.bodies
        content = b"".join(bodies.request)
        scope = upstream_scope(
            self._scope,
            self._endpoint,
            exchange.endpoint,
            len(content),
            streams=exchange.request.get("stream") is True,
            is_repeated=self._is_repeated,
        )
        if exchange.profile.deployments:
            scope = deployments.relocate(scope, exchange.endpoint, exchange.request.get("model"))
        query: bytes = scope["query_string"]
        return UpstreamRequest(scope["raw_path"] + (b"?" + query if query else b""), scope["headers"], content)

    def head(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Read the head of the answer."""
        self.headers = without(headers, ())
        named, reader = dict(self.headers), self.reader
        kind, location = named.get(b"content-type", b""), named.get(b"location", b"")
        reader.head(status, kind.decode("latin-1"), location.decode("latin-1"))
        if reader.accepted and reader.streams:
            self.translation.bodies.release()

    def begin(self, data: bytes | None) -> Retry | None:
        """Read a piece of the body, None at its end; return a retry if there should be one: see `again()`."""
        action = self.read(data)
        if isinstance(action, Retry):
            return action
        self.action = self._with_first_frame(action) if isinstance(action, Data) else action
        return None

    def _with_first_frame(self, action: Data[Frame]) -> Any:
        """Make the first frame of a stream: until there is one, an error is the whole answer."""
        if isinstance(action.frames, list):
            return action
        frames = iter(action.frames)
        try:
            first = list(islice(frames, 1))
        except TranslationError as error:
            return self.reader.fail(error)
        return Data(chain(first, frames)) if first or self.reader.ended else None

    def again(self, retry: Retry) -> None:
        """Translate the request as a retry says."""
        self._is_repeated = True
        self.translation.leave_out(retry.left_out)
        self.translate(retry.profile)

    @property
    def takes_long(self) -> bool:
        """Whether reading the end of the body belongs in a thread."""
        return self.reader.takes_long(b"", True)

    @property
    def patience(self) -> float | None:
        """How many seconds to wait for what may follow a complete answer; None while it is not complete."""
        if not self.reader.finishing:
            return None
        return self._limits.after_failure if self.reader.failing else self._limits.after_finish

    def frames(self, action: _Action[Frame] | None) -> Iterable[Frame]:
        """Return the frames of a stream that an action holds; large ones are made on demand."""
        if not isinstance(action, Data):
            return ()
        return action.frames if isinstance(action.frames, list) else self._one_by_one(action.frames)

    def _one_by_one(self, frames: Iterable[Frame]) -> Iterable[Frame]:
        try:
            yield from frames
        except TranslationError as error:
            yield from self.frames(self.reader.fail(error))

    def read(self, data: bytes | None) -> _Action[Frame] | None:
        """Read a piece of the body, None at its end; return what follows from it."""
        reader = self.reader
        if data is not None:
            return reader.feed(data)
        try:
            if reader.may_teach:
                self.translation.bodies.received.check()
        except TranslationError as error:
            return reader.fail(error)
        return reader.finish()
