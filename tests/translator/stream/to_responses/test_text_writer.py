from typing import Any

import pytest

from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.stream.to_responses.items import Message
from diglot.translator.stream.to_responses.output import Output
from diglot.translator.stream.to_responses.text_writer import TextWriter

CITED = {"type": "url_citation", "url": "u"}


def words(**settings: Any) -> tuple[TextWriter, Output, Report, list[tuple[str, str]]]:
    """Words of a blank answer, and what was marked in them."""
    report, marked = Report(), []
    out = Output({"output": []}, lambda prefix: prefix, "openai")

    def take(tag: str, text: str) -> bool:
        marked.append((tag, text))
        return text != "no call"

    return TextWriter(out, Context(Profile(**settings), report), Message, take), out, report, marked


def said(out: Output) -> list[str]:
    out.close_all("completed")
    return [part.get("text", part.get("refusal")) for item in out.answer["output"] for part in item["content"]]


@pytest.mark.parametrize("part", ["Hi", {"type": "text", "text": "Hi"}, {"type": "refusal", "refusal": "Hi"}])
def test_parts_become_words(part: object) -> None:
    """A string, a text part and a refusal part are words of the answer."""
    taken, out, report, _ = words()
    taken.take(part)
    assert said(out) == ["Hi"]
    assert len(report) == 0


@pytest.mark.parametrize("part", [5, None, {"type": "image_url"}, {"text": 5}, []])
def test_other_parts_are_reported(part: object) -> None:
    """What is no text opens nothing, and is reported."""
    taken, out, report, _ = words()
    taken.take(part)
    assert said(out) == []
    assert [(loss.path, loss.kind) for loss in report] == [("content", "dropped")]


@pytest.mark.parametrize("nothing", ["", {"text": ""}, {"refusal": ""}])
def test_nothing_opens_nothing(nothing: object) -> None:
    """An empty text or refusal makes no item."""
    taken, out, _, _ = words()
    taken.take(nothing)
    taken.refuse(5)
    assert said(out) == []


def test_citations_wait_for_their_text() -> None:
    """Annotations ahead of the text stand behind its first piece (5.4)."""
    taken, out, report, _ = words()
    taken.annotate([CITED])
    taken.take("Hi")
    assert len(out.answer["output"][0]["content"][0]["annotations"]) == 1
    taken.annotate([CITED])
    assert len(out.answer["output"][0]["content"][0]["annotations"]) == 2
    taken.flush()
    assert len(report) == 0


def test_what_belongs_to_no_text_is_reported() -> None:
    """Annotations and log-probabilities without a text are dropped at the end, and reported."""
    taken, _, report, _ = words()
    taken.annotate([CITED])
    taken.logprobs = [{"token": "x"}]
    taken.flush()
    taken.flush()
    assert [loss.path for loss in report] == ["annotations", "logprobs"]


def test_marked_text_is_handed_on() -> None:
    """Thoughts and calls in tags are handed on; what is no call is text, tags and all."""
    taken, out, _, marked = words(markup=frozenset({"think", "tool_call"}))
    taken.take("<think>a</think>Hi<tool_call>b</tool_call><tool_call>no call</tool_call><tool_")
    taken.flush()
    assert marked == [("think", "a"), ("tool_call", "b"), ("tool_call", "no call")]
    assert "".join(said(out)) == "Hi<tool_call>no call</tool_call><tool_"
