from typing import Any

import pytest

from diglot.translator.parts import annotations

FULL = {"url": "https://a", "title": "A", "start_index": 1, "end_index": 5}


@pytest.mark.parametrize("given", [{"type": "url_citation", "url_citation": FULL}, {"type": "url_citation", **FULL}])
def test_citations_are_flat(given: dict[str, Any]) -> None:
    """Chat nests a citation; servers that send it flat mean the same."""
    assert annotations.to_responses([given]) == [{"type": "url_citation", **FULL}]


@pytest.mark.parametrize("fields", [{}, {"title": None, "start_index": None}, {"title": 1, "end_index": "5"}])
def test_missing_fields_have_neutral_values(fields: dict[str, Any]) -> None:
    """A title or a place that is missing, or is none, is empty or 0: the fields are required."""
    cited = {"type": "url_citation", "url": "u", "title": "", "start_index": 0, "end_index": 0}
    assert annotations.to_responses([{"url_citation": {"url": "u", **fields}}]) == [cited]


@pytest.mark.parametrize(
    "given", [None, "x", {}, [], ["x"], [None], [{}], [{"url_citation": {"title": "A"}}], [{"url": 1}]]
)
def test_what_cites_nothing_is_left_out(given: Any) -> None:
    """Without a URL there is no citation."""
    assert annotations.to_responses(given) == []


def test_bare_links_are_citations() -> None:
    """A list of links (D37) becomes citations of no words in particular."""
    cited = annotations.from_links(["https://a", {"url": "https://b", "title": "B"}, 5])
    assert [(c["url"], c["title"], c["start_index"], c["end_index"]) for c in cited] == [
        ("https://a", "", 0, 0),
        ("https://b", "B", 0, 0),
    ]


@pytest.mark.parametrize("links", [None, "https://a", {"url": "https://a"}])
def test_links_that_are_no_list(links: Any) -> None:
    """Only a list is a list of links."""
    assert annotations.from_links(links) == []


@pytest.mark.parametrize("given", [{"type": "url_citation", **FULL}, {"type": "url_citation", "url_citation": FULL}])
def test_a_citation_is_nested_and_moved(given: dict[str, Any]) -> None:
    """Chat nests it; its place moves with the text before its own."""
    assert annotations.to_chat(given, 10) == {
        "type": "url_citation",
        "url_citation": {"url": "https://a", "title": "A", "start_index": 11, "end_index": 15},
    }


@pytest.mark.parametrize(
    "given",
    [
        *(None, "x", [], {}, {"type": "url_citation"}, {"type": "url_citation", "url": 5}),
        {"type": "file_citation", "file_id": "f", "filename": "a.txt", "index": 3},
        {"type": "container_file_citation", "url": "https://a"},
    ],
)
def test_other_annotations_have_no_word_in_chat(given: Any) -> None:
    """Only links can be cited."""
    assert annotations.to_chat(given, 0) is None


def test_citations_come_back() -> None:
    """What was flattened is nested again."""
    nested = {"type": "url_citation", "url_citation": FULL}
    assert [annotations.to_chat(a, 0) for a in annotations.to_responses([nested])] == [nested]
