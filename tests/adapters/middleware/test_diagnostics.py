"""What is said when the upstream's answer is none."""

from typing import Any

import pytest

pytestmark = pytest.mark.anyio

PAGE = b"<!doctype html><title>Welcome</title>"
MANY = "The upstream's answer holds more than 1,000,000 JSON values."
NOT_ALLOWED = b'{"detail":"Method Not Allowed"}'


@pytest.mark.parametrize("streams", [False, True])
async def test_a_page(side: Any, chat: Any, streams: bool) -> None:
    """A web page instead of an answer is the wrong URL."""
    got = await side.talk(chat(PAGE, kind="text/html; x=y"), {**side.ask, "stream": streams}).run()
    assert got.status == 502
    answer_kind = "a chat completion" if side.is_chat else "a Response"
    assert got.error["message"] == f"The upstream answered with text/html, not with {answer_kind}: is the URL right?"


async def test_redirect(side: Any, chat: Any) -> None:
    """A redirect says where to, without what may be private."""
    app = chat(status=307, headers={"location": "https://me:key@host:1/v1/chat?token=t#f"})
    got = await side.talk(app, side.ask).run()
    assert got.status == 502
    assert got.error["message"] == ("The upstream redirects to https://host:1/v1/chat; use that URL as the upstream.")


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("body", [b"", PAGE, b"404 page not found", b'{"detail":"Not Found."}', NOT_ALLOWED])
async def test_no_such_path(side: Any, chat: Any, body: bytes, status: int) -> None:
    """A 404 that does not speak of a model means the path, and so does a path that is there for GET only."""
    got = await side.talk(chat(body, status=status), side.ask).run()
    said = f"There is no POST {side.theirs} behind this server (the upstream answered {status})"
    assert (got.status, got.error["message"]) == (status, f"{said}: are the URL and the upstream_api right?")


@pytest.mark.parametrize("status", [404, 405])
async def test_no_such_model(side: Any, chat: Any, status: int) -> None:
    """What has words of its own keeps them."""
    got = await side.talk(chat(b'{"error":{"message":"no model m"}}', status=status), side.ask).run()
    assert (got.status, got.error["message"]) == (status, "no model m")


@pytest.mark.parametrize("body", [b"", b"{}", PAGE])
async def test_errors_without_words(side: Any, chat: Any, body: bytes) -> None:
    """An error without words has its number at least."""
    got = await side.talk(chat(body, status=503), side.ask).run()
    assert got.status == 503
    assert got.error["message"].endswith("(the upstream answered 503).")


@pytest.mark.parametrize("status", [600, 999])
@pytest.mark.parametrize("streams", [False, True])
async def test_a_status_that_is_none(side: Any, chat: Any, status: int, streams: bool) -> None:
    """A number that no HTTP server may send is not passed on."""
    got = await side.talk(chat(b"x", status=status), {**side.ask, "stream": streams}).run()
    assert got.status == 502


@pytest.mark.parametrize("streams", [False, True])
async def test_too_many_values(side: Any, chat: Any, streams: bool) -> None:
    """What would take too much memory is no answer, and the error says what the limit is."""
    app = chat(b'{"x":[%b0]}' % (b"0," * 1_000_000), kind="application/json")
    got = await side.talk(app, {**side.ask, "stream": streams}).run()
    assert (got.status, got.error["message"]) == (502, MANY)
