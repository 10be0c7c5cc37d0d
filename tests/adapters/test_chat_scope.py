"""What the chat application sees of a connection."""

from diglot.adapters.chat_scope import chat_scope


def test_path_and_headers() -> None:
    """The path is the chat path below the same prefix, the headers describe the new body; the original stays."""
    headers = [(b"authorization", b"Bearer k"), (b"content-length", b"9"), (b"content-encoding", b"gzip")]
    scope = {"path": "/api/responses", "raw_path": b"/api/responses", "headers": headers}
    seen = chat_scope(scope, "/responses", 5, streams=True)
    assert (seen["path"], seen["raw_path"]) == ("/api/chat/completions", b"/api/chat/completions")
    assert dict(seen["headers"]) == {
        b"authorization": b"Bearer k",
        b"content-type": b"application/json",
        b"content-length": b"5",
        b"accept": b"text/event-stream",
        b"accept-encoding": b"identity",
    }
    assert scope["path"] == "/api/responses"
