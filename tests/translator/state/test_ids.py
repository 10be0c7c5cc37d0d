"""Ids that say where a thing is kept."""

from typing import Any

import pytest

from diglot.translator import RequestError
from diglot.translator.state import ids

KEY = "0123456789abcdef" * 2


def test_ids_of_a_response_carry_its_key() -> None:
    """The response has the key itself, its items have it with a number; all of them are found by it."""
    new_id = ids.ItemIds(KEY)
    made = [new_id("resp"), new_id("msg"), new_id("fc"), new_id("resp")]
    assert made == [f"resp_{KEY}", f"msg_{KEY}0000", f"fc_{KEY}0001", f"resp_{KEY}"]
    assert {ids.key_of(ident) for ident in made} == {KEY}
    assert all(ids.is_id(ident) for ident in made)


def test_numbers_go_on() -> None:
    """Also from a given number on, and beyond four digits."""
    new_id = ids.ItemIds(KEY, 0xFFFF)
    assert [new_id("rs"), new_id("rs")] == [f"rs_{KEY}ffff", f"rs_{KEY}10000"]


@pytest.mark.parametrize(
    ("item", "prefix"),
    [
        ({"type": "message"}, "msg"),
        ({"type": "function_call_output"}, "fco"),
        ({"type": "apply_patch_call_output"}, "apco"),
        ({"type": "vendor:thing"}, "item"),
        ({}, "item"),
        ({"type": []}, "item"),
    ],
)
def test_items_without_an_id_get_one(item: dict[str, Any], prefix: str) -> None:
    """It begins as those of its type do."""
    assert ids.of_item(item, ids.ItemIds(KEY)) == f"{prefix}_{KEY}0000"


@pytest.mark.parametrize("ident", ["resp_1", "msg_", f"MSG_{KEY}0000", f"resp_{KEY.upper()}", KEY, f"a b_{KEY}"])
def test_other_ids_have_no_key(ident: str) -> None:
    """They were not made here."""
    assert ids.key_of(ident) == ""


@pytest.mark.parametrize(
    ("value", "message", "code"),
    [
        (
            "r" * 65,
            "Invalid 'p': string too long. Expected a string with maximum length 64, but got a string with length 65 "
            "instead.",
            "string_above_max_length",
        ),
        (
            "resp_a b",
            "Invalid 'p': 'resp_a b'. Expected an ID that contains letters, numbers, underscores, or dashes, but this "
            "value contained additional characters.",
            "invalid_value",
        ),
        ("msg_1", "Invalid 'p': 'msg_1'. Expected an ID that begins with 'resp'.", "invalid_value"),
        (7, "Invalid type for 'p': expected a string, but got an integer instead.", "invalid_type"),
        ("", "Invalid 'p': ''. Expected an ID that contains", "invalid_value"),
    ],
)
def test_what_is_no_id(value: Any, message: str, code: str) -> None:
    """The error says in OpenAI's words why."""
    with pytest.raises(RequestError) as caught:
        ids.checked(value, "p", "resp")
    assert str(caught.value).startswith(message)
    assert (caught.value.param, caught.value.code) == ("p", code)


def test_what_is_an_id() -> None:
    """It is returned as it is."""
    assert ids.checked("resp_1", "p", "resp") == "resp_1"
    assert not ids.is_id(None)
    assert not ids.is_id("a" * 65)
