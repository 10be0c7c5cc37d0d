import itertools
from typing import Any

import pytest

from diglot.translator.stream.to_responses.output import Output, OutputItem
from diglot.translator.wire.template import HOLE


class Word(OutputItem):
    """An item of words, which is ready and whole as it was set."""

    def __init__(self, ready: bool = True, whole: bool = True) -> None:
        super().__init__()
        self.ready = ready
        self.whole = whole
        self.settles = True

    def is_ready(self) -> bool:
        return self.ready

    def settle(self) -> None:
        self.ready = self.ready or self.settles

    def is_whole(self) -> bool:
        return self.whole

    def open(self, out: Output) -> None:
        self.out = out
        self._announce(out, "w", {"type": "word", "words": []})

    def say(self, word: str) -> None:
        self.body["words"].append(word)
        self.out.emit_for(self, "word.delta", delta=word)

    def close(self, status: str) -> None:
        self.body["status"] = status
        self.out.conclude(self)


def output(flavour: str = "openai") -> Output:
    count = itertools.count(1)
    return Output({"output": []}, lambda prefix: f"{prefix}_{next(count)}", flavour)


def story(out: Output) -> list[tuple[Any, ...]]:
    """The events since the last time: (type, place, delta)."""
    return [
        (event["type"].rpartition(".")[2], event.get("output_index"), *filter(None, [event.get("delta")]))
        for event in out.take_events()
    ]


def test_events_are_numbered_from_zero() -> None:
    """Events about the answer and about items share one count, whoever takes them when."""
    out, item = output(), Word()
    out.emit("response.created")
    assert [event["sequence_number"] for event in out.take_events()] == [0]
    out.add(item)
    item.when_live(item.say, "a")
    assert [event["sequence_number"] for event in out.take_events()] == [1, 2]
    assert out.take_events() == []


def test_an_item_is_announced_with_its_id_and_place() -> None:
    """What is announced stays as it was when the item grows."""
    out, item = output(), Word()
    out.add(item)
    item.when_live(item.say, "a")
    added, grown = out.take_events()
    assert added["item"] == {"id": "w_1", "type": "word", "words": []}
    assert (grown["item_id"], grown["output_index"]) == ("w_1", 0)
    assert out.answer["output"] == [{"id": "w_1", "type": "word", "words": ["a"]}]
    assert out.last is item


def test_a_whole_item_closes_when_another_begins() -> None:
    """Items follow each other, and never overlap."""
    out, one, other = output(), Word(), Word()
    out.add(one)
    out.add(other)
    other.when_live(other.say, "b")
    out.close_all("incomplete")
    assert story(out) == [("added", 0), ("done", 0), ("added", 1), ("delta", 1, "b"), ("done", 1)]
    assert [item["status"] for item in out.answer["output"]] == ["completed", "incomplete"]
    assert out.last is None


def test_later_items_wait_for_one_that_is_not_whole() -> None:
    """What belongs to them happens when their turn has come (5.4: fragments of calls may be mixed)."""
    out, one, other, third = output(), Word(whole=False), Word(), Word()
    for item in (one, other, third):
        out.add(item)
    other.when_live(other.say, "b")
    third.when_live(third.say, "c")
    one.when_live(one.say, "a")
    assert story(out) == [("added", 0), ("delta", 0, "a")]
    out.close_all("completed")
    assert story(out)[1:] == [
        ("added", 1),
        ("delta", 1, "b"),
        ("done", 1),
        ("added", 2),
        ("delta", 2, "c"),
        ("done", 2),
    ]
    assert [item["status"] for item in out.answer["output"]] == ["completed"] * 3


def test_an_item_opens_when_it_is_ready() -> None:
    """Until its head is known it is not announced; then what waited follows."""
    out, item = output(), Word(ready=False)
    out.add(item)
    item.when_live(item.say, "a")
    out.begin_first()
    assert story(out) == []
    item.ready = True
    out.begin_first()
    out.begin_first()
    assert story(out) == [("added", 0), ("delta", 0, "a")]


def test_what_does_not_come_is_settled_when_another_begins() -> None:
    """An item that waits for its head has to do without it."""
    out, item = output(), Word(ready=False)
    out.add(item)
    out.add(Word())
    assert story(out) == [("added", 0), ("done", 0), ("added", 1)]


def test_an_item_that_can_never_open_leaves_nothing() -> None:
    """It is neither announced nor done, and those behind it are."""
    out, item, other = output(), Word(ready=False), Word()
    item.settles = False
    out.add(item)
    out.add(other)
    out.close_all("incomplete")
    assert story(out) == [("added", 0), ("done", 0)]
    assert out.answer["output"] == [other.body]


@pytest.mark.parametrize(
    ("flavour", "name"), [("openai", "response.reasoning_text.delta"), ("openresponses", "response.reasoning.delta")]
)
def test_flavours_have_names_of_their_own(flavour: str, name: str) -> None:
    """Open Responses calls the events of reasoning otherwise (appendix A)."""
    out, item = output(flavour), Word()
    out.add(item)
    out.emit_for(item, "response.reasoning_text.delta", delta="a")
    assert out.take_events()[-1]["type"] == name


def test_an_item_must_say_how_it_opens_and_closes() -> None:
    """The base is ready and whole, no text of it grows, and that is all."""
    assert OutputItem.__abstractmethods__ == {"open", "close"}
    with pytest.raises(TypeError):
        OutputItem()  # pyright: ignore[reportAbstractUsage]

    class Plain(OutputItem):
        def open(self, out: Output) -> None: ...

        def close(self, status: str) -> None: ...

    item = Plain()
    item.settle()
    assert item.is_ready()
    assert item.is_whole()
    assert item.delta_event() is None
    assert item.piece_reader() is None


class Growing(Word):
    """An item whose text grows."""

    def delta_event(self) -> tuple[str, dict[str, Any]]:
        return "response.word.delta", {"delta": ""}


@pytest.mark.parametrize(("new_id", "grows"), [("w_1", True), (f"w_{HOLE}", False)])
def test_a_text_grows_where_there_is_a_template(new_id: str, grows: bool) -> None:
    """An id that looks like a hole has none: its pieces go the general path."""
    out = Output({"output": []}, lambda prefix: new_id, "openai")
    item = Growing()
    out.add(item)
    assert (out.piece_writer() is not None) == grows
