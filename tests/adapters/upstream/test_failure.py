"""Why an upstream has not answered."""

import errno
import importlib
import itertools
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from threading import Thread
from typing import Any

import pytest

from diglot.adapters import Upstream
from diglot.adapters.upstream import client as upstream_client
from diglot.adapters.upstream.failure import Failure, failure_of, note_failure, reason
from diglot.translator import UpstreamError


def certificate_error() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


def tls_error() -> ssl.SSLError:
    error = ssl.SSLError(1, "wrong version number")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "http://me:k3y@up"), "connection refused"),
        (OSError(errno.EHOSTUNREACH, ""), "no route to host"),
        (socket.gaierror(socket.EAI_NONAME, ""), "unknown host"),
        (socket.gaierror(socket.EAI_AGAIN, ""), "the name of the host cannot be looked up"),
        (certificate_error(), "TLS, self-signed certificate"),
        (tls_error(), "TLS, wrong version number"),
        (ssl.SSLError(1, ""), "TLS, no handshake"),
        (TimeoutError(), "no connection in time"),
        (ValueError("http://me:k3y@up"), "Wrapped"),
    ],
)
def test_reason(error: Exception, words: str) -> None:
    """The innermost cause says it, in words without the URL; if none does, there is the name of the outermost."""

    class Wrapped(Exception):
        pass

    wrapped = Wrapped("http://me:k3y@up")
    wrapped.__context__ = error
    assert reason(wrapped) == words


def test_causes_in_a_circle() -> None:
    """They have an end all the same."""
    one, other = ValueError(), OSError(errno.ECONNREFUSED, "")
    one.__cause__, other.__cause__ = other, one
    assert reason(one) == "connection refused"


@pytest.fixture
def plain_server() -> Iterator[str]:
    """Host and port of one that speaks no TLS."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            with listening.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join(5)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("anyio_backend", "kind"),
    [("asyncio", "aiohttp"), *itertools.product(("asyncio", "trio"), upstream_client.HTTPX)],
)
async def test_packages(talk: Any, kind: str, plain_server: str, anyio_backend: str) -> None:
    """Each HTTP package wraps the same causes in its own way."""
    package = importlib.import_module(kind)
    client = package.ClientSession() if kind == "aiohttp" else package.AsyncClient()
    found: list[str] = []
    async with client:
        for url in ("http://127.0.0.1:9", "http://no.such.host.invalid", f"https://{plain_server}"):
            one = talk(Upstream(url, client=client), path="/v1/models", method="GET")
            await one.run()
            failure = failure_of(one.scope)
            assert failure is not None
            assert failure.code == "upstream_unreachable"
            found.append(failure.reason)
    assert found[0] == "connection refused"
    assert found[1] in ("unknown host", "the name of the host cannot be looked up")  # some machines have no resolver
    assert found[2].startswith("TLS, ")


def test_nothing_is_known() -> None:
    """Not every failure has a cause, or a code."""
    scope: dict[str, Any] = {}
    assert failure_of(scope) is None
    note_failure(scope, UpstreamError("no"))
    assert failure_of(scope) == Failure("", "")
