import pytest

from diglot.translator.stream.growing import TextBuffer
from diglot.translator.stream.to_responses.arguments import ArgumentsBuffer

A = '{"a":1}'


def added(*pieces: str) -> tuple[list[str], str, bool]:
    """What is to be sent of each piece and at the end, what the arguments are, and whether they are broken."""
    text = TextBuffer()
    arguments = ArgumentsBuffer(text)
    sent = [arguments.add(piece) for piece in pieces]
    return [*sent, arguments.release()], text.whole(), arguments.broken


@pytest.mark.parametrize(
    ("pieces", "sent", "whole"),
    [
        ([A], [A, ""], A),
        (['{"a"', ":1}"], ['{"a"', ":1}", ""], A),
        (["{}"], ["", "{}"], "{}"),
        (["{}", A], ["", A, ""], A),
        (["{", "}", A], ["{", "", '"a":1}', ""], A),
        (["{ }", " " + A], ["", " " + A, ""], " " + A),
        (["{}", '{"a"', ":1}"], ["", '{"a"', ":1}", ""], A),
        (["{}", "{}", A], ["", "", A, ""], A),
        (["{}", "\n", A], ["", "", A, ""], A),
        ([A, A], [A, "", ""], A),
        ([A, A, A], [A, "", "", ""], A),
        ([A, '{"a"', ": 1 }"], [A, "", "", ""], A),
        ([A, '{"a"'], [A, "", ""], A),
        ([A, "\n"], [A, "\n", ""], A + "\n"),
        (["{} x"], ["{} x", ""], "{} x"),
    ],
)
def test_each_piece_is_sent_once(pieces: list[str], sent: list[str], whole: str) -> None:
    """`{}` waits for what may take its place; an equal object behind a whole one is not sent (W5)."""
    assert added(*pieces) == (sent, whole, False)


@pytest.mark.parametrize("pieces", [[A, '{"b":1}'], [A, '{"b"'], [A, A, '{"a":2}'], ['{"a":"' + "x" * 999 + '"}', A]])
def test_another_object_is_too_much(pieces: list[str]) -> None:
    """Nobody knows which of them is meant."""
    assert added(*pieces)[2] is True


@pytest.mark.parametrize(
    ("pieces", "whole", "sent", "broken"),
    [
        ([], A, A, False),
        (['{"a"'], A, ":1}", False),
        ([A], A, "", False),
        ([A], '{ "a": 1 }', "", False),
        ([A], '{"a"', "", False),
        (["{}"], A, A, False),
        (["{}"], "{}", "", False),
        (["{}"], "{}\n", "{}\n", False),
        ([A], '{"b":1}', "", True),
        (['{"a"'], '{"b":1}', "", True),
    ],
)
def test_the_whole_again(pieces: list[str], whole: str, sent: str, broken: bool) -> None:
    """What is new of it is sent."""
    arguments = ArgumentsBuffer(TextBuffer())
    for piece in pieces:
        arguments.add(piece)
    assert (arguments.add_whole(whole), arguments.broken) == (sent, broken)


def test_when_a_piece_is_only_more() -> None:
    """Not before it is seen that they are no placeholder, and not while they are repeated."""
    text = TextBuffer()
    arguments = ArgumentsBuffer(text)
    grown = []
    for piece in ("", "{", '"a":1}', '{"a"'):
        arguments.add(piece)
        grown.append(arguments.may_grow())
    assert grown == [False, False, True, False]
