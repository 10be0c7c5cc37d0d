"""httpx2 and httpx, as `Upstream` needs them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from typing import Any

import anyio

from ..asgi.types import Headers
from ..limits import Limits
from .client import KEPT, WRITE, Content, Kinds, can_repeat, foreign_errors, patience


def new_client(name: str, limits: Limits) -> HttpxClient:
    """Return a client of the package *name*; proxies are those of the environment."""
    return HttpxClient(_client(name, 100), name, limits, lambda: _client(name, 0))


def _client(name: str, kept: int) -> Any:
    package = import_module(name)
    nobody = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    pool = package.Limits(max_connections=None, max_keepalive_connections=kept, keepalive_expiry=KEPT)
    return package.AsyncClient(limits=pool, cookies=nobody, follow_redirects=False)


class HttpxClient:
    """An `AsyncClient` of the package *name*.

    *fresh* makes one that keeps no connections; a caller's client has to do without.
    """

    def __init__(self, client: Any, name: str, limits: Limits, fresh: Callable[[], Any] | None = None) -> None:
        package = import_module(name)
        read = patience(limits)
        self._client = client
        self._make_fresh = fresh
        self._fresh: Any = None
        self._broken = (package.RemoteProtocolError, package.ReadError, package.WriteError)
        self._closing = limits.shutdown
        self._timeout = package.Timeout(connect=limits.connect, read=read, write=WRITE, pool=limits.connect)
        self._kinds = Kinds(
            unreachable=(package.ConnectTimeout, package.ConnectError),
            late=(package.TimeoutException,),
            lost=(package.HTTPError, package.InvalidURL, package.StreamError),
        )

    async def open(self, method: str, url: str, headers: Headers, content: Content) -> HttpxAnswer:
        """Send a request; the package adds what it always adds."""
        steps = _Steps()
        with foreign_errors(self._kinds):
            if can_repeat(content):
                try:
                    return await self._send(self._client, method, url, headers, content, steps)
                except self._broken:
                    if steps.was_opened:
                        raise
            return await self._send(self._new_client(), method, url, headers, content, steps)

    def _new_client(self) -> Any:
        if self._fresh is None and self._make_fresh is not None:
            self._fresh = self._make_fresh()
        return self._fresh or self._client

    async def _send(
        self, client: Any, method: str, url: str, headers: Headers, content: Content, steps: _Steps
    ) -> HttpxAnswer:
        told = {"timeout": self._timeout, "extensions": {"trace": steps.note}}
        request = client.build_request(method, url, headers=headers, content=content, **told)
        return HttpxAnswer(await client.send(request, stream=True), self._kinds, self._closing)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()
        if self._fresh is not None:
            await self._fresh.aclose()


class _Steps:
    """What the package tells of a request on its way: whether a connection was opened for it."""

    was_opened = False

    async def note(self, step: str, about: object) -> None:
        self.was_opened = self.was_opened or step.startswith("connection.")


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
