"""Clients with a transport, synchronous and asynchronous, with the same methods: a test is written once for all."""

import asyncio
import importlib
from collections.abc import Callable
from typing import Any

from diglot import async_http_client, http_client

KINDS = ("httpx2", "httpx", "httpx2 async", "httpx async")


class Talker:
    """A client of the package and kind that *kind* names; *inner* makes what is beneath, *settings* are ours."""

    def __init__(self, kind: str, inner: Callable[[Any, str], Any] | None = None, **settings: Any) -> None:
        name, _, mode = kind.partition(" ")
        self.package: Any = importlib.import_module(name)
        self.is_async = bool(mode)
        self.class_name = "AsyncClient" if mode else "Client"
        beneath = getattr(self.package, self.class_name)() if inner is None else inner(self.package, self.class_name)
        self.client: Any = (async_http_client if mode else http_client)(beneath, **settings)
        self._runner = asyncio.Runner() if mode else None

    def do(self, result: Any) -> Any:
        """What a method of the client returned, awaited if need be."""
        return result if self._runner is None else self._runner.run(_awaited(result))

    def post(self, url: str, body: Any, **more: Any) -> Any:
        return self.do(self.client.post(url, json=body, **more))

    def get(self, url: str, **more: Any) -> Any:
        return self.do(self.client.get(url, **more))

    def open(self, url: str, body: Any, **more: Any) -> Any:
        """An answer whose body was not read yet."""
        request = self.client.build_request("POST", url, json=body, **more)
        return self.do(self.client.send(request, stream=True))

    def next(self, pieces: Any) -> bytes:
        return self.do(anext(pieces)) if self.is_async else next(pieces)

    def pieces(self, answer: Any) -> Any:
        self._pieces = answer.aiter_bytes() if self.is_async else answer.iter_bytes()  # kept: it ends if it is garbage
        return self._pieces

    def close(self, answer: Any) -> None:
        self.do(answer.aclose() if self.is_async else answer.close())

    def run(self, work: Callable[[], Any]) -> Any:
        """Run an asynchronous function on the loop of this client."""
        assert self._runner is not None
        return self._runner.run(work())

    def end(self) -> None:
        if self._runner is None:
            self.client.close()
        else:
            self._runner.run(self.client.aclose())
            self._runner.close()


async def _awaited(result: Any) -> Any:
    return await result
