from typing import Any

import pytest

from diglot.translator.stream.to_chat.item_index import FinishedItem, ItemIndex
from diglot.translator.stream.to_chat.item_parts import ReceivedItem


@pytest.fixture
def items() -> ItemIndex:
    return ItemIndex()


def add(items: ItemIndex, kind: str, index: Any, names: tuple[str, ...]) -> ReceivedItem:
    item = ReceivedItem(kind)
    items.add(item, index, names)
    return item


def test_items_are_found_by_index_or_name(items: ItemIndex) -> None:
    """W30: the id first, then the place, if the kind fits."""
    first = add(items, "message", 0, ("a",))
    second = add(items, "message", 1, ("b",))
    assert items.all == [first, second]
    assert items.find("message", 0, ("b",)) is second
    assert items.find("message", 0, ("x",)) is first
    assert items.find("message", None, ("a",)) is first
    assert items.find("message", None, ("x", "b")) is second
    assert items.find("reasoning", 0, ("a",)) is None
    assert items.find("message", 7, ("a",)) is first
    assert items.item_of({"output_index": 1}, "message") is second
    assert items.is_named({"item_id": "a"}, "message")
    assert not items.is_named({"item_id": "a"}, "reasoning")
    assert items.item_of({"item_id": "new", "output_index": 2}, "message") is None


def test_an_item_without_an_index_learns_it(items: ItemIndex) -> None:
    """R4: some events have one and some have none."""
    item = add(items, "message", None, ("a",))
    assert items.find("message", 3, ("a",)) is item
    assert item.index == 3
    assert items.find("message", 3, ()) is item


def test_the_open_item_of_a_kind(items: ItemIndex) -> None:
    """R4, R8: without index, or with a name that nobody knows, it is the one that is not done yet."""
    item = add(items, "message", None, ("a",))
    assert items.find("message", None, ("other",)) is item
    assert items.find("message", None, ()) is item
    item.finish()
    assert items.find("message", None, ()) is None
    assert items.find("message", None, ("a",)) is item


def test_items_of_one_name(items: ItemIndex) -> None:
    """Some servers give every item the same id: the place decides, unless that is over and another one is open."""
    first = add(items, "message", 0, ("same",))
    second = add(items, "message", 1, ("same",))
    assert second.namesake is first
    assert items.find("message", None, ("same",)) is second
    assert items.find("message", 0, ("same",)) is first
    first.finish()
    assert items.find("message", 0, ("same",)) is second
    assert items.find("message", 0, ("same",), lambda item: True) is first
    second.finish()
    assert items.find("message", 0, ("same",)) is first


def test_calls_of_one_name(items: ItemIndex) -> None:
    """The id of the call tells them apart."""
    first = add(items, "call", 0, ("call_id c", "c", "same"))
    assert items.find_announced("call", 1, ("call_id d", "d", "same")) is None
    assert items.find("call", 1, ("call_id d", "d", "same")) is first.namesake is None
    second = add(items, "call", 1, ("call_id d", "d", "same"))
    assert items.find("call", 0, ("call_id d", "d", "same")) is second
    assert items.find("call", 1, ("call_id c", "c", "same")) is first
    assert items.match(
        [FinishedItem("call", ("call_id d", "d", "same")), FinishedItem("call", ("call_id c", "c", "same"))]
    ) == [
        second,
        first,
    ]


def test_places_that_stay(items: ItemIndex) -> None:
    """Some servers say 0 in each delta; the item that was announced last is meant."""
    first = add(items, "message", 0, ())
    assert items.find("message", 1, ()) is None
    first.finish()
    first.announce()
    assert items.find("message", 0, ()) is first
    assert items.find("message", 1, ()) is None
    second = add(items, "message", 1, ())
    second.announce()
    assert items.find("message", 0, ()) is second
    assert items.find("message", 5, ()) is second
    second.learn_names(("b",))
    assert items.find("message", 5, ("c",)) is None


def test_an_item_that_is_over_is_not_the_next_one(items: ItemIndex) -> None:
    """Its place says nothing against another id."""
    first = add(items, "message", 0, ("a",))
    first.finish()
    assert items.find("message", 0, ("b",)) is None
    assert items.find("message", 0, ("b",), lambda item: True) is first


def test_the_text_decides_last(items: ItemIndex) -> None:
    """Of events that end something, where id and place do not."""
    first, second = add(items, "message", 0, ()), add(items, "message", 1, ())
    assert items.find("message", 0, (), lambda item: item is second) is second
    assert items.find("message", 0, (), lambda item: True) is first
    assert items.find("message", 7, (), lambda item: item is second) is second
    assert items.find("message", 7, (), lambda item: False) is None


def test_announcements_that_repeat(items: ItemIndex) -> None:
    """A delta may come ahead of the announcement of its item."""
    assert items.find_announced("message", 0, ("a",)) is None
    item = add(items, "message", 0, ("a",))
    assert items.find_announced("message", 0, ("a",)) is item
    assert items.find_announced("message", 0, ("b",)) is None
    assert items.find_announced("message", 0, ()) is item
    assert items.find_announced("message", None, ()) is None
    assert items.find_announced("reasoning", 0, ("a",)) is None
    item.finish()
    assert items.find_announced("message", 0, ("a",)) is None
    nameless = add(items, "message", 1, ())
    assert items.find_announced("message", 1, ("c",)) is nameless
    assert items.find_announced("message", 2, ("c",)) is None


def test_a_finished_output_is_matched(items: ItemIndex) -> None:
    """By name, by text, then by order within a kind; an item is matched once."""
    one = add(items, "message", 0, ("a",))
    thought = add(items, "reasoning", 1, ("r",))
    two = add(items, "message", 2, ("b",))
    other = add(items, "reasoning", 3, ())

    def matched(*finished: tuple[Any, ...]) -> list[ReceivedItem | None]:
        return items.match([FinishedItem(*one) for one in finished])

    message = "message"
    assert matched((message, ("b",)), (message, ("a",))) == [two, one]
    assert matched((message, ()), (message, ("x",)), ("reasoning", ("a",))) == [one, two, thought]
    assert matched((message, ("new",)), (message, ("a",)), (message, ("b",))) == [None, one, two]
    assert matched((message, ("a",)), (message, ("a",)), (message, ("a",))) == [one, two, None]
    assert matched() == []
    two.part("content", 0).text.add("text")
    assert matched((message, ("new",), "text"), (message, ("new",), "text")) == [two, one]
    assert matched(("reasoning", ("new",), "text"), ("reasoning", ("r",))) == [other, thought]


@pytest.mark.parametrize(
    ("kind", "index", "names", "over"),
    [
        ("call", 0, ("a",), True),
        ("call", 0, (), False),
        ("call", 0, ("b",), False),
        ("call", 1, ("a",), False),
        ("call", None, ("a",), False),
        ("message", 0, ("a",), False),
    ],
)
def test_an_item_that_has_had_its_end(kind: str, index: Any, names: tuple[str, ...], over: bool) -> None:
    """It may be announced again, in its place and under its name."""
    items = ItemIndex()
    item = add(items, "call", 0, ("a",))
    assert not items.is_over(kind, index, names)
    item.finish()
    assert items.is_over(kind, index, names) is over
