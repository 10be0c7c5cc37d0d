"""aiohttp as the client of an upstream."""

import contextlib
import ssl
from pathlib import Path

import aiohttp
import anyio
import certifi
import pytest

from diglot.adapters import Limits
from diglot.adapters.upstream import aiohttp as upstream_aiohttp

from raw_server import Server


@pytest.mark.parametrize("variable", [None, "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_encrypted(variable: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An https upstream must show a certificate that is trusted, by default or by the environment."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, certifi.where() if variable == "SSL_CERT_FILE" else str(tmp_path))

    async def main() -> None:
        client = upstream_aiohttp.new_client("https://upstream.example", Limits())
        context = client._session.connector._ssl
        await client.aclose()
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
        assert bool(context.cert_store_stats()["x509_ca"]) == (variable != "SSL_CERT_DIR")

    anyio.run(main)


def test_headers_that_are_no_utf_8() -> None:
    """There are none, but one would not stop a request."""
    assert (upstream_aiohttp._decoded(b"\xc3\xa4"), upstream_aiohttp._decoded(b"\xe4")) == ("\u00e4", "\u00e4")


def test_a_session_that_others_use() -> None:
    """Requests of the caller's own over the same session are none of ours."""
    server = Server()
    server.reply, server.close = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"], False

    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            upstream_aiohttp.AiohttpClient(session, Limits())
            async with session.get(server.url) as answer:
                assert await answer.read() == b"{}"
            answer = await session.get(server.url, trace_request_ctx={"mine": 1}, timeout=aiohttp.ClientTimeout(1))
            answer.close()

    with contextlib.suppress(TimeoutError):
        anyio.run(main)
    server.stop()
