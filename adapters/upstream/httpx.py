"""httpx2 and httpx as clients of `Upstream`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from typing import Any

import anyio

from ..asgi.types import Headers
from ..limits import Limits
from .client import KEEPALIVE_EXPIRY, WRITE_TIMEOUT, Content, ErrorClasses, can_repeat, foreign_errors, read_timeout


def new_client(name: str, limits: Limits) -> HttpxClient:
    """Return a client of the package *name*, with the proxies of the environment."""
    return HttpxClient(_client(name, 100), name, limits, lambda: _client(name, 0))


def _client(name: str, keepalive: int) -> Any:
    package = import_module(name)
    no_cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    pool = package.Limits(max_connections=None, max_keepalive_connections=keepalive, keepalive_expiry=KEEPALIVE_EXPIRY)
    return package.AsyncClient(limits=pool, cookies=no_cookies, follow_redirects=False)


class HttpxClient:
    """Wraps an `AsyncClient` of the package *name*.

    *fresh* makes one that keeps no connections; there is none beside a caller's client.
    """

    def __init__(self, client: Any, name: str, limits: Limits, fresh: Callable[[], Any] | None = None) -> None:
        package = import_module(name)
        read = read_timeout(limits)
        self._client = client
        self._make_fresh = fresh
        self._fresh: Any = None
        self._retryable = (package.RemoteProtocolError, package.ReadError, package.WriteError)
        self._close_timeout = limits.shutdown
        self._timeout = package.Timeout(connect=limits.connect, read=read, write=WRITE_TIMEOUT, pool=limits.connect)
        self._errors = ErrorClasses(
            unreachable=(package.ConnectTimeout, package.ConnectError),
            timeout=(package.TimeoutException,),
            disconnected=(package.HTTPError, package.InvalidURL, package.StreamError),
        )

    async def open(self, method: str, url: str, headers: Headers, content: Content) -> HttpxAnswer:
        """Send a request; the package adds its own default headers."""
        trace = _Trace()
        with foreign_errors(self._errors):
            if can_repeat(content):
                try:
                    return await self._send(self._client, method, url, headers, content, trace)
                except self._retryable:
                    if trace.opened_connection:
                        raise
            return await self._send(self._new_client(), method, url, headers, content, trace)

    def _new_client(self) -> Any:
        if self._fresh is None and self._make_fresh is not None:
            self._fresh = self._make_fresh()
        return self._fresh or self._client

    async def _send(
        self, client: Any, method: str, url: str, headers: Headers, content: Content, trace: _Trace
    ) -> HttpxAnswer:
        settings = {"timeout": self._timeout, "extensions": {"trace": trace.note}}
        request = client.build_request(method, url, headers=headers, content=content, **settings)
        return HttpxAnswer(await client.send(request, stream=True), self._errors, self._close_timeout)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()
        if self._fresh is not None:
            await self._fresh.aclose()


class _Trace:
    """Notes whether a connection was opened for a request."""

    opened_connection = False

    async def note(self, step: str, about: object) -> None:
        self.opened_connection = self.opened_connection or step.startswith("connection.")


class HttpxAnswer:
    """Wraps a `Response`."""

    def __init__(self, answer: Any, errors: ErrorClasses, close_timeout: float) -> None:
        self.status: int = answer.status_code
        self.headers: Headers = answer.headers.raw
        self._answer = answer
        self._close_timeout = close_timeout
        self._errors = errors

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the body as it arrives, not decoded."""
        with foreign_errors(self._errors):
            async with aclosing(self._answer.aiter_raw()) as pieces:
                async for piece in pieces:
                    yield piece

    async def aclose(self) -> None:
        """Close the connection if there is more to come, but wait only briefly."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(self._close_timeout):
            await self._answer.aclose()
