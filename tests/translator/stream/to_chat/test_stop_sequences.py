from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator.stream.to_chat.stop_sequences import ReleasedText, StopFilter

LETTERS = st.text("ab", max_size=12)
STOPS = st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=4).map(tuple)


def token(text: str, data: Any = None) -> dict[str, Any]:
    return {"token": text, "bytes": data, "logprob": 0.0}


def fed(stops: StopFilter, *pieces: str) -> tuple[list[str], bool]:
    """What each piece and the end of the text released, and whether a stop sequence was met."""
    made = [stops.feed(piece, []) for piece in pieces]
    made.append(stops.flush())
    return [piece.text for piece in made], made[-1].hit


def earliest(text: str, stops: tuple[str, ...]) -> int | None:
    return min((at for stop in stops if (at := text.find(stop)) >= 0), default=None)


def test_without_stop_sequences_everything_goes_through() -> None:
    """Nothing waits; a stop sequence that is empty is none."""
    for stops in (StopFilter(()), StopFilter(("",))):
        assert stops.feed("abc", [token("abc")]) == ReleasedText("abc", [token("abc")], False)
        assert stops.flush() == ReleasedText("", [], False)


def test_only_what_may_be_a_beginning_waits() -> None:
    """Text is held back by what it is, not by a fixed length."""
    stops = StopFilter(("<END>",))
    assert [stops.feed(text, []).text for text in ("abc", "d<", "E", "x<EN", "D", ">y")] == [
        "abc",
        "d",
        "",
        "<Ex",
        "",
        "",
    ]


def test_a_match_ends_the_text() -> None:
    """The text is cut before the match; nothing follows, until the next text."""
    stops = StopFilter(("STOP",))
    assert stops.feed("one ST", []) == ReleasedText("one ", [], False)
    assert stops.feed("OP two", []) == ReleasedText("", [], True)
    assert stops.feed("three", []) == ReleasedText("", [], True)
    assert stops.flush() == ReleasedText("", [], True)
    stops.reset()
    assert fed(stops, "four ", "ST") == (["four ", "", "ST"], False)


@pytest.mark.parametrize(
    ("stops", "pieces", "released", "hit"),
    [
        (("b", "abc"), ("ab", "c"), ["", "", ""], True),  # the longer one began earlier
        (("b", "abc"), ("ab", "x"), ["", "a", ""], True),  # it came to nothing
        (("b", "abc"), ("ab",), ["", "a"], True),
        (("ab", "abc"), ("xab", "c"), ["x", "", ""], True),
        (("aab",), ("aa", "aa", "b"), ["", "aa", "", ""], True),
        (("abab", "ba"), ("aba",), ["", "a"], True),
        (("\n\n", "\n\n"), ("a\n", "\n"), ["a", "", ""], True),
        (("é\U0001f600",), ("é", "\U0001f600"), ["", "", ""], True),
        (("ab",), ("", "a", "", "b"), ["", "", "", "", ""], True),
    ],
)
def test_the_earliest_match_counts(stops: tuple[str, ...], pieces: tuple[str, ...], released: Any, hit: bool) -> None:
    """Where several sequences overlap, the text is cut before the one that begins first."""
    assert fed(StopFilter(stops), *pieces) == (released, hit)


@given(stops=STOPS, pieces=st.lists(LETTERS))
def test_text_cut_anywhere_is_cut_before_the_earliest_match(stops: tuple[str, ...], pieces: list[str]) -> None:
    """However the text arrives, what is released is what stands before the earliest match."""
    text = "".join(pieces)
    at = earliest(text, stops)
    released, hit = fed(StopFilter(stops), *pieces)
    assert ("".join(released), hit) == (text[:at], at is not None)


@given(stops=STOPS, pieces=st.lists(LETTERS))
def test_no_text_waits_that_need_not(stops: tuple[str, ...], pieces: list[str]) -> None:
    """What waits is the longest end of the text that begins a stop sequence, or all from a match on."""
    machine, so_far, released = StopFilter(stops), "", ""
    for piece in pieces:
        so_far += piece
        made = machine.feed(piece, [])
        released += made.text
        if made.hit:
            return
        ends = [i for i in range(len(so_far)) if any(stop.startswith(so_far[i:]) for stop in stops)]
        at = earliest(so_far, stops)
        assert released == so_far[: min([*ends, len(so_far)] + ([] if at is None else [at]))]


@given(stops=STOPS, pieces=st.lists(st.lists(st.text("ab", min_size=1, max_size=3))))
def test_tokens_go_with_their_text(stops: tuple[str, ...], pieces: list[list[str]]) -> None:
    """Released tokens are those whose whole text was released, however it arrived."""
    machine = StopFilter(stops)
    made = [machine.feed("".join(piece), [token(t) for t in piece]) for piece in pieces]
    made.append(machine.flush())
    text, tokens = "".join(p.text for p in made), [t["token"] for p in made for t in p.tokens]
    flat = [t for piece in pieces for t in piece]
    whole = [t for i, t in enumerate(flat) if len("".join(flat[: i + 1])) <= len(text)]
    assert tokens == whole


def test_a_token_with_text_of_the_match_is_cut() -> None:
    """A token goes in whole or not at all."""
    stops = StopFilter((" END",))
    first = stops.feed("one two E", [token("one"), token(" two"), token(" E")])
    assert (first.text, [t["token"] for t in first.tokens]) == ("one two", ["one", " two"])
    assert stops.feed("ND", [token("ND")]) == ReleasedText("", [], True)
    stops.reset()
    assert stops.feed("two END", [token("tw"), token("o EN"), token("D")]) == ReleasedText("two", [token("tw")], True)


def test_tokens_may_be_pieces_of_characters() -> None:
    """Bytes count, where a character is made of several tokens; what is no token has no length."""
    stops = StopFilter(("!",))
    pieces = [token("\\xc3", [0xC3]), token("\\xa9", [0xA9]), token("a", [97]), token("!", [33]), {"token": None}]
    assert stops.feed("éa!", pieces) == ReleasedText("éa", pieces[:3], True)
    stops.reset()
    longer = [token("much longer than its text"), {"token": None}]
    assert stops.feed("é", longer) == ReleasedText("é", [], False)
    assert stops.flush() == ReleasedText("", longer, False)
    assert stops.feed("!", [token("!")]).tokens == []


@pytest.mark.parametrize(
    ("text", "stop"),
    [
        ("a" * 200_000, "aaab"),
        ("a" * 200_000, "a" * 40_000 + "b"),
        ("ab" * 100_000, "ab" * 20_000 + "c"),
    ],
)
def test_long_texts_in_small_pieces(text: str, stop: str) -> None:
    """They nearly match all the time; a search that reads again what it has read would be at it for minutes."""
    stops = StopFilter((stop,))
    parts = [stops.feed(text[i : i + 5], []).text for i in range(0, len(text), 5)]
    assert "".join([*parts, stops.flush().text]) == text
