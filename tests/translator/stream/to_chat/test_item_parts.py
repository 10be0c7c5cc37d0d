from typing import Any

import pytest

from diglot.translator.stream.to_chat.item_parts import ReceivedItem, kind_of, names_of_event, names_of_item


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
    assert [names_of_event({"item_id": name}) for name in ("a", "", None, 1, ["b"])] == [("a",), (), (), (), ()]


def test_a_call_has_the_name_of_its_item_and_its_own() -> None:
    """Some events call an item by the id of its call."""
    assert names_of_item({"call_id": "c", "id": "i"}, "x") == ("call_id c", "c", "i", "x")
    assert names_of_item({"call_id": None, "id": 5}) == ()


def test_an_item_is_another_one_if_it_is_another_call() -> None:
    """Servers may give all calls one id."""
    item = ReceivedItem("call")
    assert not item.is_other(("call_id c", "c", "i"))
    item.learn_names(("call_id c", "c", "i"))
    item.learn_names(("call_id d",))
    assert not item.is_other(("call_id c", "c", "i"))
    assert not item.is_other(("i",))
    assert item.is_other(("call_id d", "d", "i"))


# --- parts -----------------------------------------------------------------------------------------------------------


def test_parts_have_indexes() -> None:
    """The same index is the same part, per field."""
    item = ReceivedItem("message")
    first, second, refusal = item.part("content", 0), item.part("content", 1), item.part("refusal", 0)
    assert len({first, second, refusal}) == 3
    assert item.parts == [first, second, refusal]
    assert item.part("content", 0) is first
    assert item.whole_part("content", 1) is second
    first.text.add("a")
    second.text.add("b")
    assert [item.has_text("content", text) for text in ("ab", "a", "", "b", "abc")] == [
        True,
        False,
        False,
        False,
        False,
    ]
    assert [item.has_text(field, text) for field in ("refusal", "x") for text in ("", "a")] == [
        True,
        False,
        True,
        False,
    ]


def test_parts_without_indexes() -> None:
    """R4: what comes belongs to the part that is open; an index that comes later is learned."""
    item = ReceivedItem("message")
    part = item.part("content", None)
    assert item.part("content", None) is part
    assert item.part("content", 3) is part
    assert part.index == 3
    assert item.part("content", None) is part
    part.finish()
    other = item.part("content", None)
    assert other is not part
    assert item.whole_part("content", None) is other
    assert item.whole_part("content", 4) is other
    assert other.index == 4


def test_a_whole_part_without_an_index() -> None:
    """Said twice, it is the last one; with another text, it is another part."""
    item = ReceivedItem("message")
    part = item.whole_part("content", None, "ab")
    part.text.add("ab")
    part.finish()
    assert item.whole_part("content", None, "ab") is part
    assert item.whole_part("content", None, "abc") is part
    assert item.whole_part("content", None) is part
    assert item.whole_part("content", None, "x") is not part


def test_parts_of_a_finished_item() -> None:
    """By their place; those that came without one, by their order."""
    item = ReceivedItem("message")
    loose = item.part("content", None)
    assert item.nth_part("content", 0, 0) is loose
    new = item.nth_part("content", 2, 1)
    assert new is not loose
    assert item.nth_part("content", 2, 1) is new
    assert item.nth_part("refusal", 1, 0) not in (loose, new)


def test_indexes_that_count_events() -> None:
    """W30: where parts are announced, an index that was not means the part that is open."""
    item = ReceivedItem("message")
    item.announce_part("content", 0)
    item.announce_part("content", "x")
    part = item.part("content", 1)
    assert part.index == 0
    part.text.add("ab")
    assert [item.part("content", index) for index in (2, 3, 0)] == [part] * 3
    assert item.whole_part("content", 4, "ab") is part
    part.finish()
    assert item.whole_part("content", 5, "ab") is part
    assert item.nth_part("content", 0, 0, "ab") is part
    item.announce_part("content", 7)
    assert item.part("content", 7) not in (part, item.part("content", 8), item.whole_part("content", 9, "x"))[:1]


def test_an_index_that_stays() -> None:
    """W30: some servers say 0 in each delta; what was announced last is meant."""
    item = ReceivedItem("message")
    item.announce_part("content", 0)
    first = item.part("content", 0)
    first.finish()
    assert item.part("content", 0) is first
    item.announce_part("content", 1)
    second = item.part("content", 0)
    assert second is not first
    assert second.index == 1
    assert item.part("content", 0) is second
    assert item.whole_part("content", 1, "any") is second


def test_an_announced_part_whose_text_came_elsewhere() -> None:
    """W30: its end says so, and what repeats the end means the same part."""
    item = ReceivedItem("message")
    item.announce_part("content", 0)
    item.announce_part("content", 1)
    part = item.part("content", 0)
    part.text.add("a")
    assert item.whole_part("content", 1, "a") is part
    part.finish()
    assert item.whole_part("content", 1, "a") is part


def test_the_text_decides_where_places_do_not() -> None:
    """W30: of the closing event, after the id and the place."""
    item = ReceivedItem("message")
    first, second = item.part("content", 0), item.part("content", 1)
    first.text.add("a")
    second.text.add("b")
    assert item.whole_part("content", 0, "ax") is first
    assert item.whole_part("content", 0, "bx") is second
    assert item.whole_part("content", 5, "bx") is second
    assert item.whole_part("content", 0, "c") is first
    assert item.nth_part("content", 0, 1, "bx") is second
    assert item.nth_part("content", 0, 0, "c") is first
    assert item.nth_part("content", 4, 1, "bx") is second
    second.finish()
    assert item.whole_part("content", 5, "b") is second
    assert item.whole_part("content", 5, "bx").index == 5
    assert item.may_end_with("content", "x") is False
    assert item.may_end_with("refusal", "x") is False


def test_what_came_of_an_item() -> None:
    """All its texts, one behind the other; it may grow after its end."""
    item = ReceivedItem("message")
    assert not item.begins("a")
    for index, text in enumerate("ab"):
        item.part("content", index).text.add(text)
    assert item.received_text() == b"ab"
    assert [item.begins(text) for text in ("ab", "abc", "a", "ac", "", None)] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    assert [item.fits("content", texts) for texts in (["a", "b"], ["ax"], ["b"])] == [True, True, False]
    assert [item.beyond("content", text) for text in ("ab", "abc", "x")] == ["", "c", None]
    item.finish()
    assert item.has_text("content", "ab")
    item.last_part("content").text.add("c")
    item.reopen()
    assert item.has_text("content", "abc")
