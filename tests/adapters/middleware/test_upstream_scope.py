"""What the application sees of a connection."""

import pytest

from diglot.adapters.middleware.upstream_scope import upstream_scope


@pytest.mark.parametrize(("ours", "theirs"), [("/responses", "/chat/completions"), ("/chat/completions", "/responses")])
def test_path_and_headers(ours: str, theirs: str) -> None:
    """The path is the other one below the same prefix, the headers describe the new body; the original stays."""
    headers = [(b"authorization", b"Bearer k"), (b"content-length", b"9"), (b"content-encoding", b"gzip")]
    scope = {"path": f"/api{ours}", "raw_path": f"/api{ours}".encode(), "headers": headers}
    seen = upstream_scope(scope, ours, theirs, 5, streams=True)
    assert (seen["path"], seen["raw_path"]) == (f"/api{theirs}", f"/api{theirs}".encode())
    assert dict(seen["headers"]) == {
        b"authorization": b"Bearer k",
        b"content-type": b"application/json",
        b"content-length": b"5",
        b"accept": b"text/event-stream",
        b"accept-encoding": b"identity",
    }
    assert scope["path"] == f"/api{ours}"


@pytest.mark.parametrize("raw", [b"/v1/responses/", b"/v1/respons%65s/", b""])
def test_a_slash_behind_the_path(raw: bytes) -> None:
    """It says nothing, and is not behind the other path."""
    scope = {"path": "/v1/responses/", "raw_path": raw, "headers": []}
    seen = upstream_scope(scope, "/responses", "/chat/completions", 5, streams=True)
    assert (seen["path"], seen["raw_path"]) == ("/v1/chat/completions", b"/v1/chat/completions")


@pytest.mark.parametrize("name", ["range", "if-range", "if-match", "if-none-match", "if-modified-since", "expect"])
def test_headers_about_another_answer(name: str) -> None:
    """What a client asks of a stored thing means nothing for what is translated."""
    scope = {"path": "/responses", "headers": [(name.encode(), b"x"), (b"x-other", b"1"), (b"idempotency-key", b"k")]}
    seen = dict(upstream_scope(scope, "/responses", "/chat/completions", 5, streams=False)["headers"])
    assert name.encode() not in seen
    assert (seen[b"x-other"], seen[b"idempotency-key"]) == (b"1", b"k")
