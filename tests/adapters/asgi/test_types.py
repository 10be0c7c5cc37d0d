"""Reading and dropping headers."""

from typing import Any

import pytest

from diglot.adapters.asgi.types import beginning_with, header, without


def test_header() -> None:
    """A header is found by its lower-case name; one that is missing is empty."""
    scope = {"headers": [(b"a", b"1"), (b"b", b"2")]}
    assert (header(scope, b"b"), header(scope, b"c")) == (b"2", b"")


def test_without() -> None:
    """Hop-by-hop headers go, those that `connection` names go with them, and names become lower case."""
    headers = [(b"Connection", b"close, X-Mine"), (b"x-mine", b"1"), (b"TE", b"x"), (b"Keep", b"me"), (b"drop", b"it")]
    assert without(headers, {b"drop"}) == [(b"keep", b"me")]


def test_names_that_are_the_same_elsewhere() -> None:
    """CGI and WSGI do not tell `_` from `-`, so the former is no way around; a name of its own may have it."""
    headers = [(b"content_length", b"0"), (b"Transfer_Encoding", b"chunked"), (b"proxy_authorization", b"x")]
    assert without([*headers, (b"x_own", b"1")], {b"content-length"}) == [(b"x_own", b"1")]


@pytest.mark.anyio
async def test_beginning_with() -> None:
    """The messages that are there already come first."""

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    first = beginning_with([{"type": "http.request"}], receive)
    assert [(await first())["type"] for _ in range(3)] == ["http.request", "http.disconnect", "http.disconnect"]
