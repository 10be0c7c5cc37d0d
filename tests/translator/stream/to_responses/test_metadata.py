from typing import Any

import pytest

from diglot.translator import Report
from diglot.translator.parts import endings
from diglot.translator.stream.to_responses.metadata import AnswerMetadata


def metadata(**answer: Any) -> tuple[AnswerMetadata, dict[str, Any], Report]:
    body = {"model": "m", "created_at": None, "usage": None, "service_tier": "default", "output": [], **answer}
    report = Report()
    return AnswerMetadata(body, report), body, report


def answer_after(*chunks: dict[str, Any], started: bool = False) -> dict[str, Any]:
    """The answer after *chunks*."""
    found, body, _ = metadata()
    for chunk in chunks:
        found.read(chunk, started)
    return body


@pytest.mark.parametrize(
    ("created", "seconds"),
    [
        (1_700_000_000, 1_700_000_000),
        (1_700_000_000_500, 1_700_000_000),
        (1_700_000_000.9, 1_700_000_000),
        (0, None),
        (-5, None),
        ("1700000000", None),
        (None, None),
    ],
)
def test_the_time_is_in_whole_seconds(created: Any, seconds: int | None) -> None:
    """Milliseconds are divided (D36); what is no time is none."""
    assert answer_after({"created": created})["created_at"] == seconds


@pytest.mark.parametrize(("model", "named"), [("m-1", "m-1"), ("", "m"), (None, "m"), (5, "m")])
def test_the_upstreams_model_counts(model: Any, named: str) -> None:
    """Without a name it is the model that was asked for (D33)."""
    assert answer_after({"model": model})["model"] == named


def test_model_and_time_do_not_change_any_more() -> None:
    """Once the answer has started they are known to the client."""
    body = answer_after({"model": "m-1", "created": 5}, started=True)
    assert (body["model"], body["created_at"]) == ("m", None)


USED = {"prompt_tokens": 3, "completion_tokens": 4}


@pytest.mark.parametrize(
    "chunks",
    [
        ({"usage": USED},),
        ({"usage": {"prompt_tokens": 1}}, {"usage": USED}),
        ({"usage": USED}, {"usage": None}, {"usage": {}}, {"usage": "x"}),
        ({"x_groq": {"usage": USED}},),
        ({"usage": None, "x_groq": {"usage": USED}},),
        ({"usage": USED}, {"x_groq": {"usage": None}}, {"x_groq": "x"}),
    ],
)
def test_the_last_usage_counts(chunks: tuple[dict[str, Any], ...]) -> None:
    """Wherever it stands (D25), however often (D26): it is never summed."""
    assert answer_after(*chunks)["usage"]["total_tokens"] == 7


def test_no_usage_is_none() -> None:
    """Nothing is made up (D27)."""
    assert answer_after({"usage": None}, {"choices": []})["usage"] is None


@pytest.mark.parametrize(("tier", "tier_shown"), [("flex", "flex"), (None, "default"), (5, "default")])
def test_the_tier_is_the_upstreams(tier: Any, tier_shown: str) -> None:
    """What it did counts, not what was asked for."""
    assert answer_after({"service_tier": tier}, started=True)["service_tier"] == tier_shown


def test_moderation_is_there_when_it_was_sent() -> None:
    """The field is no field of every answer."""
    assert "moderation" not in answer_after({"moderation": None})
    assert answer_after({"moderation": {"input": {"flagged": True}}})["moderation"] == {"input": {"flagged": True}}


def test_citations_are_taken_once() -> None:
    """Perplexity repeats them on every chunk, and adds to them (D37)."""
    found, _, _ = metadata()
    lists = (None, ["https://a"], ["https://a", "https://b", "https://b"])
    urls = [cited["url"] for links in lists for cited in found.read({"citations": links}, True)]
    assert urls == ["https://a", "https://b"]


def test_search_results_are_citations_with_titles() -> None:
    """What is in both lists is one source, and has its title."""
    found, _, _ = metadata()
    results = [{"title": "A", "url": "https://a", "date": "2026-01-01"}, {"title": "no link"}]
    chunk = {"citations": ["https://b", "https://a"], "search_results": results}
    cited = found.read(chunk, True)
    assert [(link["url"], link["title"]) for link in cited] == [("https://a", "A"), ("https://b", "")]
    assert found.read({"search_results": results}, True) == []


@pytest.mark.parametrize(
    ("reason", "clean", "has_output", "status", "losses"),
    [
        ("stop", False, False, "completed", []),
        ("length", False, True, "incomplete", []),
        ("error", True, True, "failed", []),
        ("strange", False, True, "completed", [("finish_reason", "approximated")]),
        (None, True, True, "completed", [("finish_reason", "defaulted")]),
        (None, True, False, "failed", []),
        (None, False, True, "failed", []),
    ],
)
def test_endings(reason: str | None, clean: bool, has_output: bool, status: str, losses: list[Any]) -> None:
    """The reason decides; without one, the end mark behind an answer is a good end (D19), everything else is a cut."""
    found, _, report = metadata()
    if reason is not None:
        found.add_reason(reason)
    assert found.ending(clean, has_output).status == status
    assert [(loss.path, loss.kind) for loss in report] == losses
    assert (found.ending(clean, has_output) is endings.FAILED) is (status == "failed")


@pytest.mark.parametrize(("reason", "words"), [(None, "was cut off"), ("error", "gave up: finish_reason 'error'")])
def test_why_it_failed(reason: str | None, words: str) -> None:
    """A cut is tier_shown apart from an upstream that gave up."""
    found, _, _ = metadata()
    found.finish_reason = reason
    assert words in found.why_failed()
