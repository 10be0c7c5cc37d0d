from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator.stream.to_chat.completion import Completion
from diglot.translator.stream.to_chat.context import CompletionContext
from diglot.translator.stream.to_chat.item_index import ItemIndex
from diglot.translator.stream.to_chat.item_parts import ReceivedItem
from diglot.translator.stream.to_chat.text_output import TextOutput
from diglot.translator.stream.to_chat.texts import MessageReader

AT = {"output_index": 0, "item_id": "a", "content_index": 0}


class Scene:
    """Readers of messages and of reasoning, and what they write."""

    def __init__(self, context: CompletionContext) -> None:
        self.out = Completion(context)
        self.report = context.context.report
        output, items = TextOutput(self.out, context.stops), ItemIndex()
        self.messages = MessageReader(items, output, context.context)
        self.items = items

    def whole(self, body: dict[str, Any], index: int = 0) -> ReceivedItem:
        """Take a finished message."""
        item = self.items.item_of(AT, "message") or self.messages.begin(body, index, ("a",))
        self.messages.finish(item, body)
        item.finish()
        self.messages.queue.advance()
        return item

    @property
    def message(self) -> dict[str, Any]:
        self.messages.queue.close()
        self.out.end("stop")
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
def scene(make_context: Callable[..., CompletionContext]) -> Callable[..., Scene]:
    return lambda *stops: Scene(make_context(*stops))


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
        act.messages.add_text({**AT, "logprobs": tokens}, piece)
    assert act.message == {"content": "Hi!"}
    assert act.tokens == ["Hi", "Hi"]


def test_pieces_go_where_they_belong(scene: Callable[..., Scene]) -> None:
    """Whatever came before them."""
    act = scene()
    act.messages.add_text(AT, "a1")
    act.messages.add_text({**AT, "output_index": 1, "item_id": "b"}, "b1")
    act.messages.add_text(AT, "a2")
    act.messages.forget_address()
    act.messages.add_text(AT, "a3")
    act.messages.add_refusal({**AT, "content_index": 1}, "no")
    act.messages.add_refusal({**AT, "content_index": 1}, "")
    assert act.message == {"content": "a1a2a3\n\nb1", "refusal": "no"}


def test_a_part_is_told(scene: Callable[..., Scene]) -> None:
    """The text, or the refusal, that was not streamed."""
    act = scene()
    act.messages.add_text(AT, "H")
    act.messages.finish_part(AT, text("Hi", logprobs=[TOKEN]))
    act.messages.finish_part({**AT, "content_index": 1}, {"type": "refusal", "refusal": "No"})
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
        act.messages.add_text({"item_id": "a"}, piece)
    act.whole({"type": "message", "content": [text("a"), text("b")]})
    assert act.message == {"content": "ab"}
    assert not act.losses


def test_a_part_without_a_text(scene: Callable[..., Scene]) -> None:
    """It is no part of what was streamed."""
    act = scene()
    act.messages.add_text({"item_id": "a"}, "ab")
    act.whole({"type": "message", "content": [text("a"), {"type": "output_text"}, text("b")]})
    assert act.message == {"content": "ab"}


def test_parts_that_chat_does_not_know(scene: Callable[..., Scene]) -> None:
    """They are reported, the others are said."""
    act = scene()
    act.whole({"type": "message", "content": [{"type": "output_audio"}, "x", {"type": ["y"]}, text("a")]})
    assert act.message == {"content": "a"}
    assert act.losses == [
        "dropped content: chat has no equivalent of 'output_audio'",
        "dropped content: chat has no equivalent of something without a valid name",
    ]


def test_citations_move_with_their_text(scene: Callable[..., Scene]) -> None:
    """By what stands before it in code points, separators included."""
    act = scene()
    act.whole({"type": "message", "content": [text("\U0001f600a", link(0, 1)), text("bc", link(1, 2))]})
    act.messages.add_text({"output_index": 1, "item_id": "b", "content_index": 0}, "def")
    act.messages.cite({"output_index": 1, "item_id": "b", "content_index": 0, "annotation": link(0, 3)})
    message = act.message
    assert message["content"] == "\U0001f600abc\n\ndef"
    assert cited(message) == [(0, 1), (3, 4), (6, 9)]


def test_citations_come_once(scene: Callable[..., Scene]) -> None:
    """Each in an event of its own, and all of them again in the part; what was missed is repaired."""
    act = scene()
    act.messages.add_text(AT, "abc")
    for index in (0, 0, None):
        act.messages.cite({**AT, "annotation_index": index, "annotation": link(0, 1)})
    act.messages.finish_part(AT, text("abc", link(0, 1), link(0, 1), link(1, 2)))
    act.whole({"type": "message", "content": [text("abc")]})
    assert cited(act.message) == [(0, 1), (0, 1), (1, 2)]


def test_citations_that_chat_cannot_hold(scene: Callable[..., Scene]) -> None:
    """Files have no address."""
    act = scene()
    act.whole({"type": "message", "content": [text("abc", {"type": "file_citation", "file_id": "f"})]})
    assert "annotations" not in act.message
    assert act.losses == ["dropped annotations: chat has only URL citations"]


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
    assert act.losses == ["dropped annotations: the cited text comes after a stop sequence"]


# --- W30, W31 --------------------------------------------------------------------------------------------------------


def test_a_text_that_is_announced_twice(scene: Callable[..., Scene]) -> None:
    """The first word counts, and nothing is announced that came already."""
    act = scene()
    act.messages.add_text(AT, "")
    act.messages.announce_part(AT, text("Hel"))
    act.messages.announce_part(AT, text("Hello"))
    act.messages.add_text(AT, "lo")
    act.messages.announce_part(AT, text("Hello"))
    act.messages.announce_part({"output_index": 5}, text(""))
    assert act.message == {"content": "Hello"}


def test_the_log_probabilities_of_a_text_that_is_repeated(scene: Callable[..., Scene]) -> None:
    """They are those of its pieces."""
    act = scene()
    act.messages.announce_part(AT, text("Hi"))
    act.messages.add_text({**AT, "logprobs": [TOKEN]}, "H")
    act.messages.finish_part(AT, text("Hi", logprobs=[TOKEN, TOKEN]))
    assert act.message == {"content": "Hi"}
    assert act.tokens == ["Hi"]
