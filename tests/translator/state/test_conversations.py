"""The rules of conversations."""

from typing import Any

import pytest
from openai.types.conversations import Conversation, ConversationDeletedResource

from diglot.translator import RequestError
from diglot.translator.state import conversations, ids

KEY = "0" * 32
HELLO = {"type": "message", "role": "user", "content": "Hi"}


def test_metadata() -> None:
    """Up to 16 entries of 64 and 512 characters."""
    full = {f"{i:064}": "v" * 512 for i in range(16)}
    assert conversations.metadata({"metadata": full}) == full
    assert conversations.metadata({"metadata": None}) == conversations.metadata({}) == {}


@pytest.mark.parametrize(
    ("value", "param", "code"),
    [
        ({str(i): "" for i in range(17)}, "metadata", "object_above_max_properties"),
        ({"k" * 65: ""}, "metadata", "property_name_above_max_length"),
        ({"k": "v" * 513}, "metadata.k", "string_above_max_length"),
        ({"k": 1}, "metadata.k", "invalid_type"),
        ({"k": None}, "metadata.k", "missing_required_parameter"),
        ([], "metadata", "invalid_type"),
    ],
)
def test_metadata_out_of_bounds(value: Any, param: str, code: str) -> None:
    """The error says which bound."""
    with pytest.raises(RequestError) as caught:
        conversations.metadata({"metadata": value})
    assert (caught.value.param, caught.value.code) == (param, code)


def test_new_metadata() -> None:
    """They replace others, so a client has to say which."""
    assert conversations.new_metadata({"metadata": {"a": "b"}}) == {"a": "b"}
    assert conversations.new_metadata({"metadata": None}) == {}
    with pytest.raises(RequestError, match="Missing required parameter: 'metadata'"):
        conversations.new_metadata({})


def test_items() -> None:
    """They get ids with the key of the conversation, or keep their own."""
    sent = [HELLO, {**HELLO, "id": "msg_mine"}, {"type": "vendor:thing"}, {"role": "user", "content": []}]
    made = conversations.new_items({"items": sent}, ids.ItemIds(KEY))
    assert [item["id"] for item in made] == [f"msg_{KEY}0000", "msg_mine", f"item_{KEY}0001", f"msg_{KEY}0002"]
    assert made[0]["content"] == [{"type": "input_text", "text": "Hi"}]
    assert conversations.new_items({}, ids.ItemIds(KEY)) == []


@pytest.mark.parametrize(
    ("value", "param", "code", "words"),
    [
        (None, "items", "missing_required_parameter", "Missing"),
        ([HELLO] * 21, "items", "array_above_max_length", "maximum length 20, but got an array with length 21"),
        (["Hi"], "item", "invalid_item", "expected an object, but got a string instead"),
        ([{"type": "item_reference", "id": "msg_1"}], "item", "invalid_item", "a reference is no item"),
        ([{"content": "Hi"}], "item", "invalid_item", "it has no 'type'"),
        ([{"type": "odd"}], "item", "invalid_item", "'odd' is no type of items"),
        ([{"type": "message", "content": "Hi"}], "item", "invalid_item", "a message has a role and content"),
        ([{"type": "message", "role": "user"}], "item", "invalid_item", "a message has a role and content"),
        ([{**HELLO, "id": "a b"}], "items[0].id", "invalid_value", "additional characters"),
        ([{**HELLO, "id": "msg_1"}] * 2, "input", None, "Duplicate item found with id msg_1"),
    ],
)
def test_what_is_no_item(value: Any, param: str, code: str | None, words: str) -> None:
    """Nothing of it is added."""
    with pytest.raises(RequestError, match=words) as caught:
        conversations.new_items({"items": value}, ids.ItemIds(KEY), required=True)
    assert (caught.value.status, caught.value.param, caught.value.code) == (400, param, code)


def test_items_that_are_there() -> None:
    """They are not added again."""
    conversations.expect_new([{"id": "msg_2"}], {"msg_1"})
    with pytest.raises(RequestError, match="Duplicate item found with id msg_1"):
        conversations.expect_new([{"id": "msg_1"}], {"msg_1"})


def test_objects() -> None:
    """The SDK reads them."""
    shown = conversations.shown("conv_1", 7, {"a": "b"})
    assert Conversation.model_validate(shown, strict=True).model_dump() == shown
    deleted = conversations.deleted("conv_1")
    assert ConversationDeletedResource.model_validate(deleted, strict=True).model_dump() == deleted
