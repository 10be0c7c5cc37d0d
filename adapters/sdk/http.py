"""The HTTP client under a call, as a protocol; in a synchronous one, nothing is ever waited for by an event loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from .branch import UpstreamRequest

T = TypeVar("T")
Result = TypeVar("Result")


class Answer(Protocol):
    """An answer whose head has arrived."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Iterable[tuple[bytes, bytes]]: ...
    @property
    def extensions(self) -> dict[str, Any]:
        """What the HTTP package says of the connection."""
        ...

    @property
    def pieces(self) -> Any:
        """The iterator of the body, with which `read` reads; asynchronous if the client is."""
        ...

    async def read(self) -> bytes | None:
        """Return the next piece of the body, None at its end; raises the errors of the package."""
        ...

    async def read_within(self, seconds: float) -> bytes | None:
        """Do the same for what is not needed: None also if it does not come in time, or not at all."""
        ...

    async def close(self) -> None:
        """Close the connection if there is more to come."""
        ...


class Http(Protocol):
    """What a call needs of the world."""

    async def body(self) -> bytes:
        """Return the body of the client's request."""
        ...

    async def send(self, request: UpstreamRequest) -> Answer:
        """Send a request to the upstream; raises the errors of the package."""
        ...

    async def work(self, is_large: bool, function: Callable[..., Result], *values: Any) -> Result:
        """Call a function; if it has much to do, where others are not delayed."""
        ...

    async def each(self, function: Callable[[T], Coroutine[Any, Any, None]], values: Sequence[T]) -> None:
        """Call a function with each of the values, at once; return when all of them are done."""
        ...
