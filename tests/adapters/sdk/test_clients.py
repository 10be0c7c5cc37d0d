"""Clients for an SDK: what they keep of the caller's, and what they take from the environment."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from diglot import async_http_client, http_client

from scripted_server import COMPLETION, ScriptedServer, answer

HI = {"model": "m", "input": "Hi"}


@pytest.fixture
def proxied(upstream: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """The environment names a proxy, which is the only way to the upstream."""
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", upstream.url)
    return upstream


async def _post(client: Any, url: str) -> Any:
    async with client:
        return await client.post(url, json=HI)


def test_proxies_of_the_environment(proxied: ScriptedServer) -> None:
    """A bare `transport=` would switch them off."""
    url = "http://upstream.invalid/v1/responses"
    with http_client() as client:
        assert client.post(url, json=HI).json()["status"] == "completed"
    assert asyncio.run(_post(async_http_client(), url)).json()["status"] == "completed"
    assert {asked.line for asked in proxied.asked} == {"POST http://upstream.invalid/v1/chat/completions HTTP/1.1"}


@pytest.fixture
def secured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A server whose certificate nobody but the environment knows."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, key_pem = tmp_path / "certificate.pem", tmp_path / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.TraditionalOpenSSL
    key_pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    server = ScriptedServer(lambda asked: answer(COMPLETION), tls=context)
    yield server
    server.stop()


@pytest.mark.parametrize("package", [httpx2, httpx])
def test_certificates_of_the_environment(
    secured: ScriptedServer, package: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a client of one's own."""
    url = f"{secured.url}/v1/responses"
    with http_client(package.Client()) as client:
        assert client.post(url, json=HI).json()["status"] == "completed"
    assert asyncio.run(_post(async_http_client(package.AsyncClient()), url)).json()["status"] == "completed"
    monkeypatch.delenv("SSL_CERT_FILE")
    with http_client(package.Client()) as client, pytest.raises(package.ConnectError):
        client.post(url, json=HI)


@pytest.mark.parametrize("package", [httpx2, httpx])
def test_a_given_client_keeps_its_settings(package: Any, upstream: ScriptedServer) -> None:
    """Headers, parameters, cookies, authentication and timeouts; closing the new one closes it."""
    settings = {"headers": {"x-own": "1"}, "params": {"q": "2"}, "cookies": {"c": "3"}, "auth": ("me", "secret")}
    given = package.Client(base_url=upstream.url, timeout=7, **settings)
    with http_client(given, profile="vllm") as client:
        assert type(client) is package.Client
        assert client.timeout == package.Timeout(7)
        assert client.post("/v1/responses", json=HI).status_code == 200
    (asked,) = upstream.asked
    assert asked.line == "POST /v1/chat/completions?q=2 HTTP/1.1"
    assert (asked.headers["x-own"], asked.headers["cookie"]) == ("1", "c=3")
    assert asked.headers["authorization"].startswith("Basic ")
    assert given.is_closed


def test_without_one_the_defaults_are_the_sdks() -> None:
    """It takes its own timeout only if that of the client is the package's; the package is the one that it uses."""
    with http_client() as client:
        assert isinstance(client, httpx2.Client)
        assert client.timeout == httpx2.Client().timeout
        assert client.follow_redirects


@pytest.mark.parametrize("make", [http_client, async_http_client])
def test_settings_are_checked(make: Any) -> None:
    """At once."""
    with pytest.raises(ValueError, match="upstream_api must be one of chat, responses; not 'auto'"):
        make(upstream_api="auto")
    with pytest.raises(TypeError, match="needs a"):
        make(httpx.AsyncClient() if make is http_client else httpx.Client())
