import json
from typing import Any

import pytest
from openai.types.responses.response_output_item import ResponseOutputItem
from pydantic import TypeAdapter

from diglot.translator import Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.parts import calls


@pytest.mark.parametrize(
    ("call", "native", "member"),
    [
        (
            calls.ToolCall("f", None, '{"a":1}'),
            True,
            {"type": "function", "function": {"name": "flat", "arguments": '{"a":1}'}},
        ),
        (calls.ToolCall("f", None, ""), True, {"type": "function", "function": {"name": "flat", "arguments": "{}"}}),
        (calls.ToolCall("c", None, 'a"b', True), True, {"type": "custom", "custom": {"name": "flat", "input": 'a"b'}}),
        (
            calls.ToolCall("c", None, 'a"b', True),
            False,
            {"type": "function", "function": {"name": "flat", "arguments": '{"input":"a\\"b"}'}},
        ),
    ],
)
def test_a_call_in_a_message(call: calls.ToolCall, native: bool, member: dict[str, Any]) -> None:
    """Functions have arguments, never empty; free-form tools have input, or are wrapped."""
    assert calls.to_chat(call, "call_1", "flat", native) == {"id": "call_1", **member}


@pytest.mark.parametrize(
    ("item", "call"),
    [
        ({"type": "function_call", "name": "f", "arguments": '{"a":1}'}, calls.ToolCall("f", None, '{"a":1}')),
        ({"type": "function_call", "name": "f", "arguments": ""}, calls.ToolCall("f", None, "{}")),
        ({"type": "function_call", "name": "f"}, calls.ToolCall("f", None, "{}")),
        ({"type": "function_call", "name": "f", "arguments": {"a": 1}}, calls.ToolCall("f", None, '{"a":1}')),
        ({"type": "function_call", "name": "f", "namespace": "ns"}, calls.ToolCall("f", "ns", "{}")),
        ({"type": "custom_tool_call", "name": "c", "input": ""}, calls.ToolCall("c", None, "", True)),
        (
            {"type": "custom_tool_call", "name": "c", "namespace": "ns", "input": "x"},
            calls.ToolCall("c", "ns", "x", True),
        ),
        (
            {"type": "tool_search_call", "arguments": {"query": "x"}},
            calls.ToolCall("tool_search", None, '{"query":"x"}'),
        ),
        ({"type": "tool_search_call", "arguments": '{"q":1}'}, calls.ToolCall("tool_search", None, '{"q":1}')),
        ({"type": "tool_search_call", "arguments": None}, calls.ToolCall("tool_search", None, "{}")),
        (
            {"type": "local_shell_call", "action": {"type": "exec", "command": ["ls"], "env": {}, "user": None}},
            calls.ToolCall("local_shell", None, '{"command":["ls"],"env":{}}'),
        ),
        (
            {"type": "shell_call", "action": {"commands": ["ls"], "timeout_ms": None}},
            calls.ToolCall("shell", None, '{"commands":["ls"]}'),
        ),
        (
            {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a"}},
            calls.ToolCall("apply_patch", None, '{"type":"delete_file","path":"a"}'),
        ),
        (
            {"type": "computer_call", "action": {"type": "wait"}, "actions": None, "pending_safety_checks": []},
            calls.ToolCall("computer", None, '{"action":{"type":"wait"}}'),
        ),
    ],
)
def test_every_call_item_is_read(item: dict[str, Any], call: calls.ToolCall) -> None:
    """Each kind of call has a name and a payload; nulls say nothing."""
    assert calls.read_call(item, "input[0]") == call


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"type": "function_call"}, "name"),
        ({"type": "function_call", "name": "f", "namespace": 5}, "namespace"),
        ({"type": "custom_tool_call", "name": "c"}, "input"),
        ({"type": "custom_tool_call", "input": "c"}, "name"),
        ({"type": "local_shell_call"}, "action"),
        ({"type": "shell_call", "action": "ls"}, "action"),
        ({"type": "apply_patch_call"}, "operation"),
    ],
)
def test_a_call_without_its_fields_is_refused(item: dict[str, Any], param: str) -> None:
    """A 400 with the path of what is missing or wrong."""
    with pytest.raises(RequestError) as raised:
        calls.read_call(item, "input[0]")
    assert raised.value.param == f"input[0].{param}"


NATIVE = [
    ("tool_search", {"query": "x"}, {"type": "tool_search_call", "execution": "client", "arguments": {"query": "x"}}),
    ("tool_search", {}, {"type": "tool_search_call", "execution": "client", "arguments": {}}),
    (
        "local_shell",
        {"command": ["ls"], "type": "x", "timeout_ms": 5},
        {"type": "local_shell_call", "action": {"env": {}, "command": ["ls"], "type": "exec", "timeout_ms": 5}},
    ),
    (
        "shell",
        {"commands": ["ls"]},
        {"type": "shell_call", "action": {"timeout_ms": None, "max_output_length": None, "commands": ["ls"]}},
    ),
    (
        "apply_patch",
        {"type": "update_file", "path": "a", "diff": "+b", "why": "x"},
        {"type": "apply_patch_call", "operation": {"type": "update_file", "path": "a", "diff": "+b"}},
    ),
    (
        "apply_patch",
        {"type": "delete_file", "path": "a", "diff": ""},
        {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a"}},
    ),
]


@pytest.mark.parametrize(("kind", "given", "fields"), NATIVE)
def test_a_call_of_a_built_in_tool_is_its_item(kind: str, given: dict[str, Any], fields: dict[str, Any]) -> None:
    """The arguments fill the native item; the SDK takes it, and it has a prefix for its id."""
    made = calls.to_responses(kind, json.dumps(given))
    assert made == fields
    TypeAdapter(ResponseOutputItem).validate_python({"id": "x", "call_id": "c", "status": "completed", **fields})
    assert calls.PREFIXES[fields["type"]]


@pytest.mark.parametrize(("kind", "given", "fields"), NATIVE)
def test_a_native_item_is_read_back(kind: str, given: dict[str, Any], fields: dict[str, Any]) -> None:
    """What the client sends back in the next turn is a call of the same tool, with what was understood."""
    call = calls.read_call(fields, "input[0]")
    assert call.name == kind
    assert calls.to_responses(kind, call.payload) == fields


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("tool_search", "[1]"),
        ("tool_search", "{"),
        ("local_shell", '{"command":"ls"}'),
        ("local_shell", ""),
        ("shell", '{"commands":"ls"}'),
        ("shell", "{}"),
        ("apply_patch", '{"type":"update_file","path":"a"}'),
        ("apply_patch", '{"type":"move_file","path":"a","diff":""}'),
        ("apply_patch", '{"type":["x"],"path":"a","diff":""}'),
        ("apply_patch", '{"type":"delete_file"}'),
    ],
)
def test_arguments_that_do_not_fit(kind: str, arguments: str) -> None:
    """There is no native item for them."""
    assert calls.to_responses(kind, arguments) is None


@pytest.mark.parametrize(
    ("item", "call_id"),
    [
        ({"type": "function_call", "call_id": "c", "id": "fc"}, "c"),
        ({"type": "local_shell_call_output", "id": "c"}, "c"),
        ({"type": "local_shell_call_output", "id": "x", "call_id": "c"}, "c"),
    ],
)
def test_the_reference_of_an_item(item: dict[str, Any], call_id: str) -> None:
    """`call_id`, but for the one item that has it in `id` (protocol 2.4)."""
    assert calls.reference(item, "input[0]") == call_id


@pytest.mark.parametrize(
    "item", [{"type": "function_call", "id": "fc"}, {"type": "function_call_output", "call_id": 5}]
)
def test_an_item_without_a_reference_is_refused(item: dict[str, Any]) -> None:
    """A call or an output that nobody can pair is a 400."""
    with pytest.raises(RequestError) as raised:
        calls.reference(item, "input[0]")
    assert raised.value.param == "input[0].call_id"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (
            {"type": "mcp_call", "server_label": "s", "name": "t", "arguments": '{"a":1}', "output": "x"},
            ("s__t", '{"a":1}', "x"),
        ),
        (
            {"type": "mcp_call", "server_label": "s", "name": "t", "error": {"type": "e"}},
            ("s__t", "{}", '{"type":"e"}'),
        ),
        ({"type": "mcp_call", "server_label": "s", "name": "t"}, None),
        (
            {"type": "code_interpreter_call", "code": "1", "outputs": [{"type": "logs", "logs": "1"}]},
            ("code_interpreter", '{"code":"1"}', '[{"type":"logs","logs":"1"}]'),
        ),
        ({"type": "code_interpreter_call", "code": "1"}, ("code_interpreter", '{"code":"1"}', "[]")),
        ({"type": "code_interpreter_call"}, None),
        (
            {"type": "file_search_call", "queries": ["q"], "results": [{"text": "r"}]},
            ("file_search", '{"queries":["q"]}', '[{"text":"r"}]'),
        ),
        ({"type": "file_search_call", "queries": ["q"], "results": None}, None),
        ({"type": "web_search_call", "action": {"type": "search"}}, None),
    ],
)
def test_calls_that_the_server_ran(item: dict[str, Any], said: tuple[str, str, str] | None) -> None:
    """They are told as a call and its result, where there is a result (protocol 2.7)."""
    assert calls.hosted_to_chat(item) == said


def test_the_errors_are_the_words_of_openai() -> None:
    """Clients' retry logic keys on them (protocol 7.2)."""
    missing, extra = calls.no_output("c1"), calls.no_call("c1", "input[0]")
    assert missing.message == "No tool output found for function call c1."
    assert extra.message == "No tool call found for function call output with call_id c1."
    assert (missing.param, extra.param) == ("input", "input[0].call_id")


# --- chat -> Responses


def item(call: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The item of a member of `tool_calls`, and the paths of what was lost."""
    report = Report()
    return calls.from_chat(call, "p", "call_1", Context(Profile(), report)), [loss.path for loss in report]


FUNCTION = {"type": "function_call", "call_id": "call_1", "name": "f"}
FREE = {"type": "custom_tool_call", "call_id": "call_1", "name": "c", "input": "x"}


@pytest.mark.parametrize(
    ("call", "made"),
    [
        (
            {"type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
            {**FUNCTION, "arguments": '{"a": 1}'},
        ),
        ({"function": {"name": "f", "arguments": ""}}, {**FUNCTION, "arguments": "{}"}),
        ({"function": {"name": "f"}, "custom": None, "type": "function"}, {**FUNCTION, "arguments": "{}"}),
        ({"function": {"name": "f", "arguments": {"a": 1}}}, {**FUNCTION, "arguments": '{"a":1}'}),
        ({"type": "custom", "custom": {"name": "c", "input": "x"}}, FREE),
        ({"custom": {"name": "c", "input": "x"}}, FREE),
    ],
)
def test_an_item_of_a_call(call: dict[str, Any], made: dict[str, Any]) -> None:
    """Arguments stay byte for byte, and are never empty; some clients leave the type out."""
    assert item(call) == (made, [])


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ({"function": {"name": "f"}, "extra_content": {}}, "p.extra_content"),
        ({"function": {"name": "f", "cost": 1}}, "p.function.cost"),
        ({"custom": {"name": "c", "input": "x", "cost": 1}}, "p.custom.cost"),
    ],
)
def test_what_a_call_cannot_say_is_reported(call: dict[str, Any], path: str) -> None:
    """Fields that nobody knows are named."""
    assert item(call)[1] == [path]


@pytest.mark.parametrize(
    ("call", "param"),
    [
        ({}, "p.function"),
        ({"type": "custom"}, "p.custom"),
        ({"type": "mcp", "function": None}, "p.function"),
        ({"function": {"arguments": "{}"}}, "p.function.name"),
        ({"custom": {"input": "x"}}, "p.custom.name"),
        ({"custom": {"name": "c"}}, "p.custom.input"),
    ],
)
def test_what_calls_nothing_is_refused(call: dict[str, Any], param: str) -> None:
    """A 400 with the path of what is missing or wrong."""
    with pytest.raises(RequestError) as raised:
        item(call)
    assert raised.value.param == param


@pytest.mark.parametrize("call_id", ["c", "x" * 64, "functions.f:0", "é"])
def test_ids_that_fit_stay(call_id: str) -> None:
    """An id is the one thing that has to come back (protocol 2.4)."""
    assert calls.short_id(call_id) == call_id


@pytest.mark.parametrize("call_id", ["", "x" * 65, "\ud83d" * 100])
def test_ids_that_do_not_fit_are_hashed(call_id: str) -> None:
    """The same id is the same hash, every time."""
    short = calls.short_id(call_id)
    assert short == calls.short_id(call_id) != calls.short_id(call_id + "y" * 65)
    assert short.startswith("call_")
    assert len(short) <= 64
