"""The transport for synchronous clients."""

from __future__ import annotations

import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Timer
from typing import TYPE_CHECKING, Any, TypeVar

from ...translator import Profile
from ..middleware.record import Record
from ..middleware.routes import Api
from .base import BaseTransport, Outgoing
from .branch import UpstreamRequest
from .call import Call

T = TypeVar("T")
Result = TypeVar("Result")

if TYPE_CHECKING:
    import httpx
    import httpx2

    class _OfEither(httpx2.BaseTransport, httpx.BaseTransport):
        def handle_request(self, request: Any) -> Any: ...

else:
    _OfEither = object  # for type checkers, it is a transport of either package; these look at its methods only


class Transport(BaseTransport, _OfEither):
    """A transport of httpx2 or httpx, for `Client(transport=...)`: it translates what the upstream's API lacks.

    *inner* sends the requests: a `Client`, with all of its settings and hooks; a transport; or nothing, for a client
    that follows the environment (proxies, certificates). It is closed with this transport. *upstream_api* is the API
    that the upstream has, `chat` or `responses`; requests for the other one are translated, everything else goes
    through untouched. *profile*, *strict* and *on_exchange* are those of `TranslationMiddleware`. It may be used by
    several threads.

    Errors of the HTTP package reach the caller as they are, and nothing is tried again but what a refusal has taught.
    Raises TypeError for an *inner* that is asynchronous or of the other package, and ValueError for an unknown API.

    >>> import httpx
    >>> with httpx.Client(transport=Transport(upstream_api="chat", profile="vllm")) as client:
    ...     client.post("http://127.0.0.1:8000/v1/responses", json={"model": 1}).json()["error"]["param"]
    'model'
    """

    kind = "Client"

    def __init__(
        self,
        inner: Any = None,
        *,
        upstream_api: Api = "chat",
        profile: Profile | str = "default",
        strict: bool = False,
        on_exchange: Callable[[Record], object] | None = None,
    ) -> None:
        super().__init__(inner, upstream_api, profile, strict, on_exchange)

    def __enter__(self) -> Transport:
        """Return this transport."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        if self.inner is not None:
            self.inner.close()

    def handle_request(self, request: Any) -> Any:
        """Serve one request; called by the client."""
        outgoing = self.outgoing(request)
        endpoint = self.context.endpoint_of(outgoing.scope)
        if endpoint is None:
            return outgoing.refused(self.context) or _send(outgoing, request, follow_redirects=False)
        call = Call(self.context, outgoing.scope, endpoint, _Http(outgoing), outgoing.errors)
        return outgoing.answered(_run(call.open()), "SyncByteStream", _Stream, call)


def _send(outgoing: Outgoing, request: Any, **settings: Any) -> Any:
    inner = outgoing.inner
    return inner.send(request, stream=True, **settings) if outgoing.is_client else inner.handle_request(request)


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that never waits for an event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("a synchronous call waits for an event loop")


class _Http:
    """An `Http` that blocks."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    async def body(self) -> bytes:
        return self._outgoing.request.read()

    async def send(self, request: UpstreamRequest) -> _Answer:
        return _Answer(_send(self._outgoing, self._outgoing.translated(request)))

    async def work(self, is_large: bool, function: Callable[..., Result], *values: Any) -> Result:
        return function(*values)

    async def each(self, function: Callable[[T], Coroutine[Any, Any, None]], values: Sequence[T]) -> None:
        if len(values) == 1:
            await function(values[0])
            return
        with ThreadPoolExecutor(len(values)) as threads:
            done = [threads.submit(_run, function(value)) for value in values]
        for each in done:
            each.result()


class _Answer:
    """An answer of the package; what is compressed, or was read by a hook, is read by way of the package."""

    def __init__(self, answer: Any) -> None:
        self.status: int = answer.status_code
        self.headers: list[tuple[bytes, bytes]] = answer.headers.raw
        self.extensions: dict[str, Any] = answer.extensions
        self._answer = answer
        is_plain = "content-encoding" not in answer.headers and not answer.is_stream_consumed
        self.pieces: Iterator[bytes] = iter(answer.stream if is_plain else answer.iter_bytes())

    async def read(self) -> bytes | None:
        return next(self.pieces, None)

    async def read_within(self, seconds: float) -> bytes | None:
        try:
            with _hanging_up(self.extensions, seconds):
                return next(self.pieces, None)
        except Exception:  # also one of the package's: what comes is not needed
            return None

    async def close(self) -> None:
        self._answer.close()


@contextmanager
def _hanging_up(extensions: dict[str, Any], seconds: float) -> Iterator[None]:
    """Shut a connection down if it takes longer: nothing else ends a read that blocks. HTTP/2 shares connections."""
    stream = None if extensions.get("http_version") == b"HTTP/2" else extensions.get("network_stream")
    connection = None if stream is None else stream.get_extra_info("socket")
    if connection is None:
        yield
        return
    timer = Timer(seconds, _shut_down, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Stream:
    """The body of an answer that is a stream."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __iter__(self) -> Iterator[bytes]:
        call = self._call
        while (frames := _run(call.pull())) is not None:
            yield from frames
            if (middle := call.middle()) is None:
                continue
            try:
                for data in middle.pieces:
                    if (frame := middle.take(data)) is None:
                        break
                    yield frame
            except Exception as error:
                call.broken(error)

    def close(self) -> None:
        """Hang up, unless the answer is complete."""
        _run(self._call.close())
