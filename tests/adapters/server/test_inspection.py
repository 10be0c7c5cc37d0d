"""The inspector of the server."""

import os
import subprocess
import sys
from typing import Any

import pytest

from diglot.adapters.server import inspection
from diglot.adapters.server.app import application
from diglot.adapters.server.config import ConfigError, Settings
from diglot.adapters.server.middleware import ServerMiddleware

ON = Settings(demo=True, inspect=True)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.5", "::"])
def test_loopback_only(host: str) -> None:
    """Where other machines reach the server, it refuses to start unless one insists."""
    with pytest.raises(ConfigError, match=r"--inspect shows all that users write.*--inspect-anywhere insists"):
        application(Settings(demo=True, inspect=True, host=host), inspect_token="t")
    application(Settings(demo=True, inspect=True, inspect_anywhere=True, host=host), inspect_token="t")
    inspection.check(Settings(demo=True, host=host))


@pytest.mark.parametrize("path", ["", "_diglot", "/a b"])
def test_paths(path: str) -> None:
    """A wrong path is a wrong setting."""
    with pytest.raises(ValueError, match="not a path"):
        application(Settings(demo=True, inspect=True, inspect_path=path), inspect_token="t")


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/healthz", "/readyz"])
def test_paths_of_the_server(path: str) -> None:
    """What is below the inspector's path needs no key, so nothing else may be there."""
    with pytest.raises(ValueError, match="--inspect-path"):
        application(Settings(upstream="http://u", inspect=True, inspect_path=path))


def test_the_token_reaches_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them have the one that is printed."""
    monkeypatch.delenv("_DIGLOT_INSPECT_TOKEN", raising=False)
    assert inspection.prepared(Settings(demo=True)) is None
    assert inspection.token_from_environment() is None
    token = inspection.prepared(ON)
    assert token is not None
    assert inspection.token_from_environment() == token
    monkeypatch.delenv("_DIGLOT_INSPECT_TOKEN")


def test_notices() -> None:
    """The link, and what one should know."""
    assert inspection.notice(ON, "t").endswith("http://127.0.0.1:8080/_diglot/?token=t")
    wide = Settings(inspect=True, inspect_anywhere=True, host="0.0.0.0", workers=3, inspect_path="/x/")
    shown = inspection.notice(wide, "t")
    assert "http://127.0.0.1:8080/x/?token=t" in shown
    assert "!! Whoever has this link" in shown
    assert "Each of the 3 workers" in shown


@pytest.mark.anyio
async def test_served(talk: Any) -> None:
    """The page stands behind the guard of the server, and what clients ask is seen."""
    app = application(Settings(demo=True, inspect=True, allow_host=("box.local", "*")), inspect_token="t")
    scope = {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1), "scheme": "http", "method": "GET"}
    await talk(app, {"model": "m", "input": "hi"}, headers={"host": "box.local"}).run()
    for host, status in (("box.local", 303), ("evil.example", 403)):
        got = await talk(app, path="/_diglot/", headers={"host": host}, query_string=b"token=t", **scope).run()
        assert got.status == status
    got = await talk(app, path="/_diglot/", headers={"host": "localhost"}, query_string=b"token=t", **scope).run()
    cookie = got.headers["set-cookie"].partition(";")[0]
    got = await talk(app, path="/_diglot/exchanges/1", headers={"host": "localhost", "cookie": cookie}, **scope).run()
    assert got.json["handled"] == "translated"


PAGE = {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1), "scheme": "http"}


async def came_in(talk: Any, app: Any) -> str:
    """Open the page with its link, and return the cookie."""
    headers = {"host": "localhost"}
    got = await talk(app, path="/_diglot/", headers=headers, query_string=b"token=t", method="GET", **PAGE).run()
    return got.headers["set-cookie"].partition(";")[0]


@pytest.mark.anyio
@pytest.mark.parametrize("more", ["", "/", "/about", "/v1/responses", "/../v1/responses", "/nothing", "//v1/models"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PURGE"])
async def test_no_way_around_the_keys(talk: Any, monkeypatch: pytest.MonkeyPatch, more: str, method: str) -> None:
    """The page needs its own token and no key; below its path nothing else is served, with or without a cookie."""

    async def never(self: Any, *connection: Any) -> None:
        raise AssertionError("reached")

    monkeypatch.setattr(ServerMiddleware, "__call__", never)
    app = application(Settings(demo=True, inspect=True, api_key="k3y"), inspect_token="t")
    ask = {"path": f"/_diglot{more}", "method": method, "body": {"model": "m", "input": "hi"}, **PAGE}
    assert (await talk(app, headers={"host": "localhost"}, **ask).run()).status == 401
    got = await talk(app, headers={"host": "localhost", "cookie": await came_in(talk, app)}, **ask).run()
    assert got.status == (200 if method == "GET" and more in ("/", "/about") else 307 if not more else got.status)
    assert got.status in (200, 307, 404, 405)


@pytest.mark.anyio
async def test_the_api_behind_keys(talk: Any) -> None:
    """A cookie of the page is no key, and what was asked with a key is seen without it."""
    app = application(Settings(demo=True, inspect=True, api_key="k3y"), inspect_token="t")
    cookie, ask = await came_in(talk, app), {"model": "m", "input": "hi"}
    for path in ("/v1/responses", "/_diglots/v1/responses", "/x/_diglot/v1/responses"):
        assert (await talk(app, ask, path=path, headers={"host": "localhost", "cookie": cookie}).run()).status == 401
    await talk(app, ask, headers={"host": "localhost", "authorization": "Bearer k3y"}).run()
    headers = {"host": "localhost", "cookie": cookie}
    got = await talk(app, path="/_diglot/exchanges/1", method="GET", headers=headers, **PAGE).run()
    assert got.json["outcome"] == "completed"
    assert "k3y" not in got.body.decode()


@pytest.mark.anyio
async def test_after_a_reload(talk: Any) -> None:
    """The next application shows what the one before has served, to those who came in there."""
    assert inspection.ring_of_process(Settings(demo=True)) is None
    ring = inspection.ring_of_process(ON)
    first = application(ON, inspect_token="t", inspect_ring=ring)
    await talk(first, {"model": "m", "input": "hi"}, headers={"host": "localhost"}).run()
    headers = {"host": "localhost", "cookie": await came_in(talk, first)}
    second = application(ON, inspect_token="t", inspect_ring=ring)
    got = await talk(second, path="/_diglot/exchanges/1", method="GET", headers=headers, **PAGE).run()
    assert got.json["outcome"] == "completed"


OFF = """
import sys
from diglot.adapters.server.app import application
from diglot.adapters.server.config import Settings
from diglot.adapters.cli import main
application(Settings(demo=True))
print([name for name in sys.modules if name.startswith(("diglot.adapters.inspector", "diglot.adapters.observe"))])
"""


def test_off() -> None:
    """Without it, nothing of it is imported."""
    ran = subprocess.run([sys.executable, "-c", OFF], capture_output=True, text=True, check=True, env=os.environ)
    assert ran.stdout == "[]\n"
