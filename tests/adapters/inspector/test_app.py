"""The inspector around an application."""

import json
import logging
from typing import Any

import pytest

from diglot.adapters import TranslationMiddleware
from diglot.adapters.inspector import Inspector
from diglot.adapters.inspector.app import PATH, checked_path, link

pytestmark = pytest.mark.anyio
ASK = {"model": "m", "input": "hi", "truncation": "auto"}
TOKEN = "the-token"


@pytest.fixture
def look(talk: Any) -> Any:
    """A browser on this machine that has come in, or has not."""

    async def looked(app: Any, path: str, *, cookie: bool = True, root: str = "", **scope: Any) -> Any:
        query = scope.pop("query_string", b"")
        headers = {"host": "localhost", **scope.pop("headers", {})}
        if cookie:
            home = await looked(app, f"{app.path}/", cookie=False, root=root, query_string=f"token={TOKEN}".encode())
            headers["cookie"] = home.headers["set-cookie"].partition(";")[0]
        method = scope.pop("method", "GET")
        asked = talk(app, path=root + path, headers=headers, method=method, query_string=query, scheme="http", **scope)
        asked.scope |= {"root_path": root, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}
        return await asked.run()

    return looked


async def nothing(*connection: Any) -> None:
    """An application that is not asked."""


async def served(talk: Any, app: Any) -> None:
    assert (await talk(app, ASK).run()).status == 200


async def test_mounted(talk: Any, chat: Any, completion: bytes, look: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Around a middleware it serves both: the clients, and whoever has the link; each visit is logged."""
    app = Inspector(TranslationMiddleware(chat(completion, kind="application/json")), token=TOKEN)
    await served(talk, app)
    with caplog.at_level(logging.WARNING, "diglot"):
        page = await look(app, "/_diglot/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert b"inspector.js" in page.body
    assert [record.getMessage() for record in caplog.records] == ["The inspector was opened by 127.0.0.1"]
    shown = (await look(app, "/_diglot/exchanges/1")).json
    assert (shown["model"], shown["outcome"], len(shown["upstream"])) == ("m", "completed", 1)
    assert json.loads(shown["client"]["request"]["text"]) == ASK
    assert "diglot-losses" in [name for name, _ in shown["client"]["answer"]["headers"]]
    assert (await look(app, "/_diglot/exchanges/2")).status == 404


@pytest.mark.parametrize(
    "path", ["/_diglot/", "/_diglot/inspector.js", "/_diglot/exchanges/1", "/_diglot/events", "/_diglot"]
)
async def test_without_the_link(look: Any, path: str) -> None:
    """There is nothing to see: no page, no script, no data."""
    app = Inspector(TranslationMiddleware(nothing))
    got = await look(app, path, cookie=False)
    assert (got.status, got.headers["cache-control"]) == (401, "no-store")
    got = await look(app, path, cookie=False, query_string=b"token=wrong")
    assert got.status == 401


async def test_foreign_hosts(look: Any) -> None:
    """A page of strangers that points its name at this machine gets nothing, not even for the token."""
    app = Inspector(TranslationMiddleware(nothing), token=TOKEN)
    for query in (b"", b"token=the-token"):
        got = await look(app, "/_diglot/", cookie=False, headers={"host": "evil.example"}, query_string=query)
        assert (got.status, "set-cookie" in got.headers) == (403, False)


async def test_below_a_root_path(look: Any, talk: Any) -> None:
    """A host may serve all of it below a path of its own."""
    app = Inspector(TranslationMiddleware(nothing), "/look/inside/", token=TOKEN)
    assert app.path == "/look/inside"
    assert (await look(app, "/look/inside/about", root="/sub")).json["workers"] == 1
    bare = await look(app, "/look/inside", root="/sub")
    assert (bare.status, bare.headers["location"]) == (307, "/sub/look/inside/")


async def test_the_printed_link(capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed once, unless the host has a token of its own."""
    Inspector(TranslationMiddleware(nothing), token=TOKEN)
    assert capsys.readouterr() == ("", "")
    Inspector(TranslationMiddleware(nothing))
    printed = capsys.readouterr().err
    assert printed.startswith(f"Inspector: {PATH}/?token=")
    assert link("http://h/x", "t") == "http://h/x/?token=t"


@pytest.mark.parametrize(
    ("connection", "is_own"),
    [
        ({"type": "http", "path": "/_diglot"}, True),
        ({"type": "http", "path": "/_diglot/v1/responses"}, True),
        ({"type": "http", "path": "/sub/_diglot/x", "root_path": "/sub"}, True),
        ({"type": "http", "path": "/sub/_diglot/x"}, False),
        ({"type": "http", "path": "/_diglots"}, False),
        ({"type": "http", "path": "//_diglot/"}, False),
        ({"type": "websocket", "path": "/_diglot/"}, False),
        ({"type": "lifespan"}, False),
    ],
)
async def test_what_it_owns(connection: Any, is_own: bool) -> None:
    """Requests at its path and below."""
    assert Inspector(nothing, token=TOKEN).owns(connection) == is_own


async def test_other_connections() -> None:
    """A lifespan is the application's."""
    reached: list[Any] = []

    async def app(*connection: Any) -> None:
        reached.append(connection)

    await Inspector(app, token=TOKEN)({"type": "lifespan"}, reached.append, reached.append)  # pyright: ignore
    assert len(reached) == 1


async def test_a_local_socket(talk: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A client without an address is on this machine."""
    app = Inspector(TranslationMiddleware(nothing), token=TOKEN)
    scope = {"client": None, "scheme": "http", "server": None}
    first = await talk(
        app, path="/_diglot/", method="GET", headers={"host": "localhost"}, query_string=b"token=the-token", **scope
    ).run()
    headers = {"host": "localhost", "cookie": first.headers["set-cookie"].partition(";")[0]}
    assert (await talk(app, path="/_diglot/", method="GET", headers=headers, **scope).run()).status == 200
    assert "a local client" in caplog.text


@pytest.mark.parametrize("path", ["", "/", "x", "/a b", "/a//b", "/a/../b", "/a?b", "/" + "x" * 999 + " "])
async def test_paths(path: str) -> None:
    """What is no path is refused at the start."""
    with pytest.raises(ValueError, match="is not a path such as /_diglot"):
        checked_path(path)
