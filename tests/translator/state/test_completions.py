"""Stored chat completions."""

from __future__ import annotations

from typing import Any

import pytest
from openai.pagination import SyncCursorPage
from openai.types.chat import ChatCompletion, ChatCompletionDeleted, ChatCompletionStoreMessage

from diglot.translator import RequestError
from diglot.translator.state import completions, pages, records

ANSWER = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": []}
KEPT = completions.StoredCompletion(
    ANSWER,
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
)


def test_queries() -> None:
    """Metadata are named one by one; lists begin with the oldest."""
    pairs = [("model", "m"), ("metadata[a]", "b"), ("metadata[c]", ""), ("limit", "3"), ("after", "chatcmpl.odd/id")]
    page = pages.Query("chatcmpl.odd/id", 3, False)
    assert completions.query(pairs) == completions.CompletionsQuery("m", {"a": "b", "c": ""}, page)
    nothing = completions.CompletionsQuery(None, {}, pages.Query(descending=False))
    assert completions.query([("model", ""), ("metadata[", "x")]) == nothing


@pytest.mark.parametrize(
    ("pairs", "param"),
    [
        ([(f"metadata[{'k' * 65}]", "")], "metadata"),
        ([("metadata[k]", "v" * 513)], "metadata.k"),
        ([("after", "x" * 129)], "after"),
        ([("limit", "0")], "limit"),
    ],
)
def test_what_is_refused(pairs: list[tuple[str, str]], param: str) -> None:
    """What is out of bounds."""
    with pytest.raises(RequestError) as caught:
        completions.query(pairs)
    assert caught.value.param == param


def test_what_is_written_comes_back() -> None:
    """With the metadata that it has by now."""
    kept = completions.decode("chatcmpl-1", completions.encode(KEPT))
    assert kept == KEPT
    shown = completions.shown(kept, {"a": "b"})
    assert shown == {**ANSWER, "metadata": {"a": "b"}}
    assert ChatCompletion.model_validate(shown, strict=True).id == "chatcmpl-1"


@pytest.mark.parametrize("value", [{}, {"answer": {}}, {"answer": [], "messages": []}])
def test_what_cannot_be_read(value: dict[str, Any]) -> None:
    """One clear error that names it."""
    with pytest.raises(records.DamagedRecord, match="'chatcmpl-1' is stored, but cannot be read"):
        completions.decode("chatcmpl-1", records.packed(value))


def test_messages() -> None:
    """The SDK reads and pages them."""
    page = completions.messages("chatcmpl-1", KEPT, completions.messages_query([("limit", "1")]))
    read: Any = SyncCursorPage[ChatCompletionStoreMessage].construct(**page)  # the types know assistants only
    assert (read.data[0].id, read.data[0].content, read.data[0].content_parts) == ("chatcmpl-1-0", "Be brief.", None)
    assert read.next_page_info().params == {"after": "chatcmpl-1-0"}
    asked = completions.messages_query([("after", "chatcmpl-1-0")])
    (second,) = completions.messages("chatcmpl-1", KEPT, asked)["data"]
    assert (second["content"], second["content_parts"]) == (None, [{"type": "text", "text": "Hi"}])


def test_objects() -> None:
    """As the service says it."""
    deleted = completions.deleted("chatcmpl-1")
    assert ChatCompletionDeleted.model_validate(deleted, strict=True).model_dump() == deleted
    error = completions.not_found("chatcmpl-1")
    assert (error.status, str(error)) == (404, "No chat completion found with id 'chatcmpl-1'.")
