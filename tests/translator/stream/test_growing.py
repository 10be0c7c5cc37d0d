"""A text in pieces is the text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diglot.translator import MAX_VALUES
from diglot.translator.stream.growing import JoinedText, JsonListBuffer, TextBuffer

TEXT = st.text(st.characters(codec=None), max_size=6)


@given(st.lists(TEXT), TEXT)
@example(["a", "\ud83d", "b"], "c")
def test_it_is_what_was_added(pieces: list[str], more: str) -> None:
    """Halves of surrogate pairs too; what has the same beginning has a rest."""
    text = TextBuffer()
    for piece in pieces:
        text.add(piece)
    whole = "".join(pieces)
    assert text.whole() == whole
    assert bool(text) is bool(whole)
    assert text.rest_of(whole + more) == more
    assert text.rest_of(more) == (more.removeprefix(whole) if more.startswith(whole) else None)


@pytest.mark.parametrize(
    ("text", "may"),
    [("", False), ("{}", True), ("{} \n", True), ("{", False), ("{ ", False), (" " * 99, True), ("{" + " " * 99, True)],
)
def test_how_it_may_end(text: str, may: bool) -> None:
    """White space behind the mark does not matter; there may be too much of it to know."""
    assert TextBuffer(text.encode()).may_end_with(b"}") is may


def test_what_came_since() -> None:
    """In bytes."""
    text = TextBuffer("é".encode())
    assert (text.since(0), text.since(2), text.since(9)) == ("é".encode(), b"", b"")


def test_what_was_said_is_kept_once() -> None:
    """A text that somebody keeps grows there; the others are kept here, in the order in which they were said."""
    said, kept = JoinedText(), TextBuffer(b"a")
    assert not said
    said.add("a", kept)
    kept.add("b")
    said.add("b", kept)
    for piece in "cd":
        said.add(piece)
    assert said
    other = TextBuffer(b"e")
    said.add("e", other)
    said.add("f")
    kept.add("B")
    assert said.whole() == "abBcdef"


def test_members_are_kept_as_they_were() -> None:
    """In their order; there may be none."""
    members = JsonListBuffer()
    assert members.whole() == []
    members.add(b'[{"a":1},2]')
    members.add(b'["x,]"]')
    assert members.whole() == [{"a": 1}, 2, "x,]"]
    members.add(b"[%b0]" % (b"0," * MAX_VALUES))  # more than one text of the upstream may hold
    assert len(members.whole()) == MAX_VALUES + 4
