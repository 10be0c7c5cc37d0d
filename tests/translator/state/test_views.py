"""What is shown of stored responses."""

from typing import Any

import pytest

from diglot.translator.state import pages, records, views

IMAGE = {"type": "input_image", "image_url": "data:...", "detail": "auto"}
LOGPROBS = {"type": "output_text", "text": "x", "logprobs": [{"token": "x"}]}

OPTIONAL: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "file_search_call.results",
        {"type": "file_search_call", "results": [{"text": "x"}]},
        {"type": "file_search_call", "results": None},
    ),
    ("web_search_call.results", {"type": "web_search_call", "results": ["x"]}, {"type": "web_search_call"}),
    (
        "web_search_call.action.sources",
        {"type": "web_search_call", "action": {"type": "search", "sources": ["x"]}},
        {"type": "web_search_call", "action": {"type": "search"}},
    ),
    (
        "message.input_image.image_url",
        {"type": "message", "content": [IMAGE, "?"]},
        {"type": "message", "content": [{**IMAGE, "image_url": None}, "?"]},
    ),
    (
        "message.output_text.logprobs",
        {"type": "message", "content": [LOGPROBS, {"type": "refusal"}]},
        {"type": "message", "content": [{**LOGPROBS, "logprobs": []}, {"type": "refusal"}]},
    ),
    (
        "computer_call_output.output.image_url",
        {"type": "computer_call_output", "output": {"type": "computer_screenshot", "image_url": "x"}},
        {"type": "computer_call_output", "output": {"type": "computer_screenshot"}},
    ),
    (
        "code_interpreter_call.outputs",
        {"type": "code_interpreter_call", "outputs": [{"logs": "x"}]},
        {"type": "code_interpreter_call", "outputs": None},
    ),
    (
        "reasoning.encrypted_content",
        {"type": "reasoning", "summary": [], "encrypted_content": "x"},
        {"type": "reasoning", "summary": []},
    ),
]


def test_every_name_has_a_case() -> None:
    """Of those that `include` may have."""
    assert {name for name, _, _ in OPTIONAL} == set(pages.INCLUDABLE)


@pytest.mark.parametrize(("name", "item", "less"), OPTIONAL, ids=[name for name, _, _ in OPTIONAL])
def test_optional_members(name: str, item: dict[str, Any], less: dict[str, Any]) -> None:
    """They come when they are asked for; an item without them stays as it is."""
    assert views.one(item, frozenset({name})) == item
    assert views.one(item, frozenset()) == less
    assert views.one(less, frozenset()) == less


@pytest.mark.parametrize(
    "item",
    [
        {"type": "message", "content": "text"},
        {"type": []},
        {"type": "computer_call_output", "output": "x"},
        {"type": "web_search_call", "action": None},
        {"type": "vendor:thing", "results": ["x"]},
    ],
)
def test_other_items_stay(item: dict[str, Any]) -> None:
    """Whatever they are."""
    assert views.one(item, frozenset()) is item


def test_retrieved() -> None:
    """A response comes with all of its answer."""
    thought = {"type": "reasoning", "id": "rs_1", "encrypted_content": "x"}
    record = records.Record({"id": "resp_1", "status": "completed", "output": [thought]}, [])
    assert views.retrieved(record)["output"] == [{"type": "reasoning", "id": "rs_1"}]
    assert views.retrieved(record, frozenset({"reasoning.encrypted_content"})) == record.answer
    assert record.answer["output"] == [thought]


def test_input_items() -> None:
    """All of the chain, newest first."""
    before = [{"type": "message", "id": "msg_1", "content": "A"}, {"type": "message", "id": "msg_2", "content": "B"}]
    own = [{"type": "message", "id": "msg_3", "content": [IMAGE]}]
    page = views.input_items(before, own, pages.Query(limit=2))
    assert page["data"] == [
        {"type": "message", "id": "msg_3", "content": [{**IMAGE, "image_url": None}]},
        {"type": "message", "id": "msg_2", "content": "B"},
    ]
    assert (page["last_id"], page["has_more"]) == ("msg_2", True)


def test_deleted() -> None:
    """As the service says it."""
    assert views.deleted("resp_1") == {"id": "resp_1", "object": "response", "deleted": True}
