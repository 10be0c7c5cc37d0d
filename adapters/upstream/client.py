"""The HTTP client that `Upstream` needs, as a protocol, and how its errors are mapped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import anyio
from anyio.lowlevel import RunVar

from ...translator import TranslationError, UpstreamError
from ..asgi.types import Headers
from ..limits import Limits

HTTPX = ("httpx2", "httpx")
"""Two packages with the same API."""
KEEPALIVE_EXPIRY = 4.0
"""Seconds that an idle connection is kept: fewer than most servers keep theirs (uvicorn and vLLM: 5)."""
WRITE_TIMEOUT = 60.0
READ_MARGIN = 30.0

Content = bytes | AsyncIterable[bytes] | None


class Answer(Protocol):
    """An answer whose head has arrived and whose body is on its way."""

    @property
    def status(self) -> int:
        """The status."""
        ...

    @property
    def headers(self) -> Iterable[tuple[bytes, bytes]]:
        """The headers as received."""
        ...

    def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the body as it arrives, not decoded; when it is cut, raises UpstreamError after the last piece."""
        ...

    async def aclose(self) -> None:
        """Close the connection if there is more to come, so that the upstream stops; also during cancellation."""
        ...


class Client(Protocol):
    """A connection pool."""

    async def open(self, method: str, url: str, headers: Headers, content: Content) -> Answer:
        """Send a request with these headers, and `host`; raises UpstreamError, and what *content* raises.

        If a reused connection ends before the first byte of an answer, the upstream closed it while the request was on
        its way: the request is sent again, on a new connection. A request whose content cannot be repeated gets a new
        connection from the start.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class Clients:
    """One client for each event loop, made when it is first needed: connections belong to their loop."""

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make = make
        self._open: RunVar[tuple[Client, AsyncGenerator[None]] | None] = RunVar("client", None)

    async def get(self) -> Client:
        """Return the client of the running loop."""
        entry = self._open.get()
        if entry is None:
            client = self._make()
            entry = client, self._until_the_loop_ends(client)
            self._open.set(entry)
            await anext(entry[1])
        return entry[0]

    async def aclose(self) -> None:
        """Close the client of the running loop, if there is one."""
        entry = self._open.get()
        if entry is not None:
            await entry[1].aclose()

    async def _until_the_loop_ends(self, client: Client) -> AsyncGenerator[None]:
        """Both asyncio and trio close the generators that are open when a loop ends."""
        try:
            yield
        finally:
            self._open.set(None)
            with anyio.CancelScope(shield=True):
                await client.aclose()


def on_asyncio() -> bool:
    """Whether the event loop is asyncio's."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def read_timeout(limits: Limits) -> float:
    """Return how long to wait for any bytes. Only a last resort: the middleware has the exact deadlines."""
    return max(limits.first_byte, limits.idle) + READ_MARGIN


class ErrorClasses(NamedTuple):
    """The exceptions of an HTTP package, by meaning."""

    unreachable: tuple[type[Exception], ...]
    timeout: tuple[type[Exception], ...]
    disconnected: tuple[type[Exception], ...]


@contextmanager
def foreign_errors(classes: ErrorClasses) -> Iterator[None]:
    """Turn every exception of the HTTP package into UpstreamError, without its message, which may contain the URL."""
    try:
        yield
    except classes.unreachable as error:
        raise UpstreamError("The upstream cannot be reached.", code="upstream_unreachable") from error
    except classes.timeout as error:
        raise UpstreamError("The upstream took too long.", status=504, code="upstream_timeout") from error
    except classes.disconnected as error:
        if isinstance(error.__cause__, TranslationError):  # the request body could not be read
            raise error.__cause__ from None
        raise UpstreamError("The connection to the upstream was lost.", code="upstream_disconnected") from error


def can_repeat(content: Content) -> bool:
    """Whether a request with this content can be sent again."""
    return content is None or isinstance(content, bytes)


def cause(error: BaseException) -> str:
    """Return what went wrong, for the log: the class of the error, and that of its innermost cause with its errno."""
    inner = error
    while (below := inner.__cause__ or inner.__context__) is not None:
        inner = below
    names = dict.fromkeys((type(error).__name__, type(inner).__name__))
    number = getattr(inner, "errno", None)
    return ": ".join(names) + (f", errno {number}" if isinstance(number, int) else "")
