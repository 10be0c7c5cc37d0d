"""An object in pieces has its end where the whole has it."""

import itertools
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diglot.translator.stream.to_responses.braces import BraceScanner

NAME = st.text(alphabet='{}"\\', max_size=3)
VALUE = st.recursive(
    st.none() | st.text(alphabet='a{}"\\ ', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME, inner, max_size=3),
    max_leaves=8,
)
CUTS = st.lists(st.integers(0, 200), max_size=6)


def closed(text: str, cuts: list[int]) -> bool:
    scanner, data = BraceScanner(), text.encode()
    marks = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for a, b in itertools.pairwise([*marks, marks[-1]]):
        scanner.feed(data[a:b])
    return scanner.closed


@given(st.dictionaries(NAME, VALUE, max_size=3), CUTS, st.sampled_from(["", " ", "\n\t"]))
def test_a_whole_object_is_closed(value: object, cuts: list[int], space: str) -> None:
    """With white space around it; none of its beginnings is."""
    text = json.dumps(value)
    assert closed(space + text + space, cuts)
    for end in range(len(text)):
        assert not closed(space + text[:end], cuts)


@given(st.text(alphabet='{}[]"\\ a', max_size=12), CUTS)
@example('{"\\"}', [3])
@example('{"\\\\"}', [3, 4])
def test_any_pieces_are_the_whole(text: str, cuts: list[int]) -> None:
    """However a text is cut; what is an object is closed."""
    assert closed(text, cuts) == closed(text, [])
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        return
    assert closed(text, cuts) == is_object


@pytest.mark.parametrize("text", ["", " ", "a", "[{}]", "{}{}", "{}a", "{} {", "a{}", "}", "{", '{"}', '"{}"', "{}}"])
def test_what_is_not_closed(text: str) -> None:
    """Something else is there, or something is missing."""
    assert not closed(text, [])
    assert not closed(text, list(range(len(text))))


def test_white_space_may_follow() -> None:
    """Anything else breaks it for good."""
    scanner = BraceScanner()
    for piece, is_closed in ((b"{", False), (b"}", True), (b" ", True), (b"", True), (b"{}", False), (b" ", False)):
        scanner.feed(piece)
        assert scanner.closed is is_closed
