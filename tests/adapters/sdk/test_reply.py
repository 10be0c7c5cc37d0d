"""What a call gives to the SDK."""

from types import SimpleNamespace
from typing import Any

from diglot.adapters.sdk.reply import Middle, error_head
from diglot.translator import AnswerReader, Data, RequestError, ServeResponses

from scripted_server import HELLO, chunk


def test_an_error() -> None:
    """In OpenAI's shape, with the headers of the upstream but those about its body."""
    head = error_head(RequestError("No.", "input"), [(b"x-request-id", b"r"), (b"content-length", b"9")], "", {})
    assert (head.status, head.headers) == (400, [(b"x-request-id", b"r"), (b"content-type", b"application/json")])
    assert head.content is not None
    assert b'"message":"No."' in head.content


def test_the_middle() -> None:
    """Frames of one piece are joined; what ends the middle is left to others."""
    pending: list[Any] = []
    reader = AnswerReader.of(ServeResponses({"model": "m", "input": "Hi", "stream": True}))
    reader.head(200, "text/event-stream")
    reader.feed(HELLO[0])
    reader.feed(HELLO[1])
    answer: Any = SimpleNamespace(pieces=[])
    middle = Middle(reader, answer, pending)
    one, two = middle.take(chunk({"content": "a"})), middle.take(chunk({"content": "b"}) * 2)
    assert one is not None
    assert two is not None
    assert (one.count(b"event:"), two.count(b"event:")) == (1, 2)
    assert middle.take(HELLO[2]) is None
    assert pending == [None]
    assert middle.take(HELLO[3]) is None
    assert isinstance(pending[1], Data)
