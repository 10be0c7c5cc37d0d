from typing import Any

import pytest

from diglot.translator.stream.readings import Item, Items, kind_of, names_of


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"type": "message"}, "message"),
        ({"type": "output_text"}, "message"),
        ({"type": "refusal"}, "message"),
        ({"type": "reasoning"}, "reasoning"),
        ({"type": "function_call"}, "call"),
        ({"type": "shell_call"}, "call"),
        ({"type": "tool_search_call"}, "tool_search_call"),
        ({"type": "tool_search_call", "execution": "client"}, "call"),
        ({"type": "web_search_call"}, "web_search_call"),
        ({"type": ["x"]}, ""),
        ({}, ""),
    ],
)
def test_kinds_of_items(body: dict[str, Any], kind: str) -> None:
    """What the client runs is a call; a text without a message around it is a message."""
    assert kind_of(body) == kind


def test_names_are_texts() -> None:
    """Nothing else names an item."""
    assert names_of("a", "", None, 1, ["b"], "c") == ("a", "c")


# --- parts -----------------------------------------------------------------------------------------------------------


def test_parts_have_indexes() -> None:
    """The same index is the same part, per field."""
    item = Item("message")
    first, second, refusal = item.part("content", 0), item.part("content", 1), item.part("refusal", 0)
    assert len({first, second, refusal}) == 3
    assert item.parts == [first, second, refusal]
    assert item.part("content", 0) is first
    assert item.whole_part("content", 1) is second
    first.text.add("a")
    second.text.add("b")
    assert [item.has_heard("content", text) for text in ("ab", "a", "", "b", "abc")] == [
        True,
        False,
        False,
        False,
        False,
    ]
    assert [item.has_heard(field, text) for field in ("refusal", "x") for text in ("", "a")] == [
        True,
        False,
        True,
        False,
    ]


def test_parts_without_indexes() -> None:
    """R4: what comes belongs to the part that is open; an index that comes later is learned."""
    item = Item("message")
    part = item.part("content", None)
    assert item.part("content", None) is part
    assert item.part("content", 3) is part
    assert part.index == 3
    assert item.part("content", None) is part
    part.done = True
    other = item.part("content", None)
    assert other is not part
    assert item.whole_part("content", None) is other
    assert item.whole_part("content", 4) is other
    assert other.index == 4


def test_a_whole_part_without_an_index() -> None:
    """Said twice, it is the last one; with another text, it is another part."""
    item = Item("message")
    part = item.whole_part("content", None, "ab")
    part.text.add("ab")
    part.done = True
    assert item.whole_part("content", None, "ab") is part
    assert item.whole_part("content", None, "abc") is part
    assert item.whole_part("content", None) is part
    assert item.whole_part("content", None, "x") is not part


def test_parts_of_a_finished_item() -> None:
    """By their place; those that came without one, by their order."""
    item = Item("message")
    loose = item.part("content", None)
    assert item.nth_part("content", 0, 0) is loose
    new = item.nth_part("content", 2, 1)
    assert new is not loose
    assert item.nth_part("content", 2, 1) is new
    assert item.nth_part("refusal", 1, 0) not in (loose, new)


# --- items -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def items() -> Items:
    return Items(lambda kind, wire_kind: Item(kind))


def test_items_are_found_by_index_or_name(items: Items) -> None:
    """The index first, if the kind fits."""
    first = items.begin("message", "message", 0, ("a",))
    second = items.begin("message", "message", 1, ("b",))
    assert items.all == [first, second]
    assert items.find("message", 0, ("b",)) is first
    assert items.find("message", None, ("a",)) is first
    assert items.find("message", None, ("x", "b")) is second
    assert items.find("reasoning", 0, ("a",)) is None
    assert items.find("message", 7, ("a",)) is None
    assert items.of({"output_index": 1}, "message") is second
    assert items.of({"item_id": "new", "output_index": 2}, "message") is items.find("message", 2, ())


def test_an_item_without_an_index_learns_it(items: Items) -> None:
    """R4: some events have one and some have none."""
    item = items.begin("message", "message", None, ("a",))
    assert items.find("message", 3, ("a",)) is item
    assert item.index == 3
    assert items.find("message", 3, ()) is item


def test_the_open_item_of_a_kind(items: Items) -> None:
    """R4, R8: without index, or with a name that nobody knows, it is the one that is not done yet."""
    item = items.begin("message", "message", None, ("a",))
    assert items.find("message", None, ("other",)) is item
    assert items.find("message", None, ()) is item
    item.done = True
    assert items.find("message", None, ()) is None
    assert items.find("message", None, ("a",)) is item


def test_the_first_of_a_name_keeps_it(items: Items) -> None:
    """Some servers give every item the same id."""
    first = items.begin("message", "message", None, ("same",))
    first.done = True
    items.begin("message", "message", None, ("same",))
    assert items.find("message", None, ("same",)) is first


def test_announcements_that_repeat(items: Items) -> None:
    """A delta may come ahead of the announcement of its item."""
    assert items.announced("message", 0, ("a",)) is None
    item = items.begin("message", "message", 0, ("a",))
    assert items.announced("message", 0, ("a",)) is item
    assert items.announced("message", 0, ("b",)) is None
    assert items.announced("message", 0, ()) is item
    assert items.announced("message", None, ()) is None
    assert items.announced("reasoning", 0, ("a",)) is None
    item.done = True
    assert items.announced("message", 0, ("a",)) is None
    nameless = items.begin("message", "message", 1, ())
    assert items.announced("message", 1, ("c",)) is nameless
    assert items.announced("message", 2, ("c",)) is None


def test_a_finished_output_is_matched(items: Items) -> None:
    """By name, then by order within a kind; an item is matched once."""
    one = items.begin("message", "message", 0, ("a",))
    thought = items.begin("reasoning", "reasoning", 1, ("r",))
    two = items.begin("message", "message", 2, ("b",))
    message = "message"
    assert items.matched([(message, ("b",)), (message, ("a",))]) == [two, one]
    assert items.matched([(message, ()), (message, ("x",)), ("reasoning", ("a",))]) == [one, two, thought]
    assert items.matched([(message, ("new",)), (message, ("a",)), (message, ("b",))]) == [None, one, two]
    assert items.matched([(message, ("a",)), (message, ("a",)), (message, ("a",))]) == [one, two, None]
    assert items.matched([]) == []


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
    items = Items(lambda kind, wire_kind: Item(kind))
    item = items.begin("call", "function_call", 0, ("a",))
    assert not items.is_over(kind, index, names)
    item.done = True
    assert items.is_over(kind, index, names) is over
