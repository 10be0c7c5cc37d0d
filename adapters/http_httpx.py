"""httpx2 and httpx, as `Upstream` needs them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from typing import Any

import anyio

from .asgi_types import Headers
from .http import KEPT, WRITE, Content, Kinds, foreign_errors, patience
from .limits import Limits


def new_client(name: str, limits: Limits) -> HttpxClient:
    """Return a client of the package *name*; proxies are those of the environment."""
    package = import_module(name)
    nobody = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    pool = package.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=KEPT)
    return HttpxClient(package.AsyncClient(limits=pool, cookies=nobody, follow_redirects=False), name, limits)


class HttpxClient:
    """An `AsyncClient` of the package *name*."""

    def __init__(self, client: Any, name: str, limits: Limits) -> None:
        package = import_module(name)
        read = patience(limits)
        self._client = client
        self._closing = limits.shutdown
        self._timeout = package.Timeout(connect=limits.connect, read=read, write=WRITE, pool=limits.connect)
        self._kinds = Kinds(
            unreachable=(package.ConnectTimeout, package.ConnectError),
            late=(package.TimeoutException,),
            lost=(package.HTTPError, package.InvalidURL, package.StreamError),
        )

    async def open(self, method: str, url: str, headers: Headers, content: Content) -> HttpxAnswer:
        """Send a request; the package adds what it always adds."""
        with foreign_errors(self._kinds):
            request = self._client.build_request(method, url, headers=headers, content=content, timeout=self._timeout)
            return HttpxAnswer(await self._client.send(request, stream=True), self._kinds, self._closing)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


class HttpxAnswer:
    """A `Response`."""

    def __init__(self, answer: Any, kinds: Kinds, closing: float) -> None:
        self.status: int = answer.status_code
        self.headers: Headers = answer.headers.raw
        self._answer = answer
        self._closing = closing
        self._kinds = kinds

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the body as it arrives, not decoded."""
        with foreign_errors(self._kinds):
            async with aclosing(self._answer.aiter_raw()) as pieces:
                async for piece in pieces:
                    yield piece

    async def aclose(self) -> None:
        """Close the connection if there is more to come, but do not wait for long."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(self._closing):
            await self._answer.aclose()
