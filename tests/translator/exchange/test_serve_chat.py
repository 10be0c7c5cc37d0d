import json
from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Profile, RequestError, ServeChat, UpstreamError

Serve = Callable[..., ServeChat]
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
}
RESPONSE = {"id": "resp_1", "object": "response", "status": "completed", "model": "m-1", "output": [MESSAGE]}


@pytest.fixture
def serve_chat(new_id: Callable[[str], str], clock: Callable[[], float]) -> Serve:
    """Begin an exchange with a Responses upstream."""

    def make(body: dict[str, Any] | None = None, profile: Profile | None = None, **settings: Any) -> ServeChat:
        given = {"model": "m", "messages": [{"role": "user", "content": "Go"}], **(body or {})}
        return ServeChat(given, profile=profile, new_id=new_id, clock=clock, **settings)

    return make


def test_an_exchange_has_the_responses_request_and_the_losses(serve_chat: Serve) -> None:
    """What to send, how often, and what was lost on the way."""
    exchange = serve_chat({"seed": 1, "n": 2})
    items = [{"type": "message", "role": "user", "content": "Go"}]
    assert exchange.responses == {"model": "m", "input": items, "store": False}
    assert exchange.responses is exchange.request
    assert exchange.copies == 2
    assert [loss.path for loss in exchange.report] == ["seed", "n"]


@pytest.mark.parametrize(("stream", "streaming"), [(True, True), (False, False), (None, False)])
def test_only_the_body_decides_about_streaming(serve_chat: Serve, stream: Any, streaming: bool) -> None:
    """`stream: true` and nothing else."""
    assert serve_chat({"stream": stream}).streaming is streaming


def test_strict_is_handed_on(serve_chat: Serve) -> None:
    """What would be lost is refused; what is only emulated is not."""
    with pytest.raises(RequestError):
        serve_chat({"seed": 1}, strict=True)
    assert serve_chat({"stop": "x"}, strict=True).request["model"] == "m"


def test_a_finished_answer(serve_chat: Serve) -> None:
    """A Response becomes a completion; one that failed is the upstream's error."""
    choice = serve_chat().answer(RESPONSE)["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Hi", "stop")
    failed = {**RESPONSE, "status": "failed", "error": {"code": "server_error", "message": "It broke."}}
    with pytest.raises(UpstreamError, match=r"It broke\."):
        serve_chat().answer(failed)


def test_a_stream_from_bytes_to_frames(serve_chat: Serve) -> None:
    """Chunks come without names, and `[DONE]` is behind the last."""
    stream = serve_chat({"stream": True}).stream()
    events = [{"type": "response.created", "response": {**RESPONSE, "output": []}}]
    events += [{"type": "response.completed", "response": RESPONSE}]
    frames = [frame for event in events for frame in stream.feed(b"data: " + json.dumps(event).encode() + b"\n\n")]
    assert frames[-1] == b"data: [DONE]\n\n"
    assert all(frame.startswith(b"data: {") for frame in frames[:-1])
    assert stream.ended
    assert stream.answer["choices"][0]["message"]["content"] == "Hi"


def test_the_path_of_an_error(serve_chat: Serve) -> None:
    """It is told in the words of the chat request."""
    assert serve_chat().caller_path("input[0].content") == "messages[0].content"


def test_a_stream_without_its_request(serve_chat: Serve) -> None:
    """Once the upstream has accepted it, a request is let go of; its errors name no place in it."""
    exchange = serve_chat({"stream": True, "n": 1})
    stream = exchange.stream()
    exchange.release()
    stream.release()
    assert exchange.request == {}
    event = {"type": "response.completed", "response": RESPONSE}
    frames = stream.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    assert b'"finish_reason":"stop"' in b"".join(frames)
    error = b'{"error":{"message":"Bad.","param":"input[0].content"}}'
    assert exchange.error(400, error).param is None


# --- completions that are kept here


def test_what_is_kept_here_is_not_stored_upstream(serve_chat: Serve) -> None:
    """The upstream need not store it; its id is one of ours, and its messages are kept."""
    exchange = serve_chat({"store": True, "metadata": {"a": "b"}}, keeps=True)
    assert exchange.responses["store"] is False
    assert exchange.to_keep == [{"role": "user", "content": "Go"}]
    assert exchange.own_id.startswith("chatcmpl-")
    assert exchange.answer(RESPONSE)["id"] == exchange.own_id
    assert list(exchange.report) == []


def test_chunks_of_what_is_kept_here(serve_chat: Serve) -> None:
    """All have the id, also those before the upstream has told its own."""
    exchange = serve_chat({"store": True, "stream": True}, keeps=True)
    stream = exchange.events()
    created = {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": []}}
    completed = {"type": "response.completed", "response": RESPONSE}
    chunks = [*stream.start()]
    for event in created, completed:
        chunks += stream.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    chunks += stream.finish()
    assert {chunk["id"] for chunk in chunks} == {exchange.own_id}
    assert stream.answer["id"] == exchange.own_id


def test_what_is_not_kept_here(serve_chat: Serve) -> None:
    """The id is the upstream's, and nothing is kept; what could not be stored says nothing of it."""
    exchange = serve_chat({"store": True})
    assert (exchange.own_id, exchange.to_keep) == ("", None)
    answer = exchange.answer(RESPONSE)
    assert answer["id"] == "chatcmpl-1"
    assert exchange.not_stored(answer) == answer
    assert exchange.shortened(400, b"") is None


def test_messages_that_are_none_are_not_kept(serve_chat: Serve) -> None:
    """They are refused as ever."""
    with pytest.raises(RequestError) as caught:
        serve_chat({"messages": "Hi"}, keeps=True)
    assert caught.value.param == "messages"


def test_the_name_that_was_asked_for(serve_chat: Serve) -> None:
    """It stands in the answer and in every chunk, whatever the upstream calls its model."""
    exchange = serve_chat({"model": "real", "stream": True}, answer_model="asked")
    assert exchange.responses["model"] == "real"
    named = {**RESPONSE, "model": "real-2026"}
    assert exchange.answer(named)["model"] == "asked"
    stream = exchange.events()
    created = {"type": "response.created", "response": {**named, "status": "in_progress", "output": []}}
    completed = {"type": "response.completed", "response": named}
    chunks = [
        chunk for event in (created, completed) for chunk in stream.feed(b"data: %b\n\n" % json.dumps(event).encode())
    ]
    assert {chunk["model"] for chunk in [*chunks, *stream.finish()]} == {"asked"}
