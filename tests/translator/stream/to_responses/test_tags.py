import pytest

from diglot.translator.stream.to_responses.tags import CALL, THINK, Markup, Piece


def read(text: str, tags: set[str], size: int = 1_000_000) -> list[Piece]:
    """The pieces of *text*, neighbours of one tag joined."""
    markup = Markup(tags)
    pieces = [p for i in range(0, len(text), size) for p in markup.feed(text[i : i + size])] + markup.flush()
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].tag == piece.tag != CALL:
            joined[-1] = Piece(joined[-1].text + piece.text, piece.tag)
        else:
            joined.append(piece)
    return joined


def call(text: str, raw: str | None = None) -> Piece:
    return Piece(text, CALL, raw if raw is not None else f"<tool_call>{text}</tool_call>")


@pytest.mark.parametrize("size", [1, 3, 1_000_000])
@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Hi", [Piece("Hi")]),
        ("<think>hm</think>Hi", [Piece("hm", THINK), Piece("Hi")]),
        (" \n<think>hm</think>\n\n Hi", [Piece("hm", THINK), Piece("Hi")]),
        ("<think></think>Hi", [Piece("Hi")]),
        ("<think>hm", [Piece("hm", THINK)]),
        ("<think>a<b</thin", [Piece("a<b</thin", THINK)]),
        ("Hi <think>hm</think>", [Piece("Hi <think>hm</think>")]),
        ("<thin", [Piece("<thin")]),
        ("<thing>", [Piece("<thing>")]),
        ("  ", [Piece("  ")]),
        ("a<tool_call>{}</tool_call>b", [Piece("a"), call("{}"), Piece("b")]),
        ("<tool_call>1</tool_call><tool_call>2</tool_call>", [call("1"), call("2")]),
        ("<tool_call>{", [call("{", "<tool_call>{")]),
        ("<tool_call>{}</tool_", [call("{}</tool_", "<tool_call>{}</tool_")]),
        ("a<b<<tool_call>1</tool_call>", [Piece("a<b<"), call("1")]),
        ("a <tool_cal", [Piece("a <tool_cal")]),
        ("<think>hm</think><tool_call>1</tool_call>", [Piece("hm", THINK), call("1")]),
    ],
)
def test_tags_are_read_in_any_pieces(text: str, pieces: list[Piece], size: int) -> None:
    """Thoughts stand at the start only, calls anywhere; half a tag at the end is text (protocol 2.9, D42)."""
    assert read(text, {THINK, CALL}, size) == pieces


@pytest.mark.parametrize("size", [1, 3, 1_000_000])
@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("<reasoning>hm</reasoning>Hi", [Piece("hm", THINK), Piece("Hi")]),
        ("<reasoning>h</reasoning><reasoning>m</reasoning>\n1", [Piece("hm", THINK), Piece("1")]),
        ("<think>h</think> <reasoning>m</think></reasoning>1", [Piece("hm</think>", THINK), Piece("1")]),
        ("<reasoning>hm</reasoning> <rea", [Piece("hm", THINK), Piece("<rea")]),
        ("<reasoning>hm</reasoning> <real>", [Piece("hm", THINK), Piece("<real>")]),
        ("<reason>", [Piece("<reason>")]),
    ],
)
def test_thoughts_have_several_tags(text: str, pieces: list[Piece], size: int) -> None:
    """Each ends with its own, and another one may follow (github.com/browseros-ai/BrowserOS/issues/167)."""
    assert read(text, {THINK, "reasoning"}, size) == pieces


@pytest.mark.parametrize(
    ("tags", "pieces"),
    [
        ({THINK}, [Piece("hm", THINK), Piece("a<tool_call>1</tool_call>")]),
        ({CALL}, [Piece("<think>hm</think>a"), call("1")]),
    ],
)
def test_only_the_wanted_tags_are_read(tags: set[str], pieces: list[Piece]) -> None:
    """The others are text."""
    assert read("<think>hm</think>a<tool_call>1</tool_call>", tags) == pieces


def test_text_comes_at_once() -> None:
    """Only what may be the start of a tag waits."""
    markup = Markup({CALL})
    assert markup.feed("Hello <to") == [Piece("Hello ")]
    assert markup.feed("day>") == [Piece("<today>")]


def test_after_the_end_comes_text() -> None:
    """What was flushed is not said again."""
    markup = Markup({THINK, CALL})
    markup.feed("<think>hm")
    markup.flush()
    assert markup.feed("Hi</think>") == [Piece("Hi</think>")]
    assert markup.flush() == []
