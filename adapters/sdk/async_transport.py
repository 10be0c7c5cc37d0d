"""The transport for asynchronous clients."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from ...translator import Profile
from ..middleware.record import Record
from ..middleware.routes import Api
from .base import BaseTransport, Outgoing
from .branch import UpstreamRequest
from .call import Call

T = TypeVar("T")
Result = TypeVar("Result")
_CLOSE = 1.0
"""Seconds that closing a connection may take, also when the caller is cancelled."""

if TYPE_CHECKING:
    import httpx
    import httpx2

    class _OfEither(httpx2.AsyncBaseTransport, httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: Any) -> Any: ...

else:
    _OfEither = object  # for type checkers, it is a transport of either package; these look at its methods only


class AsyncTransport(BaseTransport, _OfEither):
    """The transport for `AsyncClient(transport=...)`, on asyncio and trio; *inner* is an `AsyncClient` or a transport.

    Otherwise as `Transport`.

    >>> import httpx
    >>> client = httpx.AsyncClient(transport=AsyncTransport(profile="vllm"))
    """

    kind = "AsyncClient"

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

    async def __aenter__(self) -> AsyncTransport:
        """Return this transport."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close it."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        if self.inner is not None:
            await self.inner.aclose()

    async def handle_async_request(self, request: Any) -> Any:
        """Serve one request; called by the client."""
        outgoing = self.outgoing(request)
        endpoint = self.context.endpoint_of(outgoing.scope)
        if endpoint is None:
            return outgoing.refused(self.context) or await _send(outgoing, request, follow_redirects=False)
        call = Call(self.context, outgoing.scope, endpoint, _Http(outgoing), outgoing.errors)
        return outgoing.answered(await call.open(), "AsyncByteStream", _Stream, call)


async def _send(outgoing: Outgoing, request: Any, **settings: Any) -> Any:
    inner = outgoing.inner
    if outgoing.is_client:
        return await inner.send(request, stream=True, **settings)
    return await inner.handle_async_request(request)


class _Http:
    """An `Http` of an event loop."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    async def body(self) -> bytes:
        return await self._outgoing.request.aread()

    async def send(self, request: UpstreamRequest) -> _Answer:
        return _Answer(await _send(self._outgoing, self._outgoing.translated(request)))

    async def work(self, is_large: bool, function: Callable[..., Result], *values: Any) -> Result:
        return await anyio.to_thread.run_sync(function, *values) if is_large else function(*values)

    async def each(self, function: Callable[[T], Coroutine[Any, Any, None]], values: Sequence[T]) -> None:
        if len(values) == 1:
            await function(values[0])
            return
        try:
            async with anyio.create_task_group() as tasks:
                for value in values:
                    tasks.start_soon(function, value)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None


class _Answer:
    """An answer of the package; what is compressed, or was read by a hook, is read by way of the package."""

    def __init__(self, answer: Any) -> None:
        self.status: int = answer.status_code
        self.headers: list[tuple[bytes, bytes]] = answer.headers.raw
        self.extensions: dict[str, Any] = answer.extensions
        self._answer = answer
        is_plain = "content-encoding" not in answer.headers and not answer.is_stream_consumed
        self.pieces: AsyncIterator[bytes] = aiter(answer.stream if is_plain else answer.aiter_bytes())

    async def read(self) -> bytes | None:
        return await anext(self.pieces, None)

    async def read_within(self, seconds: float) -> bytes | None:
        try:
            with anyio.move_on_after(seconds):
                return await anext(self.pieces, None)
        except Exception:  # also one of the package's: what comes is not needed
            pass
        return None

    async def close(self) -> None:
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE):
            if isinstance(self.pieces, AsyncGenerator):
                with suppress(RuntimeError):  # another task is reading: its read ends with the connection
                    await self.pieces.aclose()
            await self._answer.aclose()


class _Stream:
    """The body of an answer that is a stream."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def __aiter__(self) -> AsyncIterator[bytes]:
        call = self._call
        while (frames := await call.pull()) is not None:
            for frame in frames:
                yield frame
            if (middle := call.middle()) is None:
                continue
            try:
                async for data in middle.pieces:
                    if (frame := middle.take(data)) is None:
                        break
                    yield frame
            except Exception as error:
                call.broken(error)

    async def aclose(self) -> None:
        """Hang up, unless the answer is complete."""
        await self._call.close()
