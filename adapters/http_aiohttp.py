"""aiohttp, as `Upstream` needs it: the client that costs the least."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncGenerator
from ssl import SSLContext, create_default_context
from typing import Any

import aiohttp
import certifi
from aiohttp.http import HttpProcessingError
from yarl import URL

from .asgi_types import Headers
from .http import KEPT, WRITE, Content, Kinds, foreign_errors, patience
from .limits import Limits

_KINDS = Kinds(
    unreachable=(aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError),
    late=(asyncio.TimeoutError,),
    lost=(aiohttp.ClientError, HttpProcessingError, OSError),
)
_NOT_ADDED = ("accept", "accept-encoding", "content-type", "user-agent")
_LINE = 65536  # as much as other clients allow for a header
_LARGE = 2**20  # above it, aiohttp wants a file, and writes it piece by piece


def new_client(url: str, limits: Limits) -> AiohttpClient:
    """Return a client that knows nothing of the environment: a password in .netrc is not the client's."""
    encrypted = url.startswith("https:")
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT, ssl=_ssl_context() if encrypted else True)
    nobody = aiohttp.DummyCookieJar()
    return AiohttpClient(
        aiohttp.ClientSession(connector=connector, cookie_jar=nobody, skip_auto_headers=_NOT_ADDED), limits
    )


def _ssl_context() -> SSLContext:
    """The certificates that httpx trusts: SSL_CERT_FILE, SSL_CERT_DIR, or certifi's; many containers have no others."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if folder and not file:
        context = create_default_context(capath=folder)
    else:
        context = create_default_context(cafile=file or certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


class AiohttpClient:
    """A `ClientSession`; what the answer's bytes depend on is said with each request, for those of the caller's."""

    def __init__(self, session: Any, limits: Limits) -> None:
        read = patience(limits)
        self._session = session
        self._settings: dict[str, Any] = {
            "allow_redirects": False,
            "auto_decompress": False,
            "max_field_size": _LINE,
            "max_line_size": _LINE,
            "timeout": aiohttp.ClientTimeout(total=None, connect=limits.connect, sock_read=read),
        }
        self._answered = limits.connect + WRITE + read  # aiohttp itself would write for ever

    async def open(self, method: str, url: str, headers: Headers, content: Content) -> AiohttpAnswer:
        """Send a request. aiohttp writes headers in UTF-8: others, of which there are none, it changes."""
        named = [(_text(name), _text(value)) for name, value in headers]
        target = URL(url, encoded=url.isascii())
        whole = content is None or isinstance(content, bytes)
        data = io.BytesIO(content) if isinstance(content, bytes) and len(content) > _LARGE else content
        with foreign_errors(_KINDS):
            async with asyncio.timeout(self._answered if whole else None):
                answer = await self._session.request(method, target, headers=named, data=data, **self._settings)
        return AiohttpAnswer(answer)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()


class AiohttpAnswer:
    """A `ClientResponse`."""

    def __init__(self, answer: Any) -> None:
        self.status: int = answer.status
        self.headers = answer.raw_headers
        self._answer = answer

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield what each read of the socket has brought."""
        content = self._answer.content
        with foreign_errors(_KINDS):
            try:
                while piece := await content.readany():
                    yield piece
            except Exception:
                if rest := content._read_nowait(-1):  # it came before the cut, but the error is first in line
                    yield rest
                raise

    async def aclose(self) -> None:
        """Close the connection, unless all has been read: then it is back in the pool."""
        self._answer.close()


def _text(header: bytes) -> str:
    try:
        return header.decode()
    except UnicodeDecodeError:
        return header.decode("latin-1")
