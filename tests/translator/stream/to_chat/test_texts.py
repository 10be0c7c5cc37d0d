from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.parts import reasoning
from diglot.translator.stream.to_chat.completion import Completion
from diglot.translator.stream.to_chat.item_index import ItemIndex
from diglot.translator.stream.to_chat.item_parts import ReceivedItem
from diglot.translator.stream.to_chat.texts import MessageReader, ReasoningReader
from diglot.translator.stream.to_chat.turn_order import TextOutput

AT = {"output_index": 0, "item_id": "a", "content_index": 0}


class Scene:
    """Readers of messages and of thoughts, and what they say."""

    def __init__(self, out: Completion, report: Report, stops: tuple[str, ...], expose: Any) -> None:
        context = Context(Profile(reasoning_expose=expose), report)
        self.out, self.report = out, report
        self.broken: list[str] = []
        self.speech = TextOutput(out, stops)
        self.items = ItemIndex(self.make)
        self.messages = MessageReader(self.items, self.speech, context)
        self.thoughts = ReasoningReader(self.items, self.speech, context, self.broken.append)

    def make(self, kind: str, body: dict[str, Any]) -> ReceivedItem:
        item = ReceivedItem(kind)
        if kind == "message":
            self.messages.line.add(item)
        else:
            self.thoughts.add(item)
        return item

    def whole(self, body: dict[str, Any]) -> ReceivedItem:
        """Take a finished item."""
        item = self.items.of(AT, body["type"])
        (self.messages if body["type"] == "message" else self.thoughts).whole(item, body)
        item.done = True
        return item

    @property
    def message(self) -> dict[str, Any]:
        self.messages.line.close()
        self.thoughts.line.close()
        self.messages.add_citations()
        self.thoughts.add_details()
        message = self.out.answer["choices"][0]["message"]
        return {name: value for name, value in message.items() if value and name != "role"}

    @property
    def tokens(self) -> list[str]:
        logprobs = self.out.answer["choices"][0]["logprobs"] or {"content": []}
        return [token["token"] for token in logprobs["content"]]

    @property
    def losses(self) -> list[str]:
        return [str(loss) for loss in self.report]


@pytest.fixture
def scene(new_id: Callable[[str], str], clock: Callable[[], float]) -> Callable[..., Scene]:
    def make(*stops: str, expose: str = "auto") -> Scene:
        report = Report()
        return Scene(Completion("m", False, False, report, new_id, clock), report, stops, expose)

    return make


def text(words: str, *annotations: Any, **more: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": words, "annotations": list(annotations), **more}


def link(start: int, end: int) -> dict[str, Any]:
    return {"type": "url_citation", "url": "u", "title": "t", "start_index": start, "end_index": end}


def cited(message: dict[str, Any]) -> list[tuple[int, int]]:
    links = [entry["url_citation"] for entry in message.get("annotations", [])]
    return [(link["start_index"], link["end_index"]) for link in links]


TOKEN = {"token": "Hi", "logprob": -0.5, "top_logprobs": []}


# --- messages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stops", [(), ("STOP",)])
def test_text_goes_on(scene: Callable[..., Scene], stops: tuple[str, ...]) -> None:
    """With its log-probabilities; an empty piece says nothing."""
    act = scene(*stops)
    for piece, tokens in (("", []), ("H", [TOKEN]), ("i", None), ("", [TOKEN]), ("!", [])):
        act.messages.text({**AT, "logprobs": tokens}, piece)
    assert act.message == {"content": "Hi!"}
    assert act.tokens == ["Hi", "Hi"]


def test_pieces_go_where_they_belong(scene: Callable[..., Scene]) -> None:
    """Whatever came before them."""
    act = scene()
    act.messages.text(AT, "a1")
    act.messages.text({**AT, "output_index": 1, "item_id": "b"}, "b1")
    act.messages.text(AT, "a2")
    act.messages.look_up()
    act.messages.text(AT, "a3")
    act.messages.refusal({**AT, "content_index": 1}, "no")
    act.messages.refusal({**AT, "content_index": 1}, "")
    assert act.message == {"content": "a1a2a3\n\nb1", "refusal": "no"}


def test_a_part_is_told(scene: Callable[..., Scene]) -> None:
    """The text, or the refusal, that was not streamed."""
    act = scene()
    act.messages.text(AT, "H")
    act.messages.told(AT, text("Hi", logprobs=[TOKEN]))
    act.messages.told({**AT, "content_index": 1}, {"type": "refusal", "refusal": "No"})
    assert act.message == {"content": "Hi", "refusal": "No"}
    assert act.tokens == ["Hi"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ([text("a"), text("b")], {"content": "ab"}),
        (
            [text("a"), {"type": "refusal", "refusal": "no"}, {"type": "text", "text": "b"}],
            {"content": "ab", "refusal": "no"},
        ),
        ("ab", {"content": "ab"}),
        ([], {}),
        (None, {}),
        ([{"type": "output_text"}, text("a")], {"content": "a"}),
    ],
)
def test_a_whole_message(scene: Callable[..., Scene], content: Any, expected: dict[str, Any]) -> None:
    """Parts are joined with nothing; a text may be the content itself."""
    act = scene()
    act.whole({"type": "message", "content": content})
    assert act.message == expected
    assert not act.losses


def test_a_message_is_what_was_streamed(scene: Callable[..., Scene]) -> None:
    """R4: nothing is said twice because its pieces came without an index of their part."""
    act = scene()
    for piece in "ab":
        act.messages.text({"item_id": "a"}, piece)
    act.whole({"type": "message", "content": [text("a"), text("b")]})
    assert act.message == {"content": "ab"}
    assert not act.losses


def test_parts_that_chat_does_not_know(scene: Callable[..., Scene]) -> None:
    """They are reported, the others are said."""
    act = scene()
    act.whole({"type": "message", "content": [{"type": "output_audio"}, "x", {"type": ["y"]}, text("a")]})
    assert act.message == {"content": "a"}
    assert act.losses == [
        "dropped content: chat has no part 'output_audio'",
        "dropped content: chat has no part something without a proper name",
    ]


def test_citations_move_with_their_text(scene: Callable[..., Scene]) -> None:
    """By what stands before it in code points, separators included."""
    act = scene()
    act.whole({"type": "message", "content": [text("\U0001f600a", link(0, 1)), text("bc", link(1, 2))]}).done = True
    act.messages.text({"output_index": 1, "item_id": "b", "content_index": 0}, "def")
    act.messages.cite({"output_index": 1, "item_id": "b", "content_index": 0, "annotation": link(0, 3)})
    message = act.message
    assert message["content"] == "\U0001f600abc\n\ndef"
    assert cited(message) == [(0, 1), (3, 4), (6, 9)]


def test_citations_come_once(scene: Callable[..., Scene]) -> None:
    """Each in an event of its own, and all of them again in the part; what was missed is repaired."""
    act = scene()
    act.messages.text(AT, "abc")
    for index in (0, 0, None):
        act.messages.cite({**AT, "annotation_index": index, "annotation": link(0, 1)})
    act.messages.told(AT, text("abc", link(0, 1), link(0, 1), link(1, 2)))
    act.whole({"type": "message", "content": [text("abc")]})
    assert cited(act.message) == [(0, 1), (0, 1), (1, 2)]


def test_citations_that_chat_cannot_hold(scene: Callable[..., Scene]) -> None:
    """Files have no address."""
    act = scene()
    act.whole({"type": "message", "content": [text("abc", {"type": "file_citation", "file_id": "f"})]})
    assert "annotations" not in act.message
    assert act.losses == ["dropped annotations: chat knows citations of URLs only"]


def test_citations_of_a_part_without_text(scene: Callable[..., Scene]) -> None:
    """They came late, behind something else: their places are those in the whole text."""
    act = scene()
    act.whole({"type": "message", "content": [text("abc"), {"type": "refusal", "refusal": "no"}, text("", link(1, 2))]})
    assert cited(act.message) == [(1, 2)]


def test_citations_behind_a_stop_sequence(scene: Callable[..., Scene]) -> None:
    """Their words were cut off."""
    act = scene("STOP")
    act.whole({"type": "message", "content": [text("abSTOPcd", link(0, 2), link(6, 8))]})
    message = act.message
    assert message["content"] == "ab"
    assert cited(message) == [(0, 2)]
    assert act.losses == ["dropped annotations: the words in question come after a stop sequence"]


# --- thoughts --------------------------------------------------------------------------------------------------------

BOTH = {
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "s1"}, {"type": "summary_text", "text": "s2"}],
    "content": [{"type": "reasoning_text", "text": "c"}],
}


@pytest.mark.parametrize(
    ("expose", "expected"),
    [("auto", "c"), ("both", "c"), ("content", "c"), ("summary", "s1\n\ns2"), ("off", None)],
)
def test_one_kind_is_shown(scene: Callable[..., Scene], expose: str, expected: str | None) -> None:
    """The other one says the same."""
    act = scene(expose=expose)
    act.whole(BOTH)
    assert act.message.get("reasoning_content") == expected


def test_what_comes_first_is_shown(scene: Callable[..., Scene]) -> None:
    """If nobody chose, the item does; what was streamed of it is not said again."""
    act = scene()
    act.thoughts.text("summary", {**AT, "summary_index": 0}, "")
    act.thoughts.text("summary", {**AT, "summary_index": 0}, "s")
    act.thoughts.text("content", AT, "c")
    act.thoughts.told("content", AT, "c")
    act.thoughts.told("summary", {**AT, "summary_index": 0}, "s1")
    act.thoughts.told("summary", {**AT, "summary_index": 1}, "")
    act.whole(BOTH)
    act.whole(BOTH)
    assert act.message == {"reasoning_content": "s1\n\ns2"}
    assert not act.losses


@pytest.mark.parametrize("parts", [None, "x", [], [None], [{"text": 5}], [{"text": ""}]])
def test_thoughts_without_text(scene: Callable[..., Scene], parts: Any) -> None:
    """Nothing is shown."""
    act = scene()
    act.whole({"type": "reasoning", "summary": parts, "content": parts})
    assert act.message == {}


SEALED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}


def test_what_only_the_server_can_read_travels(scene: Callable[..., Scene]) -> None:
    """The item comes back as it is when the client echoes what it got; told again, the first one counts."""
    act = scene()
    act.whole(SEALED)
    act.whole({**SEALED, "id": "rs_2"})
    assert reasoning.items_of(act.message) == [SEALED]


def test_switched_off_nothing_travels(scene: Callable[..., Scene]) -> None:
    """The client wants no reasoning."""
    act = scene(expose="off")
    act.whole(SEALED)
    assert act.message == {}


def test_what_is_too_deep_cannot_travel(scene: Callable[..., Scene]) -> None:
    """It could not be encoded."""
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    act = scene()
    act.whole({**SEALED, "more": deep})
    assert act.message == {}
    assert act.broken == ["a value that is nested too deeply"]


# --- W30, W31 --------------------------------------------------------------------------------------------------------


def test_a_text_that_is_announced_twice(scene: Callable[..., Scene]) -> None:
    """The first word counts, and nothing is announced that came already."""
    act = scene()
    act.messages.text(AT, "")
    act.messages.foresee(AT, text("Hel"))
    act.messages.foresee(AT, text("Hello"))
    act.messages.text(AT, "lo")
    act.messages.foresee(AT, text("Hello"))
    act.messages.foresee({"output_index": 5}, text(""))
    assert act.message == {"content": "Hello"}


def test_the_log_probabilities_of_a_text_that_is_repeated(scene: Callable[..., Scene]) -> None:
    """They are those of its pieces."""
    act = scene()
    act.messages.foresee(AT, text("Hi"))
    act.messages.text({**AT, "logprobs": [TOKEN]}, "H")
    act.messages.told(AT, text("Hi", logprobs=[TOKEN, TOKEN]))
    assert act.message == {"content": "Hi"}
    assert act.tokens == ["Hi"]


def test_a_thought_that_ends_elsewhere(scene: Callable[..., Scene]) -> None:
    """The text says which one it is; another one is another."""
    act = scene()
    act.thoughts.text("summary", {"output_index": 0, "summary_index": 0}, "a")
    act.thoughts.told("summary", {"output_index": 1, "summary_index": 0}, "ab")
    act.thoughts.told("summary", {"output_index": 2, "summary_index": 0}, "x")
    assert act.message == {"reasoning_content": "ab\n\nx"}
