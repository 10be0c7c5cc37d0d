"""Which HTTP client it is."""

import importlib

import pytest

from diglot.adapters import Limits, http
from diglot.translator import BadUpstream

pytestmark = pytest.mark.anyio


async def test_the_maintained_one_is_preferred() -> None:
    """Without a client of the caller's, it is one of httpx2 where that is installed."""
    client = http.new_client(Limits())
    assert type(client).__module__.startswith("httpx2")
    await client.aclose()


@pytest.mark.parametrize("name", http.PACKAGES)
async def test_errors_of_both(name: str) -> None:
    """The exceptions of both packages become ours, each with its own status; others stay what they are."""
    package = importlib.import_module(name)

    class Own(package.AsyncClient):
        pass

    async with Own() as client:
        for error, status in (
            (package.ConnectTimeout("x"), 502),
            (package.ConnectError("x"), 502),
            (package.ReadTimeout("x"), 504),
            (package.ReadError("x"), 502),
            (package.InvalidURL("x"), 502),
        ):
            with pytest.raises(BadUpstream) as caught, http.foreign_errors(client):
                raise error
            assert caught.value.status == status
            assert "x" not in caught.value.message.split()
        with pytest.raises(KeyError), http.foreign_errors(client):
            raise KeyError


def test_no_client() -> None:
    """An object that is no client of either is refused with words."""
    with pytest.raises(TypeError, match="httpx2 or httpx"), http.foreign_errors(object()):  # pyright: ignore[reportArgumentType]
        pass


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
