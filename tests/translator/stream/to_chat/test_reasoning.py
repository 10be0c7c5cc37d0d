from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Profile
from diglot.translator.parts import reasoning
from diglot.translator.stream.to_chat.completion import Completion
from diglot.translator.stream.to_chat.context import CompletionContext
from diglot.translator.stream.to_chat.item_index import ItemIndex
from diglot.translator.stream.to_chat.reasoning import ReasoningReader
from diglot.translator.stream.to_chat.text_output import TextOutput

AT = {"output_index": 0, "item_id": "a", "content_index": 0}


class Scene:
    """A reader of reasoning, and what it writes."""

    def __init__(self, context: CompletionContext) -> None:
        self.out = Completion(context)
        self.report = context.context.report
        self.items = ItemIndex()
        self.reasoning = ReasoningReader(self.items, TextOutput(self.out, ()), context.context)

    def whole(self, body: dict[str, Any]) -> bool:
        """Take a finished item; return whether it could be kept."""
        item = self.items.item_of(AT, "reasoning") or self.reasoning.begin(0, ("a",))
        kept = self.reasoning.finish(item, body)
        item.finish()
        self.reasoning.queue.advance()
        return kept

    @property
    def message(self) -> dict[str, Any]:
        self.reasoning.queue.close()
        self.out.end("stop")
        message = self.out.answer["choices"][0]["message"]
        return {name: value for name, value in message.items() if value and name != "role"}

    @property
    def losses(self) -> list[str]:
        return [str(loss) for loss in self.report]


@pytest.fixture
def scene(make_context: Callable[..., CompletionContext]) -> Callable[..., Scene]:
    return lambda expose="auto": Scene(make_context(profile=Profile(reasoning_expose=expose)))


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
    act = scene(expose)
    act.whole(BOTH)
    assert act.message.get("reasoning_content") == expected


def test_what_comes_first_is_shown(scene: Callable[..., Scene]) -> None:
    """If nobody chose, the item does; what was streamed of it is not said again."""
    act = scene()
    act.reasoning.add("summary", {**AT, "summary_index": 0}, "")
    act.reasoning.add("summary", {**AT, "summary_index": 0}, "s")
    act.reasoning.add("content", AT, "c")
    act.reasoning.finish_part("content", AT, "c")
    act.reasoning.finish_part("summary", {**AT, "summary_index": 0}, "s1")
    act.reasoning.finish_part("summary", {**AT, "summary_index": 1}, "")
    act.whole(BOTH)
    act.whole(BOTH)
    assert act.message == {"reasoning_content": "s1\n\ns2"}
    assert not act.losses


@pytest.mark.parametrize("parts", [None, "x", [], [None], [{"text": 5}], [{"text": ""}]])
def test_reasoning_without_text(scene: Callable[..., Scene], parts: Any) -> None:
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
    assert reasoning.from_details(act.message) == ([SEALED], [])


def test_switched_off_nothing_travels(scene: Callable[..., Scene]) -> None:
    """The client wants no reasoning."""
    act = scene("off")
    act.whole(SEALED)
    assert act.message == {}


def test_what_is_too_deep_cannot_travel(scene: Callable[..., Scene]) -> None:
    """It could not be encoded."""
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    act = scene()
    assert not act.whole({**SEALED, "more": deep})
    assert act.message == {}


def test_reasoning_that_ends_elsewhere(scene: Callable[..., Scene]) -> None:
    """The text says which one it is; another one is another."""
    act = scene()
    act.reasoning.add("summary", {"output_index": 0, "summary_index": 0}, "a")
    act.reasoning.finish_part("summary", {"output_index": 1, "summary_index": 0}, "ab")
    act.reasoning.finish_part("summary", {"output_index": 2, "summary_index": 0}, "x")
    assert act.message == {"reasoning_content": "ab\n\nx"}
