"""Pages of lists."""

from typing import Any

import pytest
from openai.pagination import SyncConversationCursorPage, SyncCursorPage
from openai.types.responses import ResponseItem

from diglot.translator import RequestError
from diglot.translator.state import pages

ITEMS = [{"type": "message", "id": f"msg_{i}", "role": "user", "content": []} for i in range(5)]


@pytest.mark.parametrize(
    ("pairs", "asked"),
    [
        ([], pages.Query()),
        ([("limit", "100"), ("order", "asc"), ("after", "msg_1")], pages.Query("msg_1", 100, False)),
        ([("after", ""), ("limit", ""), ("order", ""), ("other", "x")], pages.Query()),
        ([("limit", "1"), ("limit", "2")], pages.Query(limit=2)),
        (
            [("include[]", "reasoning.encrypted_content"), ("include", "message.output_text.logprobs")],
            pages.Query(include=frozenset({"reasoning.encrypted_content", "message.output_text.logprobs"})),
        ),
    ],
)
def test_queries(pairs: list[tuple[str, str]], asked: pages.Query) -> None:
    """Empty values say nothing, and arrays have brackets or not."""
    assert pages.query(pairs) == asked


def test_lists_have_their_own_order() -> None:
    """Where the client says none."""
    assert not pages.query([], default_order="asc").descending


@pytest.mark.parametrize(
    ("pair", "words", "code"),
    [
        (("limit", "x"), "expected an integer, but got a string instead", "invalid_type"),
        (("limit", "1.5"), "expected an integer", "invalid_type"),
        (("limit", "²"), "expected an integer", "invalid_type"),
        (("limit", "0"), "Expected a value >= 1, but got 0 instead", "integer_below_min_value"),
        (("limit", "-5"), "Expected a value >= 1, but got -5 instead", "integer_below_min_value"),
        (("limit", "101"), "Expected a value <= 100, but got 101 instead", "integer_above_max_value"),
        (("limit", "9" * 5_000), "Expected a value <= 100", "integer_above_max_value"),
        (("order", "up"), "Invalid value: 'up'. Supported values are: 'asc', and 'desc'.", "invalid_value"),
        (
            ("include[]", "all"),
            "Invalid value: 'all'. Supported values are: 'file_search_call.results'",
            "invalid_value",
        ),
        (("after", "a b"), "additional characters", "invalid_value"),
        (("after", "x" * 65), "string too long", "string_above_max_length"),
    ],
)
def test_what_is_refused(pair: tuple[str, str], words: str, code: str) -> None:
    """Numbers and words that there are not."""
    with pytest.raises(RequestError, match=words.replace(".", r"\.")) as caught:
        pages.query([pair])
    param = "include[0]" if pair[0] == "include[]" else pair[0]
    assert (caught.value.status, caught.value.param, caught.value.code) == (400, param, code)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6])
def test_pages_make_up_the_list(limit: int, descending: bool) -> None:
    """Each follows the last item of the one before, in both orders."""
    found: list[Any] = []
    after = None
    while True:
        page = pages.cut(ITEMS, pages.Query(after, limit, descending))
        assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])
        found += page["data"]
        after = page["last_id"]
        if not page["has_more"]:
            break
    assert found == (ITEMS[::-1] if descending else ITEMS)


def test_the_pagers_of_the_sdk_go_on() -> None:
    """One by the id of the last item, one by `last_id`; both stop where there is no more."""
    page = pages.cut(ITEMS, pages.Query(limit=2))
    for kind in (SyncCursorPage[ResponseItem], SyncConversationCursorPage[ResponseItem]):
        read: Any = kind.model_validate(page)
        assert read.has_next_page()
        assert read.next_page_info().params == {"after": "msg_3"}
        last: Any = kind.model_validate(pages.cut(ITEMS, pages.Query("msg_1", 2)))
        assert not last.has_next_page()


def test_an_empty_list() -> None:
    """It begins and ends nowhere."""
    empty = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    assert pages.cut([], pages.Query()) == empty
    read: Any = SyncConversationCursorPage[ResponseItem].model_validate(empty)
    assert not read.has_next_page()


def test_after_an_item_of_another_list() -> None:
    """It is not found."""
    with pytest.raises(RequestError, match="Item with id 'msg_9' not found") as caught:
        pages.cut(ITEMS, pages.Query("msg_9"))
    assert (caught.value.status, caught.value.param) == (404, "after")
