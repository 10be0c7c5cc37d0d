import pytest

from diglot.translator.stream.to_responses.tags import CALL, THINK, TaggedText, TagParser


def read(text: str, tags: set[str], size: int = 1_000_000) -> list[TaggedText]:
    """The pieces of *text*, neighbours of one tag joined."""
    markup = TagParser(tags)
    pieces = [p for i in range(0, len(text), size) for p in markup.feed(text[i : i + size])] + markup.flush()
    joined: list[TaggedText] = []
    for piece in pieces:
        if joined and joined[-1].tag == piece.tag != CALL:
            joined[-1] = TaggedText(joined[-1].text + piece.text, piece.tag)
        else:
            joined.append(piece)
    return joined


def call(text: str, raw: str | None = None) -> TaggedText:
    return TaggedText(text, CALL, raw if raw is not None else f"<tool_call>{text}</tool_call>")


@pytest.mark.parametrize("size", [1, 3, 1_000_000])
@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Hi", [TaggedText("Hi")]),
        ("<think>hm</think>Hi", [TaggedText("hm", THINK), TaggedText("Hi")]),
        (" \n<think>hm</think>\n\n Hi", [TaggedText("hm", THINK), TaggedText("Hi")]),
        ("<think></think>Hi", [TaggedText("Hi")]),
        ("<think>hm", [TaggedText("hm", THINK)]),
        ("<think>a<b</thin", [TaggedText("a<b</thin", THINK)]),
        ("Hi <think>hm</think>", [TaggedText("Hi <think>hm</think>")]),
        ("<thin", [TaggedText("<thin")]),
        ("<thing>", [TaggedText("<thing>")]),
        ("  ", [TaggedText("  ")]),
        ("a<tool_call>{}</tool_call>b", [TaggedText("a"), call("{}"), TaggedText("b")]),
        ("<tool_call>1</tool_call><tool_call>2</tool_call>", [call("1"), call("2")]),
        ("<tool_call>{", [call("{", "<tool_call>{")]),
        ("<tool_call>{}</tool_", [call("{}</tool_", "<tool_call>{}</tool_")]),
        ("a<b<<tool_call>1</tool_call>", [TaggedText("a<b<"), call("1")]),
        ("a <tool_cal", [TaggedText("a <tool_cal")]),
        ("<think>hm</think><tool_call>1</tool_call>", [TaggedText("hm", THINK), call("1")]),
    ],
)
def test_tags_are_read_in_any_pieces(text: str, pieces: list[TaggedText], size: int) -> None:
    """Thoughts stand at the start only, calls anywhere; half a tag at the end is text (protocol 2.9, D42)."""
    assert read(text, {THINK, CALL}, size) == pieces


@pytest.mark.parametrize("size", [1, 3, 1_000_000])
@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("<reasoning>hm</reasoning>Hi", [TaggedText("hm", THINK), TaggedText("Hi")]),
        ("<reasoning>h</reasoning><reasoning>m</reasoning>\n1", [TaggedText("hm", THINK), TaggedText("1")]),
        ("<think>h</think> <reasoning>m</think></reasoning>1", [TaggedText("hm</think>", THINK), TaggedText("1")]),
        ("<reasoning>hm</reasoning> <rea", [TaggedText("hm", THINK), TaggedText("<rea")]),
        ("<reasoning>hm</reasoning> <real>", [TaggedText("hm", THINK), TaggedText("<real>")]),
        ("<reason>", [TaggedText("<reason>")]),
    ],
)
def test_thoughts_have_several_tags(text: str, pieces: list[TaggedText], size: int) -> None:
    """Each ends with its own, and another one may follow (github.com/browseros-ai/BrowserOS/issues/167)."""
    assert read(text, {THINK, "reasoning"}, size) == pieces


@pytest.mark.parametrize(
    ("tags", "pieces"),
    [
        ({THINK}, [TaggedText("hm", THINK), TaggedText("a<tool_call>1</tool_call>")]),
        ({CALL}, [TaggedText("<think>hm</think>a"), call("1")]),
    ],
)
def test_only_the_wanted_tags_are_read(tags: set[str], pieces: list[TaggedText]) -> None:
    """The others are text."""
    assert read("<think>hm</think>a<tool_call>1</tool_call>", tags) == pieces


def test_text_comes_at_once() -> None:
    """Only what may be the start of a tag waits."""
    markup = TagParser({CALL})
    assert markup.feed("Hello <to") == [TaggedText("Hello ")]
    assert markup.feed("day>") == [TaggedText("<today>")]


def test_after_the_end_comes_text() -> None:
    """What was flushed is not said again."""
    markup = TagParser({THINK, CALL})
    markup.feed("<think>hm")
    markup.flush()
    assert markup.feed("Hi</think>") == [TaggedText("Hi</think>")]
    assert markup.flush() == []
