"""Whatever a client sends, the rules of state end with a value or with an error of the caller's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator import RequestError
from diglot.translator.state import conversations, history, ids, needs, truncation

KEY = "0" * 32
WORDS = st.sampled_from(
    [
        *("id", "type", "role", "content", "call_id", "output", "status", "tool_calls", "tool_call_id", "execution"),
        *("message", "function_call", "function_call_output", "local_shell_call", "local_shell_call_output"),
        *("item_reference", "compaction", "compaction_trigger", "assistant", "user", "tool", "incomplete", "msg_1"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
ITEMS = st.lists(st.dictionaries(WORDS, VALUES, max_size=5), max_size=4)
BEFORE = [{"type": "message", "id": "msg_1", "role": "user", "content": "Hi"}]


@given(st.dictionaries(st.sampled_from(["input", "previous_response_id", "conversation"]), VALUES | ITEMS))
def test_requests(body: dict[str, Any]) -> None:
    """What they need, and what they stand for."""
    try:
        wanted = needs.of(body)
        made = history.expand(body, ids.ItemIds(KEY), inherited=BEFORE, in_conversation=wanted.conversation is not None)
    except RequestError as error:
        assert error.status in (400, 404)
    else:
        assert made.body["input"][: len(made.inherited)] == made.inherited
        assert len({item["id"] for item in made.own if item.get("type") != "local_shell_call_output"}) == len(
            [item for item in made.own if item.get("type") != "local_shell_call_output"]
        )


@given(ITEMS)
def test_truncation(items: list[dict[str, Any]]) -> None:
    """It is asked for when the items were read already, odd ones among them."""
    made = truncation.shortened({"input": items})
    assert made is None or len(made.body["input"]) == len(items) - len(made.dropped) < len(items)


@given(st.dictionaries(st.sampled_from(["items", "metadata"]), VALUES | ITEMS))
def test_conversations(body: dict[str, Any]) -> None:
    """Items and metadata."""
    for read in (lambda: conversations.new_items(body, ids.ItemIds(KEY)), lambda: conversations.metadata(body)):
        try:
            read()
        except RequestError as error:
            assert error.status == 400


@given(st.text(max_size=80))
def test_numbers_in_errors(words: str) -> None:
    """Any text is an upstream's message."""
    assert 0 < truncation.share_kept(words) < 1


def test_the_cases_are_not_all_refused() -> None:
    """A plain one of each is read."""
    made = history.expand({"input": [{"role": "user", "content": "Ho"}]}, ids.ItemIds(KEY), inherited=BEFORE)
    assert len(made.body["input"]) == 2
    with pytest.raises(RequestError):
        needs.of({"previous_response_id": []})
