from functools import partial
from typing import Any

import pytest

from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.stream.to_responses.items import Message
from diglot.translator.stream.to_responses.output import Output
from diglot.translator.stream.to_responses.tags import CALL, THINK
from diglot.translator.stream.to_responses.text_writer import TextWriter

CITED = {"type": "url_citation", "url": "u"}


def writer(**settings: Any) -> tuple[TextWriter, Output, Report, list[tuple[str, str]]]:
    """The writer of a blank answer, its report, and what stood in tags."""
    report, tagged = Report(), []
    out = Output({"output": []}, lambda prefix: prefix, "openai")

    def read(tag: str, text: str) -> bool:
        tagged.append((tag, text))
        return text != "no call"

    tag_readers = {tag: partial(read, tag) for tag in (THINK, CALL)}
    return TextWriter(out, Context(Profile(**settings), report), Message, tag_readers), out, report, tagged


def texts(out: Output) -> list[str]:
    out.close_all("completed")
    return [part.get("text", part.get("refusal")) for item in out.answer["output"] for part in item["content"]]


@pytest.mark.parametrize("part", ["Hi", {"type": "text", "text": "Hi"}, {"type": "refusal", "refusal": "Hi"}])
def test_parts_become_text(part: object) -> None:
    """A string, a text part and a refusal part are text of the answer."""
    text, out, report, _ = writer()
    text.add(part)
    assert texts(out) == ["Hi"]
    assert len(report) == 0


@pytest.mark.parametrize("part", [5, None, {"type": "image_url"}, {"text": 5}, []])
def test_other_parts_are_reported(part: object) -> None:
    """What is no text opens nothing, and is reported."""
    text, out, report, _ = writer()
    text.add(part)
    assert texts(out) == []
    assert [(loss.path, loss.kind) for loss in report] == [("content", "dropped")]


@pytest.mark.parametrize("nothing", ["", {"text": ""}, {"refusal": ""}])
def test_nothing_opens_nothing(nothing: object) -> None:
    """An empty text or refusal makes no item."""
    text, out, _, _ = writer()
    text.add(nothing)
    text.add_refusal(5)
    assert texts(out) == []


def test_citations_wait_for_their_text() -> None:
    """Annotations ahead of the text stand behind its first piece (5.4)."""
    text, out, report, _ = writer()
    text.add_annotations([CITED])
    text.add("Hi")
    assert len(out.answer["output"][0]["content"][0]["annotations"]) == 1
    text.add_annotations([CITED])
    assert len(out.answer["output"][0]["content"][0]["annotations"]) == 2
    text.flush()
    assert len(report) == 0


def test_what_belongs_to_no_text_is_reported() -> None:
    """Annotations and log-probabilities without a text are dropped at the end, and reported."""
    text, _, report, _ = writer()
    text.add_annotations([CITED])
    text.add_logprobs({"content": [{"token": "x"}]})
    text.flush()
    text.flush()
    assert [loss.path for loss in report] == ["annotations", "logprobs"]


def test_tagged_text_is_handed_on() -> None:
    """Thoughts and calls in tags are handed on; what is no call is text, tags and all."""
    text, out, _, tagged = writer(markup=frozenset({"think", "tool_call"}))
    text.add("<think>a</think>Hi<tool_call>b</tool_call><tool_call>no call</tool_call><tool_")
    text.flush()
    assert tagged == [("think", "a"), ("tool_call", "b"), ("tool_call", "no call")]
    assert "".join(texts(out)) == "Hi<tool_call>no call</tool_call><tool_"
