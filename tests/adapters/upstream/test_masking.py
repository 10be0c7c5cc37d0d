"""An upstream that repeats the server's key in an error does not give it to clients."""

import itertools
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from diglot.adapters import Limits, Upstream
from diglot.adapters.upstream.masking import Masking

from raw_server import Server

pytestmark = pytest.mark.anyio

KEY = b"sk-of-the-server"
STARS = b"*" * len(KEY)
CREDENTIALS = [(b"authorization", b"Bearer " + KEY)]


@pytest.fixture
def server() -> Iterator[Server]:
    """A raw HTTP server."""
    one = Server()
    yield one
    one.stop()


async def cut(text: bytes, *places: int) -> AsyncGenerator[bytes]:
    for start, end in itertools.pairwise((0, *places, len(text))):
        yield text[start:end]


async def test_wherever_it_is_cut() -> None:
    """The key is found in pieces, too; everything else arrives, also what only begins like it, and as many bytes."""
    text = b"A wrong key: " + KEY + b"; " + KEY + b"; " + KEY[:5]
    masked = text.replace(KEY, STARS)
    masking = Masking(CREDENTIALS)
    for places in itertools.combinations(range(0, len(text), 3), 2):
        assert b"".join([piece async for piece in masking.pieces(cut(text, *places))]) == masked
    assert [piece async for piece in masking.pieces(cut(b""))] == []


async def test_what_waits() -> None:
    """Nothing but the beginning of a key: an answer may go on much later."""
    masking = Masking(CREDENTIALS)
    for text, sent in ((b"data: {}\n\n", b"data: {}\n\n"), (KEY, STARS), (b"a sk-of", b"a "), (b"ass", b"as")):
        async with aclosing(cut(text + b"!", len(text))) as raw, aclosing(masking.pieces(raw)) as pieces:
            assert await anext(pieces) == sent


async def test_several_credentials() -> None:
    """One that is the beginning of another leaves nothing of it."""
    longer = KEY + b"-and-more"
    for secrets in ([KEY, longer], [longer, KEY]):
        masking = Masking([(b"authorization", b"Bearer " + secret) for secret in secrets])
        assert masking.headers([(b"x-why", longer)]) == [(b"x-why", b"*" * len(longer))]


def test_what_is_looked_for() -> None:
    """Credentials that are no words, in errors and redirects."""
    assert [Masking(CREDENTIALS).applies(status) for status in (200, 299, 300, 503)] == [False, False, True, True]
    for credentials in ([], [(b"authorization", b"Bearer none")]):
        assert not Masking(credentials).applies(401)


@pytest.mark.parametrize(
    ("user", "credentials", "key"),
    [("", CREDENTIALS, KEY), ("bob:password@", [], b"Ym9iOnBhc3N3b3Jk"), ("", [], b"")],
    ids=["key", "user", "none"],
)
async def test_an_error_that_repeats_it(
    talk: Any, server: Server, user: str, credentials: list[tuple[bytes, bytes]], key: bytes
) -> None:
    """In a header, and in the body; without a key of the server, the client's own is repeated as it is."""
    said = b"You sent: " + (key or KEY)
    server.reply = [
        b"HTTP/1.1 401 No\r\nconnection: close\r\nx-why: %b\r\ncontent-length: %d\r\n\r\n" % (said, len(said))
    ]
    server.reply += [said[:15], said[15:]]
    app = Upstream(server.url.replace("://", f"://{user}"), limits=Limits(), credentials=credentials)
    got = await talk(app, {}, path="/v1/files").run()
    await app.aclose()
    told = said.replace(key, b"*" * len(key)) if key else said
    assert (got.status, bytes(got.body), got.headers["x-why"]) == (401, told, told.decode())


async def test_a_redirect_that_repeats_the_query(talk: Any, server: Server) -> None:
    """Many servers do that for a path with a slash too many; what is no credential stays."""
    where = b"location: /v1/files?api-version=2024-10-21&api-key="
    server.reply = [b"HTTP/1.1 307 No\r\nconnection: close\r\n%b%b\r\ncontent-length: 0\r\n\r\n" % (where, KEY)]
    app = Upstream(f"{server.url}?api-version=2024-10-21&api-key={KEY.decode()}", limits=Limits())
    got = await talk(app, path="/v1/files/", method="GET", headers={"accept-encoding": "gzip"}).run()
    await app.aclose()
    assert f"api-key={KEY.decode()} " in server.line
    assert f"location: {got.headers['location']}".encode() == where + STARS
    assert server.head["accept-encoding"] == "identity"
