"""Request bodies: whole or in pieces, plain or compressed, and everything that is none."""

import gzip
import json
import zlib
from typing import Any

import pytest
import zstandard

from diglot.adapters import Limits, TranslationMiddleware
from diglot.adapters.asgi import encodings, request_body
from diglot.adapters.asgi.types import DECODED_BODY

pytestmark = pytest.mark.anyio

ASK = {"model": "m", "input": "hi " * 50_000}
LIMITS = Limits(max_body=200_000)


async def test_many_pieces(talk: Any, chat: Any, completion: bytes) -> None:
    """A body in several messages is one body."""
    app = chat(completion, kind="application/json")
    got = await talk(TranslationMiddleware(app), ASK).run()
    assert got.status == 200
    assert app.bodies[0]["messages"][0]["content"] == ASK["input"]


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("DEFLATE", lambda data: zlib.compress(data)[2:-4]),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("identity", bytes),
    ],
)
async def test_compressed(talk: Any, chat: Any, completion: bytes, name: str, compress: Any) -> None:
    """Clients may compress; the application gets the plain body without the header."""
    app = chat(completion, kind="application/json")
    data = compress(json.dumps(ASK).encode())
    got = await talk(TranslationMiddleware(app, limits=LIMITS), data, headers={"content-encoding": name}).run()
    assert got.status == 200
    assert app.bodies[0]["messages"][0]["content"] == ASK["input"]
    assert b"content-encoding" not in dict(app.scopes[0]["headers"])


@pytest.mark.parametrize(
    ("data", "headers", "status", "code"),
    [
        (b"{}" * 100_001, {}, 413, "request_too_large"),
        (b"", {"content-length": "200001"}, 413, "request_too_large"),
        (gzip.compress(b" " * 200_001, mtime=0), {"content-encoding": "gzip"}, 413, "request_too_large"),
        (zstandard.compress(b" " * 200_001), {"content-encoding": "zstd"}, 413, "request_too_large"),
        (b"{}", {"content-encoding": "br"}, 415, "unsupported_encoding"),
        (b"{}", {"content-encoding": "gzip"}, 400, "invalid_encoding"),
        (b"{", {}, 400, "invalid_json"),
        (b"", {}, 400, "invalid_json"),
        (b"[]", {}, 400, "invalid_json"),
        (b"[" * 100_000, {}, 400, "invalid_json"),
        (b"\xff\xfe{}", {}, 400, "invalid_json"),
    ],
)
async def test_no_request(talk: Any, chat: Any, data: bytes, headers: Any, status: int, code: str) -> None:
    """What is no request is refused in the usual shape, and the application never sees it."""
    app = chat()
    got = await talk(TranslationMiddleware(app, limits=LIMITS), data, headers=headers).run()
    assert (got.status, got.error["code"]) == (status, code)
    assert set(got.error) == {"message", "type", "param", "code"}
    assert app.bodies == []


async def test_what_is_not_installed(
    talk: Any, chat: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator learns how to install it, the client that it is not taken."""

    def unknown(*given: Any) -> bytes:
        raise encodings.UnknownEncoding("unknown content encoding")

    monkeypatch.setattr(request_body, "decode", unknown)
    for encoding in ("br", "ZSTD"):
        got = await talk(TranslationMiddleware(chat()), b"x", headers={"content-encoding": encoding}).run()
        assert got.status == 415
    assert [record.getMessage() for record in caplog.records] == [
        "A request body with content-encoding zstd needs zstandard: pip install 'diglot[zstd]'"
    ]


def client(*pieces: bytes) -> Any:
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1]["more_body"] = False

    async def receive() -> Any:
        return messages.pop(0)

    return receive


async def test_read_ahead() -> None:
    """The whole request is one message, with what it was decoded to; that is not done again."""
    packed = gzip.compress(b'{"model":"m"}')
    scope: Any = {"headers": [(b"content-encoding", b"gzip")]}
    message = await request_body.read_ahead(scope, client(packed[:5], packed[5:]), LIMITS)
    assert (message["body"], type(message["body"]), message["more_body"]) == (packed, bytes, False)
    decoded = message[DECODED_BODY]
    assert decoded.body == {"model": "m"}

    async def receive() -> Any:
        return message

    assert await request_body.read_object(scope, receive, LIMITS) is decoded


@pytest.mark.parametrize("body", [b"", b"[1]", b"{"])
async def test_read_ahead_what_is_no_object(body: bytes) -> None:
    """It is there as it came: whoever reads it says what is wrong."""
    message = await request_body.read_ahead({"headers": []}, client(body), LIMITS)
    assert (message["body"], DECODED_BODY in message) == (body, False)


async def test_a_message_without_a_body() -> None:
    """ASGI allows it."""

    async def receive() -> Any:
        return {"type": "http.request"}

    message = await request_body.read_ahead({"headers": []}, receive, LIMITS)
    assert message["body"] == b""
