"""aiohttp as the client of `Upstream`: the cheapest one."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncGenerator, Callable, Iterable
from ssl import SSLContext, create_default_context
from typing import Any

import aiohttp
import certifi
from aiohttp.http import HttpProcessingError
from yarl import URL

from ..asgi.types import Headers
from ..limits import Limits
from .client import KEEPALIVE_EXPIRY, WRITE_TIMEOUT, Content, ErrorClasses, can_repeat, foreign_errors, read_timeout

_ERRORS = ErrorClasses(
    unreachable=(aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError),
    timeout=(asyncio.TimeoutError,),
    disconnected=(aiohttp.ClientError, HttpProcessingError, OSError),
)
_NO_AUTO_HEADERS = ("accept", "accept-encoding", "content-type", "user-agent")
_MAX_HEADER = 65536  # as much as other clients allow for a header
_LARGE_BODY = 2**20  # above it, aiohttp wants a file, which it writes piece by piece


def new_client(url: str, limits: Limits) -> AiohttpClient:
    """Return a client that ignores the environment: a password in .netrc is not meant for these requests."""
    ssl = _ssl_context() if url.startswith("https:") else True
    session = _session(aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_EXPIRY, ssl=ssl))
    return AiohttpClient(session, limits, lambda: _session(aiohttp.TCPConnector(limit=0, force_close=True, ssl=ssl)))


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    no_cookies = aiohttp.DummyCookieJar()
    return aiohttp.ClientSession(connector=connector, cookie_jar=no_cookies, skip_auto_headers=_NO_AUTO_HEADERS)


def _ssl_context() -> SSLContext:
    """Trust what httpx trusts: SSL_CERT_FILE, SSL_CERT_DIR, or certifi, since many containers have no certificates."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if folder and not file:
        context = create_default_context(capath=folder)
    else:
        context = create_default_context(cafile=file or certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


class AiohttpClient:
    """Wraps a `ClientSession`; settings go with each request, because the session may be the caller's.

    *fresh* makes a session that keeps no connections; there is none beside a caller's session.
    """

    def __init__(self, session: Any, limits: Limits, fresh: Callable[[], aiohttp.ClientSession] | None = None) -> None:
        read = read_timeout(limits)
        session.trace_configs.append(_TRACE)
        self._session = session
        self._make_fresh = fresh
        self._fresh: aiohttp.ClientSession | None = None
        self._settings: dict[str, Any] = {
            "allow_redirects": False,
            "auto_decompress": False,
            "max_field_size": _MAX_HEADER,
            "max_line_size": _MAX_HEADER,
            "timeout": aiohttp.ClientTimeout(total=None, connect=limits.connect, sock_read=read),
        }
        self._head_timeout = limits.connect + WRITE_TIMEOUT + read  # aiohttp itself has no write timeout

    async def open(self, method: str, url: str, headers: Headers, content: Content) -> AiohttpAnswer:
        """Send a request. aiohttp encodes headers in UTF-8, so they are decoded first."""
        connection = _Connection()
        with foreign_errors(_ERRORS):
            if can_repeat(content):
                try:
                    return await self._send(self._session, method, url, headers, content, connection)
                except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                    if not (connection.is_reused and _is_without_answer(error)):
                        raise
            return await self._send(self._new_session(), method, url, headers, content, connection)

    def _new_session(self) -> Any:
        if self._fresh is None and self._make_fresh is not None:
            self._fresh = self._make_fresh()
        return self._fresh or self._session

    async def _send(
        self, session: Any, method: str, url: str, headers: Headers, content: Content, connection: _Connection
    ) -> AiohttpAnswer:
        named = [(_decoded(name), _decoded(value)) for name, value in headers]
        target = URL(url, encoded=url.isascii())
        data = io.BytesIO(content) if isinstance(content, bytes) and len(content) > _LARGE_BODY else content
        settings = {**self._settings, "trace_request_ctx": connection}
        async with asyncio.timeout(self._head_timeout if can_repeat(content) else None):
            return AiohttpAnswer(await session.request(method, target, headers=named, data=data, **settings))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()
        if self._fresh is not None:
            await self._fresh.close()


class _Connection:
    """What aiohttp reports about the connection of a request."""

    is_reused = False


async def _note_reuse(session: object, context: Any, params: object) -> None:
    if isinstance(context.trace_request_ctx, _Connection):  # the caller's own requests come through here, too
        context.trace_request_ctx.is_reused = True


_TRACE = aiohttp.TraceConfig()
_TRACE.on_connection_reuseconn.append(_note_reuse)
_TRACE.freeze()


def _is_without_answer(error: Exception) -> bool:
    """Whether no byte arrived; otherwise the message of the error is the head of an answer."""
    return not isinstance(error, aiohttp.ServerDisconnectedError) or isinstance(error.message, str)


class AiohttpAnswer:
    """Wraps a `ClientResponse`."""

    def __init__(self, answer: Any) -> None:
        self.status: int = answer.status
        self.headers: Iterable[tuple[bytes, bytes]] = answer.raw_headers
        self._answer = answer

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the bytes of each read."""
        content = self._answer.content
        with foreign_errors(_ERRORS):
            try:
                while piece := await content.readany():
                    yield piece
            except Exception:
                if rest := content._read_nowait(-1):  # it came before the cut, but aiohttp raises the error first
                    yield rest
                raise

    async def aclose(self) -> None:
        """Close the connection, unless everything was read and it is back in the pool."""
        self._answer.close()


def _decoded(header: bytes) -> str:
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")
