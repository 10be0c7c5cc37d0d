"""What all HTTP clients have in common."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from diglot.adapters import Upstream, http
from diglot.translator import BadRequest, BadUpstream


class Flood:
    """A client whose answer never pauses: nothing can be cancelled between two pieces."""

    status, headers, closed = 200, (), False

    async def open(self, *request: Any) -> "Flood":
        return self

    async def pieces(self) -> AsyncIterator[bytes]:
        while True:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.001)
            yield b"x"

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.anyio
async def test_client_leaves_a_flood(talk: Any) -> None:
    """When the client goes away, the answer is closed even if it never lets anything in between."""
    upstream = Upstream("http://127.0.0.1:9")
    flood = upstream._own = Flood()  # pyright: ignore[reportAttributeAccessIssue]
    one = talk(upstream, {})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run)
        await anyio.sleep(0.05)
        one.gone.set()
    assert flood.closed


def test_errors() -> None:
    """The exceptions of a package become ours, each with its own status; others stay what they are."""
    kinds = http.Kinds((ConnectionError,), (TimeoutError,), (OSError,))
    for error, status in ((ConnectionError("x"), 502), (TimeoutError("x"), 504), (OSError("x"), 502)):
        with pytest.raises(BadUpstream) as caught, http.foreign_errors(kinds):
            raise error
        assert caught.value.status == status
        assert "x" not in caught.value.message.split()
    with pytest.raises(KeyError), http.foreign_errors(kinds):
        raise KeyError
    with pytest.raises(BadRequest), http.foreign_errors(kinds):
        raise OSError from BadRequest("too much")


def test_cause() -> None:
    """The log learns the outermost and the innermost class, and the number, but no texts."""
    try:
        try:
            raise ConnectionRefusedError(111, "private")
        except OSError as error:
            raise RuntimeError("private") from error
    except RuntimeError as error:
        assert http.cause(error) == "RuntimeError: ConnectionRefusedError, errno 111"
    assert http.cause(KeyError("private")) == "KeyError"
