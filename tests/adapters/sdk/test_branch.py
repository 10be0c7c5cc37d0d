"""One request to the upstream, without I/O."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from diglot.adapters import Limits
from diglot.adapters.sdk.branch import Branch
from diglot.translator import AnswerReader, Body, Data, Failed, RequestBody, UpstreamError, preset

from scripted_server import COMPLETION, HELLO

HI = {"model": "gpt", "input": "Hi"}
CHAT = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}]}


def branch(
    path: str, endpoint: str, body: dict[str, Any], profile: str = "default", query: bytes = b""
) -> Branch[bytes]:
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": query}
    made = Branch(
        {**scope, "headers": [(b"content-type", b"application/json")]}, endpoint, Limits(), False, AnswerReader.of
    )
    made.take(RequestBody(body), preset(profile))
    return made


def test_a_whole_answer() -> None:
    """It is decided with the end of the body."""
    made = branch("/v1/responses", "/responses", HI)
    assert made.request().target == b"/v1/chat/completions"
    made.head(200, [(b"Content-Type", b"application/json"), (b"Connection", b"close")])
    assert made.headers == [(b"content-type", b"application/json")]
    assert made.begin(json.dumps(COMPLETION).encode()) is None
    assert (made.is_decided, made.patience, made.takes_long) == (False, None, False)
    made.begin(None)
    assert isinstance(made.action, Body)
    assert made.error is None


def test_a_request_that_cannot_be_translated() -> None:
    """There is nothing to send, and an error for the client."""
    made = branch("/v1/responses", "/responses", {"model": 1})
    assert made.is_decided
    assert not made.has_reader
    assert made.error is not None
    assert made.error.param == "model"
    assert isinstance(made.action, Failed)


def test_no_frames() -> None:
    """Of what is no part of a stream."""
    made = branch("/v1/responses", "/responses", HI)
    assert list(made.frames(None)) == []
    assert list(made.frames(Data([b"frame"]))) == [b"frame"]


def test_large_frames_that_fail() -> None:
    """An answer that turns out to be broken is an error, or ends as failed if its stream has begun."""
    made = branch("/v1/responses", "/responses", {**HI, "stream": True})
    made.head(200, [(b"content-type", b"application/json")])
    made.begin(json.dumps({"error": {"message": "x" * 2_000_000}}).encode())
    made.begin(None)
    assert isinstance(made.action, Failed)

    begun = branch("/v1/responses", "/responses", {**HI, "stream": True})
    begun.head(200, [(b"content-type", b"text/event-stream")])
    begun.begin(HELLO[0])

    def broken() -> Iterator[bytes]:
        yield b"frame"
        raise UpstreamError("Broken.")

    *frames, last = begun.frames(Data(broken()))
    assert frames[0] == b"frame"
    assert b"response.failed" in last
    assert b"Broken." in last


@pytest.mark.parametrize(
    ("path", "endpoint", "body", "query", "target", "model"),
    [
        (
            *("/openai/deployments/dep/chat/completions", "/chat/completions", CHAT, b"api-version=2025-03-01"),
            *(b"/openai/v1/responses", "dep"),
        ),
        ("/openai/v1/chat/completions", "/chat/completions", CHAT, b"", b"/openai/v1/responses", "gpt"),
        (
            *("/openai/responses", "/responses", HI, b"api-version=2025-03-01"),
            *(b"/openai/deployments/gpt/chat/completions?api-version=2025-03-01", "gpt"),
        ),
        ("/openai/v1/responses", "/responses", HI, b"", b"/openai/v1/chat/completions", "gpt"),
    ],
)
def test_azure(path: str, endpoint: str, body: Any, query: bytes, target: bytes, model: str) -> None:
    """Its v1 paths are like OpenAI's; the dated ones of chat have the deployment in them."""
    sent = branch(path, endpoint, body, "azure", query).request()
    assert sent.target == target
    assert json.loads(sent.content)["model"] == model
