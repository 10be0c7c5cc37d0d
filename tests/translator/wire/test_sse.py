import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator import UpstreamError
from diglot.translator.wire.sse import DONE, Decoder, Event, data, event


def decoded(*pieces: bytes, max_line: int = 1000) -> list[Event]:
    """All events of a stream that came in *pieces*."""
    decoder = Decoder(max_line)
    return [one for piece in pieces for one in decoder.feed(piece)] + decoder.flush()


def test_a_frame_names_its_event() -> None:
    """`event:` equals the body's type; the frame ends with a blank line."""
    body = {"type": "response.created", "sequence_number": 0, "text": "a\nb"}
    head, line, *rest = event(body).split(b"\n")
    assert head == b"event: response.created"
    assert json.loads(line.removeprefix(b"data: ")) == body
    assert rest == [b"", b""]


def test_what_is_framed_is_decoded() -> None:
    """Frames of our own come back as they were."""
    body = {"type": "x", "sequence_number": 1}
    found, unnamed = decoded(event(body), data(body))
    assert (found.name, json.loads(found.data)) == ("x", body)
    assert (unnamed.name, json.loads(unnamed.data)) == ("", body)


@pytest.mark.parametrize(
    ("given", "events"),
    [
        (b"data: a\n\n", [("", b"a")]),
        (b"data:a\n\ndata:  b\n\n", [("", b"a"), ("", b" b")]),
        (b"data: a\ndata: b\n\n", [("", b"a\nb")]),
        (b"data\ndata: a\n\n", [("", b"a")]),
        (b"event: x\ndata: a\n\ndata: b\n\n", [("x", b"a"), ("", b"b")]),
        (b"event: x\n\ndata: b\n\n", [("", b"b")]),
        (b": comment\nid: 1\nretry: 5\ndata: a\n\n", [("", b"a")]),
        (b"\n\n\ndata: a\n\n\n", [("", b"a")]),
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [("", b"a"), ("", b"b"), ("", b"c")]),
        (b"data: a", [("", b"a")]),
        (b"data: a\n", [("", b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [("", b"a")]),
        (b'{"error":"x"}\n', [("", b'{"error":"x"}')]),
        (b"[1]", [("", b"[1]")]),
        (b"event: \xff\ndata: a\n\n", [("\ufffd", b"a")]),
        (b'data: {"a":1}\ndata: {"b":2}\ndata: {"c":3}\n', [("", b'{"a":1}'), ("", b'{"b":2}'), ("", b'{"c":3}')]),
        (b'data: {"a":1}\ndata: ping\ndata: {"b":2}\n', [("", b'{"a":1}'), ("", b"ping"), ("", b'{"b":2}')]),
        (b'data:{"a":1}\ndata:{"b":2}\ndata:[DONE]\n', [("", b'{"a":1}'), ("", b'{"b":2}'), ("", b"[DONE]")]),
        (b'data: ping\ndata: {"a":1}\ndata: [DONE]\n', [("", b"ping"), ("", b'{"a":1}'), ("", b"[DONE]")]),
        (b"data: ping\ndata: [DONE]\n", [("", b"ping"), ("", b"[DONE]")]),
        (b'event: x\ndata: {"a":1}\nevent: y\ndata: {"b":2}\n\n', [("x", b'{"a":1}'), ("y", b'{"b":2}')]),
        (b'data: {"a":1}\nevent: x\n\n', [("x", b'{"a":1}')]),
        (b'data: {"a":\ndata: {"b":1}\ndata: ,"c":2}\n\n', [("", b'{"a":\n{"b":1}\n,"c":2}')]),
        (b'data: [\ndata: {"a":1}\ndata: ]\n\n', [("", b'[\n{"a":1}\n]')]),
        (b'data: {\n  "a": 1\n}\n\n', [("", b'{\n  "a": 1\n}')]),
        (b'{\n  "a": [\n    1\n  ]\n}', [("", b'{\n  "a": [\n    1\n  ]\n}')]),
        (b'{\n"a": 1}\n: x\nid: 1\n{\n"b": 2}\n', [("", b'{\n"a": 1}'), ("", b'{\n"b": 2}')]),
        (b'[\n  {"error": {}}\n]\n', [("", b'[\n  {"error": {}}\n]')]),
        (b'{"a":1}\n{"b":2}\n', [("", b'{"a":1}'), ("", b'{"b":2}')]),
        (b"", []),
        (b"\n", []),
    ],
)
def test_lines_become_events(given: bytes, events: list[tuple[str, bytes]]) -> None:
    """The rules of server-sent events, and what is sent instead (D30, W9); whole and byte by byte."""
    expected = [Event(*found) for found in events]
    assert decoded(given) == expected
    assert decoded(*(given[i : i + 1] for i in range(len(given)))) == expected


@pytest.mark.parametrize(
    "pieces", [(b"data: a\r", b"\n\r", b"\n"), (b"data: a\r\n", b"\r", b"\n"), (b"data: a\r", b"", b"\n\r\n")]
)
def test_a_line_end_may_be_cut(pieces: tuple[bytes, ...]) -> None:
    """CR and LF in two pieces are one line end, not a blank line between."""
    decoder = Decoder()
    found = [one for piece in pieces for one in decoder.feed(piece)]
    assert found == [Event("", b"a")]
    assert decoder.flush() == []


@pytest.mark.parametrize(
    ("mark", "done"),
    [
        (b"[DONE]", True),
        (b" [DONE] ", True),
        (b"DONE", True),
        (b"[DONE] bye", True),
        (b"[DONE", False),
        (b'"DONE"', True),
        (b'"[DONE]"', True),
        (b"[done]", True),
        (b'"DONE', True),
        (b'"[DONE] and more', False),
        (b"", False),
        (b"{}", False),
    ],
)
def test_the_end_mark(mark: bytes, done: bool) -> None:
    """The mark is known with and without brackets (D24), in quotes (W9), and where something follows it."""
    assert Event("", mark).is_done is done
    assert decoded(DONE)[0].is_done


@pytest.mark.parametrize(
    "given", [b"data: " + b"x" * 200 + b"\n\n", b"x" * 200, b"data: xxxx\n" * 20, b":" + b"x" * 200 + b"\n"]
)
def test_one_event_has_a_limit(given: bytes) -> None:
    """A line, an event of many lines, or a line without end is refused before it is kept."""
    with pytest.raises(UpstreamError, match="an event of more than 100 bytes") as raised:
        decoded(given, max_line=100)
    assert raised.value.status == 502
    with pytest.raises(UpstreamError):
        decoded(*(given[i : i + 1] for i in range(len(given))), max_line=100)


def test_many_events_have_no_limit() -> None:
    """The limit counts one event, not the stream."""
    assert len(decoded(b"data: xxxx\n\n" * 50, max_line=20)) == 50


@given(
    st.lists(
        st.sampled_from(
            [
                *(b"data: a\n\n" * 3, b"event: x\ndata: b\n\n" * 2, b"data: a\n\ndata: b\nid: 1\n\n"),
                *(b"data: a\n\n", b"data: \n\n", b"event: x\ndata: b\n\n", b"event: y\ndata: {}\n\n", b"event: x\n\n"),
                *(b"data: a\ndata: b\n\n", b"data: a\rdata: b\n\n", b"data: a\r\n\r\n", b"event:  x \ndata: a\n\n"),
                *(
                    b"event: x\n",
                    b"data: c\n",
                    b"data: d",
                    b"\n",
                    b"\r",
                    b": x\n\n",
                    b"{}\n\n",
                    b'data: {"a":1}\n',
                    b'data: {"b":2}\n\n',
                    b"data: {\n",
                    b"}\n",
                    b"data: [DONE]\n",
                    b"event: \ndata: e\n\n",
                ),
            ]
        ),
        max_size=12,
    )
)
def test_usual_reads_are_decoded_like_all_others(reads: list[bytes]) -> None:
    """A read that is one whole event, called like those before it, says what it says byte by byte."""
    given = b"".join(reads)
    assert decoded(*reads) == decoded(given) == decoded(*(given[i : i + 1] for i in range(len(given))))


def test_an_event_of_usual_form_has_a_limit_too() -> None:
    """However many came before it."""
    short, long = b"event: x\ndata: a\n\n", b"event: x\ndata: " + b"a" * 100 + b"\n\n"
    assert len(decoded(short, short, short, short, max_line=100)) == 4
    with pytest.raises(UpstreamError, match="more than 100 bytes"):
        decoded(short, short, short, long, max_line=100)
