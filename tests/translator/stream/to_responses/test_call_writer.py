import itertools
from typing import Any

import pytest

from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.parts.catalog import Catalog, DeclaredTool
from diglot.translator.stream.to_responses.call_writer import CallWriter
from diglot.translator.stream.to_responses.metadata import AnswerMetadata
from diglot.translator.stream.to_responses.output import Body, Output
from diglot.translator.stream.to_responses.reasoning import ReasoningWriter

TOOLS = [
    DeclaredTool("f", "function", "f", None, "tools[0]", {}),
    DeclaredTool("c", "custom", "c", None, "tools[1]", {}),
]
CATALOG = Catalog({tool.flat: tool for tool in TOOLS})


def writer() -> tuple[CallWriter, AnswerMetadata, Output, Report]:
    """The writer of a blank answer, and what it writes to."""
    count, report = itertools.count(1), Report()
    out = Output({"output": []}, lambda prefix: f"{prefix}_{next(count)}", "openai")
    metadata = AnswerMetadata(out.answer, report)
    reasoning = ReasoningWriter(out, report, "content", str, metadata.can_carry)
    context = Context(Profile(), report)
    return CallWriter(out, context, CATALOG, lambda prefix: f"{prefix}_new", metadata, reasoning), metadata, out, report


def member(index: int, call_id: str, name: str, arguments: str = "", **more: Any) -> Body:
    return {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}, **more}


@pytest.mark.parametrize(
    ("members", "reason", "problem"),
    [
        ([], "stop", None),
        ([], "tool_calls", "announced tool calls and sent none"),
        ([member(0, "a", "f", "{}")], "stop", None),
        ([member(0, "a", "f", '{"a":1}'), member(0, "", "", '{"b":1}')], "stop", "more arguments"),
        ([member(0, "a", ""), member(0, "b", "f", "{}")], "stop", "without a name"),
        ([member(0, "a", ""), member(0, "", "f")], "stop", None),
        ([member(0, "a", "f", '{"a"')], None, "was cut off"),
        ([member(0, "a", "f", "{}")], None, None),
        ([member(0, "a", "f", '{"a"')], "stop", None),
        ([member(0, "a", "c", '{"input":"x')], "stop", "input of a tool call unfinished"),
        ([member(0, "a", "c", '{"input":"x"')], "stop", None),
        ([member(0, "a", "c", '{"input":"x')], "length", None),
    ],
)
def test_what_is_wrong_with_calls(members: list[Body], reason: str | None, problem: str | None) -> None:
    """Calls that a client would run must be whole, and have names (D15, D19)."""
    calls, metadata, _, _ = writer()
    calls.add(members, again=False)
    if reason is not None:
        metadata.add_reason(reason)
    found = calls.problem()
    assert found == problem or (found is not None and problem is not None and problem in found)


def test_a_signature_goes_before_its_call() -> None:
    """It gets a reasoning item (D5); one that comes too late is reported, one that is too deep is damage."""
    calls, metadata, out, report = writer()
    deep: Any = "x"
    for _ in range(99):
        deep = [deep]
    calls.add([member(0, "a", "f", "{}", extra_content={"google": 1})], again=False)
    calls.add([member(0, "a", "f", extra_content={"google": 2})], again=True)
    assert len(report) == 0
    calls.add([member(0, "", "", extra_content={"google": 3})], again=False)
    assert [loss.path for loss in report] == ["tool_calls"]
    calls.add([member(1, "b", "f", "{}", extra_content={"google": deep})], again=False)
    assert metadata.damage == "The upstream sent a value that is nested too deeply."
    out.close_all("completed")
    assert [item["type"] for item in out.answer["output"]] == ["reasoning", "function_call", "function_call"]


def test_calls_in_tags_are_calls_of_their_own() -> None:
    """What names no declared tool is none; a released writer knows the tools still."""
    calls, _, out, _ = writer()
    calls.release(CATALOG.without_declarations())
    assert [calls.add_tagged(text) for text in ('{"name":"f"}', '{"name":"f"}', '{"name":"g"}')] == [True, True, False]
    out.close_all("completed")
    assert [item["name"] for item in out.answer["output"]] == ["f", "f"]


def test_the_older_member_is_one_call() -> None:
    """Unless it names one that is there."""
    calls, _, out, _ = writer()
    calls.add_legacy({"name": "f", "arguments": "{"}, again=False)
    calls.add_legacy({"arguments": "}"}, again=False)
    out.close_all("completed")
    assert [item["arguments"] for item in out.answer["output"]] == ["{}"]
    others, _, out, _ = writer()
    others.add([member(0, "a", "f", "{}"), "x"], again=False)
    others.add_legacy({"name": "f", "arguments": "{}"}, again=False)
    out.close_all("completed")
    assert len(out.answer["output"]) == 1
