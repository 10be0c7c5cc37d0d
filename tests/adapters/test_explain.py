"""What is said when the upstream's answer is none."""

from typing import Any

import pytest

from diglot.adapters import ResponsesMiddleware, explain

pytestmark = pytest.mark.anyio

ASK = {"model": "m", "input": "hi"}
PAGE = b"<!doctype html><title>Welcome</title>"
NO_PATH = "There is no POST /v1/chat/completions behind this server (the upstream answered 404)."


@pytest.mark.parametrize("streams", [False, True])
async def test_a_page(talk: Any, chat: Any, streams: bool) -> None:
    """A web page instead of an answer is the wrong URL."""
    got = await talk(ResponsesMiddleware(chat(PAGE, kind="text/html; x=y")), {**ASK, "stream": streams}).run()
    assert got.status == 502
    said = "The upstream answered with text/html, not with a chat completion: is the URL right?"
    assert got.error["message"] == said


async def test_redirect(talk: Any, chat: Any) -> None:
    """A redirect says where to, without what may be private."""
    app = chat(status=307, headers={"location": "https://me:key@host:1/v1/chat?token=t#f"})
    got = await talk(ResponsesMiddleware(app), ASK).run()
    assert got.status == 502
    assert got.error["message"] == ("The upstream redirects to https://host:1/v1/chat; give that URL as the upstream.")


@pytest.mark.parametrize("body", [b"", PAGE, b"404 page not found", b'{"detail":"Not Found"}'])
async def test_no_such_path(talk: Any, chat: Any, body: bytes) -> None:
    """A 404 that does not speak of a model means the path."""
    got = await talk(ResponsesMiddleware(chat(body, status=404)), ASK).run()
    assert (got.status, got.error["message"]) == (404, NO_PATH)


@pytest.mark.parametrize("body", [b"", b"{}", PAGE])
async def test_errors_without_words(talk: Any, chat: Any, body: bytes) -> None:
    """An error without words has its number at least."""
    got = await talk(ResponsesMiddleware(chat(body, status=503)), ASK).run()
    assert got.status == 503
    assert got.error["message"].endswith("(the upstream answered 503).")


@pytest.mark.parametrize("status", [600, 999])
@pytest.mark.parametrize("streams", [False, True])
async def test_a_status_that_is_none(talk: Any, chat: Any, status: int, streams: bool) -> None:
    """A number that no HTTP server may send is not passed on."""
    got = await talk(ResponsesMiddleware(chat(b"x", status=status)), {**ASK, "stream": streams}).run()
    assert got.status == 502


def test_place() -> None:
    """A URL that is none is not shown."""
    assert explain.place("http://[x") == ""
    assert explain.place("/v1/x?a=b") == "/v1/x"
