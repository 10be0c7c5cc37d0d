import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator.stream.to_responses.wrapped_input import _MAX_HEAD, WrappedInputDecoder, decode_plain

HEAD = '{"input":"'


def decoded(text: str, size: int = 1_000_000) -> str:
    decoder = WrappedInputDecoder()
    return "".join(decoder.feed(text[i : i + size]) for i in range(0, len(text), size)) + decoder.flush()


@pytest.mark.parametrize("size", [1, 2, 3, 1_000_000])
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"input":"a b"}', "a b"),
        (' {\n "input" : "a" } ', "a"),
        ('{"input":""}', ""),
        (r'{"input":"\"\\\/\n\t\r\b\f"}', '"\\/\n\t\r\b\f'),
        (r'{"input":"\u00e9\u4e2d"}', "é中"),
        (r'{"input":"\ud83d\ude00!"}', "😀!"),
        (r'{"input":"\ud83d"}', "\ufffd"),
        (r'{"input":"\ud83dx"}', "\ufffdx"),
        (r'{"input":"\ud83d\n"}', "\ufffd\n"),
        (r'{"input":"\ud83d\u0041"}', "\ufffdA"),
        (r'{"input":"\ud83d\ud83d\ude00"}', "\ufffd😀"),
        (r'{"input":"\ude00"}', "\ufffd"),
        ('{"input":"a","other":1}', "a"),
        ('{"input":"a"} and more', "a"),
        (r'{"input":"\u12"}', r"\u12"),
        (r'{"input":"\ud83d\u12"}', "\ufffd" + r"\u12"),
        (r'{"input":"\q"}', "q"),
        ('{"input":"a\nb"}', "a\nb"),
        ('{"input":"cut', "cut"),
        ('{"input":"cut\\', "cut"),
        ('{"input":"cut\\u00', "cut"),
        ('{"input":"cut\\ud83d', "cut\ufffd"),
        ('{"other":1,"input":"a"}', "a"),
        ('{"input":5}', '{"input":5}'),
        ('{"text":"a"}', "a"),
        ('{"patch":"a","workdir":"","n":0,"more":{"x":null}}', "a"),
        ('{"patch":"a","workdir":"b"}', '{"patch":"a","workdir":"b"}'),
        ('{"patch":["a"]}', '{"patch":["a"]}'),
        ("{}", "{}"),
        ('["a"]', '["a"]'),
        ('"a"', "a"),
        ("5", "5"),
        ("*** Begin Patch", "*** Begin Patch"),
        ('{"inp', '{"inp'),
        ("", ""),
    ],
)
def test_the_input_comes_out(arguments: str, text: str, size: int) -> None:
    """Wrapped input is decoded, the only text of an object counts as input, anything else comes out as it is."""
    assert decoded(arguments, size) == text


def test_input_streams() -> None:
    """What is whole comes out at once; half an escape and half a pair wait."""
    decoder = WrappedInputDecoder()
    pieces = ['{"inp', 'ut":"a', "b\\", "n\\ud8", "3d", "\\ude", "00c", '"}', "tail"]
    assert [decoder.feed(piece) for piece in pieces] == ["", "a", "b", "\n", "", "", "😀c", "", ""]
    assert decoder.flush() == ""


def test_other_arguments_wait_for_their_end() -> None:
    """Nothing is text of arguments that may still be an object with the input in it."""
    decoder = WrappedInputDecoder()
    assert decoder.feed('{"other":1,') == ""
    assert decoder.feed('"input":"a"}') == ""
    assert decoder.flush() == "a"
    assert decoder.flush() == ""


@pytest.mark.parametrize(("blank", "streams"), [(_MAX_HEAD - 1, True), (_MAX_HEAD + 1, False)])
def test_white_space_has_a_limit(blank: int, streams: bool) -> None:
    """The head is not looked for without end; what comes out stays the same."""
    decoder = WrappedInputDecoder()
    decoder.feed(" " * blank)
    text = decoder.feed(json.dumps({"input": "a"}))
    assert text == ("a" if streams else "")
    assert text + decoder.flush() == "a"


@pytest.mark.parametrize(
    ("piece", "text"),
    [
        ("a%é\n", "a%é\n"),
        (r"\n\"\\\/", '\n"\\/'),
        (r"\u00e9\ud83d\ude00", "é😀"),
        ('a"', None),
        ('"', None),
        ("\\", None),
        (r"\u00", None),
        (r"\ud83d", None),
        (r"\ude00", None),
        (r"\q", None),
        ("\\n\n", None),
    ],
)
def test_pieces_that_are_plain_to_see(piece: str, text: str | None) -> None:
    """Those that are JSON from their first character to their last."""
    assert decode_plain(piece) == text


@given(st.lists(st.text(alphabet='a\\"ud83e00n\n', max_size=7), max_size=6))
def test_plain_pieces_say_what_the_decoder_says(pieces: list[str]) -> None:
    """And nothing waits behind them."""
    decoder = WrappedInputDecoder()
    decoder.feed('{"input":"')
    for piece in pieces:
        was_plain, text = decoder.is_plain, decoder.feed(piece)
        quick = decode_plain(piece) if was_plain else None
        if quick is not None:
            assert (quick, decoder.is_plain) == (text, True)
