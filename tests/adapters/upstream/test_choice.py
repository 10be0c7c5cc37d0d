"""Which HTTP client it is, and what is said where there is none."""

import importlib
from typing import Any

import anyio
import pytest

from diglot.adapters import Limits, Upstream
from diglot.adapters.server.app import on_loopback
from diglot.adapters.upstream import choice
from diglot.adapters.upstream import client as upstream_client
from diglot.translator import UpstreamError

URL = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def package_for(url: str) -> str:
    client: Any = choice.new_client(url, Limits())
    await client.aclose()
    inner = client._session if hasattr(client, "_session") else client._client
    return type(inner).__module__.partition(".")[0]


@pytest.mark.anyio
async def test_the_cheapest_is_preferred(anyio_backend: str) -> None:
    """Without a client of the caller's it is aiohttp, where that runs."""
    assert await package_for(URL) == ("aiohttp" if anyio_backend == "asyncio" else "httpx2")


@pytest.mark.parametrize("there", [("httpx2", "httpx"), ("httpx",)])
def test_others(monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...]) -> None:
    """Without aiohttp it is what is there."""
    monkeypatch.setattr(choice, "find_spec", lambda name: name in there)
    assert anyio.run(package_for, URL) == there[0]


@pytest.mark.parametrize(
    ("variables", "url", "package"),
    [
        ({"HTTPS_PROXY": "http://127.0.0.1:9"}, URL, "aiohttp"),
        ({"HTTP_PROXY": "http://127.0.0.1:9"}, URL, "httpx2"),
        ({"HTTPS_PROXY": "http://127.0.0.1:9"}, "https://upstream.example/v1", "httpx2"),
        ({"ALL_PROXY": "http://127.0.0.1:9"}, URL, "httpx2"),
        ({"ALL_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}, URL, "aiohttp"),
    ],
)
def test_proxies(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, package: str) -> None:
    """Through a proxy that the environment names goes the client that knows all kinds of them."""
    for name, value in variables.items():
        monkeypatch.setenv(name.lower(), value)
    assert anyio.run(package_for, url) == package


@pytest.mark.parametrize("kind", ["aiohttp", *upstream_client.HTTPX])
def test_connections_are_kept(talk: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection serves one call after another; what was not read to its end is closed."""
    monkeypatch.setattr(choice, "find_spec", lambda name: name == kind)
    ports: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            ports.append(scope["client"][1])
            await send({"type": "http.response.start", "status": 200, "headers": [(b"set-cookie", b"a=1")]})
            await send({"type": "http.response.body", "body": b"{}", "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def main() -> None:
        async with on_loopback(app) as url:
            upstream = Upstream(url)
            for _ in range(4):
                assert (await talk(upstream, {}).run()).body == b"{}"
            await upstream.aclose()

    anyio.run(main)
    assert len(ports) == 4
    assert len(set(ports)) == 1


@pytest.mark.parametrize("name", upstream_client.HTTPX)
def test_somebodys_own_class(name: str) -> None:
    """A client may be of a class of its own."""
    package = importlib.import_module(name)

    class Own(package.AsyncClient):
        pass

    assert type(choice.wrap_client(Own(), Limits())).__name__ == "HttpxClient"


def test_no_client() -> None:
    """An object that is no client is refused with words, and at once."""
    with pytest.raises(TypeError, match="aiohttp, httpx2 or httpx"):
        Upstream(URL, client=object())


def test_nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any HTTP client there is no Upstream, and the error has the command; whoever brings one needs none."""
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'diglot\[aiohttp\]', or 'diglot\[httpx\]'"):
        Upstream(URL)
    Upstream(URL, client=importlib.import_module("httpx").AsyncClient())


def test_httpx_is_needed(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Where only httpx will do, the log has the command; the client learns that the upstream cannot be reached."""
    monkeypatch.setattr(choice, "find_spec", lambda name: name == "aiohttp")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(UpstreamError, match="cannot reach"):
        anyio.run(package_for, URL)
    assert "pip install 'diglot[httpx]'" in caplog.text
