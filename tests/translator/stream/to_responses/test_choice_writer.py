from typing import Any

import pytest

from diglot.translator import ServeResponses
from diglot.translator.stream.to_responses.choice_writer import DELTAS, ChoiceWriter
from diglot.translator.stream.to_responses.chunk_choices import CALLS
from diglot.translator.stream.to_responses.metadata import AnswerMetadata
from diglot.translator.stream.to_responses.output import Output


def writer(**settings: Any) -> tuple[ChoiceWriter, Output]:
    exchange = ServeResponses({"model": "m", "input": "Hi", **settings}, profile="vllm")
    out = Output({"output": []}, lambda prefix: prefix, "openai")
    return ChoiceWriter(out, exchange._response_context, AnswerMetadata(out.answer, exchange.report)), out


def kinds(out: Output) -> list[str]:
    out.close_all("completed")
    return [item["type"] for item in out.answer["output"]]


def test_each_member_has_its_writer() -> None:
    """Thoughts, texts and calls become items, in this order."""
    choices, out = writer()
    call = {"id": "c", "function": {"name": "f", "arguments": "{}"}}
    message = {"tool_calls": [call], "content": "Hi", "reasoning_content": "hm"}
    choices.add({"message": message, "finish_reason": "tool_calls"}, is_finished=True)
    assert choices.problem() is None
    assert kinds(out) == ["reasoning", "message", "function_call"]


@pytest.mark.parametrize(
    ("first", "is_finished", "text"), [({"delta": {"content": "b"}}, False, "ab"), ({}, True, "a"), ({}, False, "ab")]
)
def test_what_differs_from_a_summary_is_no_more_text(first: dict[str, Any], is_finished: bool, text: str) -> None:
    """A message in a chunk of its own may be more text; behind a delta, or in a finished answer, it is a summary."""
    choices, out = writer()
    choices.add({"delta": {"content": "a"}}, is_finished=False)
    choices.add({**first, "message": {"content": "b"}}, is_finished)
    kinds(out)
    assert out.answer["output"][0]["content"][0]["text"] == text


def test_an_error_is_kept() -> None:
    """Whoever feeds the choices decides what comes of it."""
    choices, _ = writer()
    choices.add({"delta": {"error": "x"}}, is_finished=False)
    assert choices.error == "x"


def test_a_summary_must_be_one() -> None:
    """An answer to a compaction that is no summary does not end well."""
    choices, out = writer(input=[{"type": "compaction_trigger"}])
    assert choices.problem() == "The upstream wrote no summary."
    choices.add({"delta": {"content": "a"}}, is_finished=False)
    assert kinds(out) == ["compaction"]
    assert choices.problem() is None
    choices.add({"delta": {"refusal": "no"}}, is_finished=False)
    assert choices.problem() == "The upstream wrote no summary."


def test_the_names_of_calls_are_known() -> None:
    """What `chunk_choices` tells apart is written here."""
    assert set(CALLS) <= DELTAS.keys()
