"""A stream begins when the model has written something, not with its head."""

from typing import Any

import pytest

from diglot.translator import AnswerReader, Profile, ServeChat, ServeResponses, encode_json
from diglot.translator.exchange.first_token import is_piece

ROLE: dict[str, Any] = {"role": "assistant", "content": ""}
CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
ARGUMENTS = {"index": 0, "function": {"arguments": "{"}}


def chunk(delta: Any) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}


@pytest.mark.parametrize(
    ("event", "is_one"),
    [
        ({"type": "response.created"}, False),
        ({"type": "response.output_item.added"}, False),
        ({"type": "response.output_text.delta"}, True),
        ({"type": "response.reasoning_summary_text.delta"}, True),
        ({"type": "response.function_call_arguments.delta"}, True),
        ({"type": "response.output_text.done"}, False),
        (chunk(ROLE), False),
        (chunk(None), False),
        (chunk({"content": "H"}), True),
        (chunk({"reasoning_content": "H"}), True),
        (chunk({"refusal": "H"}), True),
        (chunk({"tool_calls": [CALL]}), False),
        (chunk({"tool_calls": [ARGUMENTS]}), True),
        (chunk({"tool_calls": [{"index": 0, "custom": {"input": "x"}}]}), True),
        (chunk({"function_call": {"name": "f"}}), False),
        (chunk({"function_call": {"arguments": "{"}}), True),
        ({"choices": [], "usage": {}}, False),
        ({"error": {}}, False),
    ],
)
def test_events(event: dict[str, Any], is_one: bool) -> None:
    """Text, reasoning and arguments are pieces, in either API, encoded or not."""
    assert is_piece(event) is is_one
    name = f"event: {event['type']}\n" if "type" in event else ""
    assert is_piece(name.encode() + b"data: " + encode_json(event) + b"\n\n") is is_one


def test_what_is_no_event() -> None:
    """The end of a chat stream, and comments."""
    assert not is_piece(b"data: [DONE]\n\n")
    assert not is_piece(b": keep-alive\n\n")


def fed(reader: AnswerReader[Any], kind: str, *pieces: bytes) -> list[int]:
    """After which pieces the reader has called."""
    calls: list[int] = []
    number = 0

    def note() -> None:
        calls.append(number)

    reader.on_first_token = note
    reader.head(200, kind)
    for number, piece in enumerate(pieces, 1):  # noqa: B007
        action = reader.feed(piece)
        list(getattr(action, "frames", ()))
    reader.finish()
    return calls


def sse(delta: Any) -> bytes:
    return b"data: " + encode_json({"id": "c", "model": "m", **chunk(delta)}) + b"\n\n"


STREAM = {"model": "m", "input": "Hi", "stream": True}
PIECES = [b": hello\n\n", sse(ROLE), sse({"content": "A"}), sse({"content": "B"}), b"data: [DONE]\n\n"]


@pytest.mark.parametrize("make", [AnswerReader.of, AnswerReader.of_events])
@pytest.mark.parametrize("kind", ["text/event-stream", ""])
def test_once(make: Any, kind: str) -> None:
    """It is called with the first piece, and never again."""
    assert fed(make(ServeResponses(STREAM)), kind, *PIECES) == [3]


def test_the_other_direction() -> None:
    """A chat client's stream has no names of events."""
    pieces = [
        b'event: response.created\ndata: {"type":"response.created","response":{"id":"r","model":"m","output":[]}}\n\n',
        b'data: {"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"i","delta":"A"}\n\n',
        b'data: {"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"i","delta":"B"}\n\n',
    ]
    chat = ServeChat({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True})
    assert fed(AnswerReader.of(chat), "text/event-stream", *pieces) == [2]


def test_a_whole_answer() -> None:
    """Where the client wants a stream, it is the first piece; where it does not, there is none."""
    whole = encode_json({"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]})
    assert fed(AnswerReader.of(ServeResponses(STREAM)), "application/json", whole) == [1]
    assert fed(AnswerReader.of(ServeResponses({"model": "m", "input": "Hi"})), "application/json", whole) == []


def test_large_pieces() -> None:
    """Of frames that are made one by one nobody looks at what is in them."""
    large = sse({"content": "x" * 2**20})
    assert fed(AnswerReader.of(ServeResponses(STREAM)), "text/event-stream", sse(ROLE), large) == [2]


def test_nobody_asks() -> None:
    """Without a function, nothing is called."""
    reader = AnswerReader.of(ServeResponses(STREAM, profile=Profile()))
    reader.head(200, "text/event-stream")
    assert reader.feed(PIECES[2]) is not None
