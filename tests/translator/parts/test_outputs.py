"""Outputs of tool calls."""

from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.parts import calls, outputs
from diglot.translator.turns.to_chat import HANDLERS

TEXT = {"type": "input_text", "text": "Done."}
SEALED = {"type": "encrypted_content", "encrypted_content": "gAAAAABmZm9vYmFyYmF6"}


def told(item: dict[str, Any], **profile: Any) -> Any:
    """What the model is told of an output; names are shouted, to see that they are the upstream's."""
    return outputs.to_chat(
        item, "input[0]", lambda name, space: f"{space}.{name}".upper(), Context(Profile(**profile), Report())
    )


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"type": "function_call_output", "output": "x"}, "x"),
        ({"type": "function_call_output", "output": ""}, ""),
        ({"type": "function_call_output", "output": {"a": 1}}, '{"a":1}'),
        ({"type": "function_call_output", "output": [{"type": "input_text", "text": "x"}]}, "x"),
        ({"type": "custom_tool_call_output", "output": "x"}, "x"),
        ({"type": "local_shell_call_output", "output": "x"}, "x"),
        ({"type": "shell_call_output", "output": [{"stdout": "x"}]}, '[{"stdout":"x"}]'),
        ({"type": "shell_call_output"}, "[]"),
        ({"type": "apply_patch_call_output", "status": "failed", "output": "no"}, '{"status":"failed","output":"no"}'),
        ({"type": "apply_patch_call_output", "status": "completed"}, '{"status":"completed","output":""}'),
        ({"type": "tool_search_output", "tools": None}, "No tools were found."),
        ({"type": "tool_search_output", "tools": ["x", {"type": "web_search"}]}, "No tools were found."),
        (
            {
                "type": "tool_search_output",
                "tools": [
                    {"type": "function", "name": "f"},
                    {"type": "namespace", "name": "ns", "tools": [{"name": "g"}, 5]},
                    {"type": "namespace", "name": "empty", "tools": []},
                ],
            },
            "Loaded tools: NONE.F, NS.G, NONE.EMPTY.",
        ),
    ],
)
def test_every_output_is_told(item: dict[str, Any], text: str) -> None:
    """Texts stay, structures are JSON, loaded tools are told by the names that the upstream knows."""
    assert told(item) == text


def test_a_screenshot_is_an_image() -> None:
    """What a computer shows is a part, for the turn to place."""
    shot = {"type": "computer_screenshot", "image_url": "u"}
    assert told({"type": "computer_call_output", "output": shot}) == [{"type": "image_url", "image_url": {"url": "u"}}]


def test_an_output_without_output_is_refused() -> None:
    """A missing output is a 400 with its path."""
    with pytest.raises(RequestError) as raised:
        told({"type": "function_call_output", "output": None})
    assert raised.value.param == "input[0].output"


def test_calls_and_outputs_are_handled() -> None:
    """Every call has its output, and both have handlers."""
    assert len(calls.CALLS) == len(outputs.OUTPUTS)
    assert {*calls.CALLS, *outputs.OUTPUTS} <= HANDLERS.keys()


@pytest.mark.parametrize(
    ("told", "output"), [("x", "x"), ({"a": 1}, '{"a":1}'), ([{"type": "text", "text": "x"}], "x"), ([], ""), ("", "")]
)
def test_an_output_of_a_tool_message(told: Any, output: Any) -> None:
    """Text stays, objects of sloppy clients become text."""
    assert outputs.to_responses(told, "p.content", Context(Profile(), Report())) == output


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ("x", "x"),
        ({"a": 1}, '{"a":1}'),
        (5, "5"),
        (False, "false"),
        ([], ""),
        ([1, "a", None], '[1,"a",null]'),
        ([{"id": 1}, {"id": 2}], '[{"id":1},{"id":2}]'),
        ([{"type": "file", "name": "a.py"}], '[{"type":"file","name":"a.py"}]'),
        ([{"type": "text", "text": None}], '[{"type":"text","text":null}]'),
        ([{"type": ["x"]}], '[{"type":["x"]}]'),
        ([TEXT], "Done."),
        ([TEXT, "b", {"id": 1}, None], 'Done.\nb\n{"id":1}\nnull'),
        ([{"type": "refusal", "refusal": "No."}, TEXT], "No.\nDone."),
        ([TEXT, {**SEALED, "encrypted_content": "plain"}], "Done.\nplain"),
    ],
)
@pytest.mark.parametrize("kind", ["function_call_output", "custom_tool_call_output", "local_shell_call_output"])
def test_what_a_tool_told_is_a_text(kind: str, told: Any, text: str) -> None:
    """W23: any JSON is its text, unless it is made of parts."""
    context = Context(Profile(content_lists=frozenset()), Report())
    assert outputs.to_chat({"type": kind, "output": told}, "p", lambda name, _: name, context) == text
    assert not list(context.report)


@pytest.mark.parametrize(("told", "left"), [([TEXT, SEALED, {"type": "chart", "of": 1}], "Done."), ([SEALED], "")])
def test_parts_that_nobody_can_read(told: list[Any], left: str) -> None:
    """W23: they are reported, and the text stays."""
    context = Context(Profile(), Report())
    assert outputs.result_to_chat(told, "p.output", context) == left
    assert [loss.path for loss in context.report] == [f"p.output[{i}]" for i, part in enumerate(told) if part != TEXT]
