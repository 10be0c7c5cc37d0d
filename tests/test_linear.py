"""Requests are translated in linear time: for every item, role, part, tool and field, in both directions.

The cases are held against the tables of the code: what is new there needs one here. Answers and streams are in
tests/test_linear_answers.py. What a case repeats is long, so that copying it shows.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diglot.translator import Profile, RequestBody, ServeChat, ServeResponses, encode_json
from diglot.translator.fields import TO_CHAT, TO_RESPONSES
from diglot.translator.parts import content, tools, upstream_errors
from diglot.translator.parts.reasoning import seal, to_details
from diglot.translator.turns import to_chat, to_responses
from diglot.translator.wire.known_fields import ITEM_FIELDS, PART_FIELDS, TOOL_FIELDS

from costs import assert_linear, cost_of

ROOT = Path(__file__).parent.parent
LONG = "x" * 300
Make = Callable[[int], Any]
Cases = dict[str, Make]
"""What there is of a size. A name is a key of a table of the code, and maybe words that tell cases of one key apart."""


def keys_of(cases: Cases) -> set[str]:
    return {name.split(", ")[0] for name in cases}


def each(cases: Cases) -> Any:
    return pytest.mark.parametrize("make", cases.values(), ids=cases)


def many(value: Any) -> Make:
    """So many of it; each one is an object of its own."""
    return lambda n: [value(i) if callable(value) else {**value} for i in range(n)]


def serve(serving: Any, body: Any, **settings: Any) -> Callable[[], Any]:
    def run() -> None:
        made, data = RequestBody(body).translate(
            lambda b: serving(b, new_id=lambda p: p, clock=lambda: 1.0, **settings)
        )
        for path in ("messages[1].content[0].text", "input[1].content", "tools[1].function.name", LONG):
            made.caller_path(path)
        assert data
        made.report.header()

    return run


def asked(**more: Any) -> dict[str, Any]:
    return {"model": "m", "input": "Go", **more}


def chat(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Go"}], **more}


# --- Responses requests: items

TEXT = {"type": "input_text", "text": LONG}
SEALED = seal({"text": LONG, "calls": {"c": {"signature": LONG}}, "reasoning_details": [{"text": LONG}], "model": "m"})
ENDS = {"role": "user", "content": "x"}


def called(call: dict[str, Any], output: dict[str, Any], same: bool = False, apart: bool = False) -> Make:
    """Calls and their outputs, all of the same id or each of its own, one after the other or calls first."""

    def make(n: int) -> Any:
        ids = ["c" if same else f"c{i}" for i in range(n)]
        calls = [{**call, "call_id": i} for i in ids]
        outputs = [{**output, "call_id": i} for i in ids]
        return [*calls, *outputs] if apart else [item for pair in zip(calls, outputs, strict=True) for item in pair]

    return make


def pairs(kind: str, output: str, more: dict[str, Any], told: dict[str, Any]) -> Cases:
    call, answer = {"type": kind, "id": "x", **more}, {"type": output, **told}
    return {
        kind: called(call, answer),
        output: called(call, answer, apart=True),
        f"{kind}, one id": called(call, answer, same=True, apart=True),
        f"{output}, several": lambda n: [{**call, "call_id": "c"}, *[{**answer, "call_id": "c"} for _ in range(n)]],
        f"{output}, alone": many({**answer, "call_id": "c"}),
    }


FUNCTION = {"name": "f", "arguments": LONG, "namespace": "space"}
IMAGE = {"type": "input_image", "image_url": LONG}
SHOWN = {"type": "computer_screenshot", "image_url": LONG}
PATCH = {"type": "update_file", "path": "p", "diff": LONG}
LOADED = {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}]}
HOSTED = {"name": "f", "server_label": "s", "arguments": LONG, "output": LONG, "code": LONG, "results": [LONG]}

ITEMS: Cases = {
    "message": many({"type": "message", "role": "user", "content": LONG}),
    **{f"message, {role}": many({"role": role, "content": LONG}) for role in ("system", "developer", "assistant")},
    "message, parts": many({"role": "assistant", "content": [TEXT, {"type": "refusal", "refusal": LONG}]}),
    "message, late system": lambda n: [ENDS, *many({"role": "system", "content": LONG})(n)],
    "message, system parts": many({"role": "system", "content": [TEXT, IMAGE]}),
    "message, names": many({"role": "system", "content": LONG, "name": LONG}),
    "message, unread": many(lambda i: {"role": "user", "content": "x", f"field {i}": LONG}),
    "message, no role": many({"content": LONG}),
    "reasoning": many({"type": "reasoning", "summary": [{"type": "summary_text", "text": LONG}]}),
    "reasoning, sealed": many({"type": "reasoning", "summary": [], "encrypted_content": SEALED}),
    "reasoning, in a turn": lambda n: [*many({"type": "reasoning", "encrypted_content": SEALED})(n), ENDS] * 2,
    "reasoning, parts": lambda n: [{"type": "reasoning", "content": many({"text": LONG})(n)}, ENDS],
    **pairs("function_call", "function_call_output", FUNCTION, {"output": LONG}),
    "function_call, odd names": lambda n: [
        item
        for i in range(n)
        for item in (
            {"type": "function_call", "call_id": f"c{i}", "name": f"{LONG}.{i}"},
            {"type": "function_call_output", "call_id": f"c{i}", "output": "x"},
        )
    ],
    **pairs("custom_tool_call", "custom_tool_call_output", {"name": "f", "input": LONG}, {"output": [TEXT, IMAGE]}),
    **pairs("tool_search_call", "tool_search_output", {"execution": "client", "arguments": {"a": LONG}}, {"tools": []}),
    "tool_search_output, loaded": lambda n: [
        {"type": "tool_search_call", "call_id": "c", "execution": "client"},
        {"type": "tool_search_output", "call_id": "c", "tools": many(LOADED)(n)},
        {"type": "tool_search_output", "execution": "server", "tools": many({**LOADED, "name": LONG})(n)},
    ],
    **pairs("local_shell_call", "local_shell_call_output", {"action": {"command": [LONG]}}, {"output": LONG}),
    **pairs("shell_call", "shell_call_output", {"action": {"commands": [LONG]}}, {"output": [{"stdout": LONG}]}),
    **pairs("apply_patch_call", "apply_patch_call_output", {"operation": PATCH}, {"status": "x", "output": LONG}),
    **pairs("computer_call", "computer_call_output", {"action": {"text": LONG}}, {"output": SHOWN}),
    "function_call_output, nameless": many({"type": "function_call_output", "name": "f", "output": LONG}),
    "web_search_call": many({"type": "web_search_call", "id": "w", **HOSTED}),
    "file_search_call": many({"type": "file_search_call", "id": "w", **HOSTED}),
    "code_interpreter_call": many({"type": "code_interpreter_call", "id": "w", **HOSTED}),
    "mcp_call": many({"type": "mcp_call", "id": "w", **HOSTED}),
    "image_generation_call": many({"type": "image_generation_call", "result": LONG}),
    "compaction": many({"type": "compaction", "encrypted_content": seal({"summary": LONG})}),
    "context_compaction": many({"type": "context_compaction", "encrypted_content": seal({"summary": LONG})}),
    "agent_message": many({"type": "agent_message", "author": "/a", "content": [{"type": "input_text", "text": LONG}]}),
    "agent_message, parts": lambda n: [
        {"type": "agent_message", "content": [{"type": "encrypted_content", "encrypted_content": LONG}] * n}
    ],
    "message, parts without one": many({"type": "input_text", "text": LONG}),
    "message, older calls": lambda n: [
        *many({"role": "assistant", "function_call": {"name": "f", "arguments": LONG}})(n),
        *many({"role": "function", "name": "f", "content": LONG})(n),
    ],
    "compaction_trigger": lambda n: [*many(ENDS)(n), {"type": "compaction_trigger"}],
    "compaction_trigger, early": many({"type": "compaction_trigger"}),
    "configuration_update": many(lambda i: {"type": "configuration_update", "text": {f"k{i}": LONG}}),
    "configuration_update, reasoning": many(lambda i: {"type": "configuration_update", "reasoning": {f"k{i}": LONG}}),
    "additional_tools": many({"type": "additional_tools", "tools": [{"type": "function", "name": "f"}]}),
    "additional_tools, others": many(
        lambda i: {"type": "additional_tools", "tools": [{"type": "shell"}, {"type": LONG}]}
    ),
    "item_reference": many({"type": "item_reference", "id": LONG}),
    **{
        kind: many({"type": kind, "text": LONG})
        for kind in ("mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "program", "program_output")
    },
    "unknown": many(lambda i: {"type": f"vendor:{i}", "text": LONG}),
}
ITEM_PROFILES = {
    "one": Profile(system_messages="one", reasoning_replay="same_model", content_lists=frozenset(), refusals=True),
    "media": Profile(media_in_tool_messages=True, reasoning_replay="never", custom_tools=True),
    "turns": Profile(
        alternating_roles=True,
        declare_called_tools=True,
        call_ids="nine_alphanumeric",
        signature_placeholder="x",
        reasoning_field="content",
        reasoning_replay="always",
    ),
}


def test_every_item_has_a_case() -> None:
    """An item type without one would be a new way to be slow."""
    assert keys_of(ITEMS) - {"unknown"} == to_chat.HANDLERS.keys() >= ITEM_FIELDS.keys()


@pytest.mark.parametrize("profile", ITEM_PROFILES.values(), ids=ITEM_PROFILES)
@each(ITEMS)
def test_items(make: Make, profile: Profile) -> None:
    """Whatever they are, and whatever the upstream is like."""
    assert_linear(lambda n: serve(ServeResponses, asked(input=make(n), instructions=LONG), profile=profile))


def test_media_behind_the_outputs_of_a_turn() -> None:
    """The outputs of one turn follow at once, and their images behind them."""
    call = {"type": "function_call", "name": "f", "arguments": LONG}
    make = called(call, {"type": "function_call_output", "output": [TEXT, IMAGE, IMAGE]}, apart=True)
    assert_linear(lambda n: serve(ServeResponses, asked(input=make(n))))


# --- parts

PARTS: Cases = {
    **{kind: many({"type": kind, "text": LONG}) for kind in ("input_text", "text", "output_text")},
    **{kind: many({"type": kind, "text": LONG}) for kind in ("summary_text", "reasoning_text")},
    "text, marked": many({"type": "text", "text": LONG, "prompt_cache_breakpoint": {"mode": "x"}}),
    "text, unread": many(lambda i: {"type": "text", "text": "x", f"field {i}": LONG}),
    "refusal": many({"type": "refusal", "refusal": LONG}),
    **{
        kind: many({"type": kind, "image_url": LONG, "detail": "original", "file_id": LONG})
        for kind in ("input_image", "computer_screenshot")
    },
    "image_url": many({"type": "image_url", "image_url": {"url": LONG, "detail": "original", "more": LONG}}),
    "input_file": many({"type": "input_file", "file_data": LONG, "detail": "high"}),
    "file": many({"type": "file", "file": {"file_id": LONG, "filename": LONG}}),
    "input_audio": many({"type": "input_audio", "input_audio": {"data": LONG}}),
    "input_video": many({"type": "input_video", "video_url": LONG}),
    "video_url": many({"type": "video_url", "video_url": {"url": LONG}}),
    "document_url": many({"type": "document_url", "document_url": f"data:,{LONG}", "document_name": LONG}),
    "file_url": many({"type": "file_url", "file_url": {"url": f"data:,{LONG}", "more": LONG}}),
}
OWNERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    **{role: lambda parts, role=role: {"role": role, "content": parts} for role in ("user", "system", "assistant")},
    "thought": lambda parts: {"type": "reasoning", "content": parts},
}


def test_every_part_has_a_case() -> None:
    """In both directions."""
    assert keys_of(PARTS) == content.TO_CHAT.keys() == PART_FIELDS.keys()
    assert keys_of(PARTS) >= content.TO_RESPONSES.keys()


@pytest.mark.parametrize("owner", OWNERS.values(), ids=OWNERS)
@each(PARTS)
def test_parts(make: Make, owner: Callable[[Any], Any]) -> None:
    """In messages of every role, in thoughts, and in the outputs of calls."""
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}

    def items(n: int) -> list[Any]:
        output = {"type": "function_call_output", "call_id": "c", "output": make(n)}
        return [owner(make(n)), call, output]

    assert_linear(lambda n: serve(ServeResponses, asked(input=items(n)), profile="openai"))


@pytest.mark.parametrize("role", ["user", "assistant", "tool"])
@each(PARTS)
def test_parts_of_chat_messages(make: Make, role: str) -> None:
    """In messages of every kind of role."""
    assert_linear(lambda n: serve(ServeChat, chat(messages=[{"role": role, "content": make(n), "tool_call_id": "c"}])))


# --- tools

SCHEMA = {"type": "object", "properties": {"a": {"type": "string", "description": LONG}}}


def named(kind: str, **more: Any) -> Make:
    return many(lambda i: {"type": kind, "name": f"{kind}{i}", "description": LONG, **more})


TOOLS: Cases = {
    "function": named("function", parameters=SCHEMA),
    "function, one name": many({"type": "function", "name": "f", "description": LONG}),
    "function, nested": many(lambda i: {"type": "function", "function": {"name": f"f{i}", "parameters": SCHEMA}}),
    "function, deep": lambda n: [{"type": "function", "name": "f", "parameters": deep(min(n, 200))}],
    "function, wide": lambda n: [{"type": "function", "name": "f", "parameters": wide(n)}],
    "function, odd names": many(lambda i: {"type": "function", "name": f"{LONG}.{i}"}),
    "function, references": lambda n: [{"type": "function", "name": "f", "parameters": references(n)}],
    "function, unread": many(lambda i: {"type": "function", "name": f"f{i}", f"field {i}": LONG}),
    "custom": named("custom", format={"type": "grammar", "syntax": "lark", "definition": LONG}),
    "custom, nested": many(lambda i: {"type": "custom", "custom": {"name": f"c{i}", "description": LONG}}),
    "namespace": lambda n: [{"type": "namespace", "name": "n", "tools": named("function")(n)}],
    "namespace, many": named("namespace", tools=[{"type": "function", "name": "f"}]),
    "namespace, long name": lambda n: [{"type": "namespace", "name": "n" * 20 * n, "tools": named("function")(n)}],
    "namespace, nested": lambda n: [nested_namespaces(min(n, 200))],
    "tool_search": many({"type": "tool_search", "execution": "client", "description": LONG}),
    "local_shell": many({"type": "local_shell"}),
    "shell": many({"type": "shell", "environment": {"type": "local", "more": LONG}}),
    "apply_patch": many({"type": "apply_patch"}),
    "other": named("web_search"),
}


def deep(n: int) -> Any:
    schema: Any = {"type": "string"}
    for _ in range(n):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"], "additionalProperties": False}
    return schema


def references(n: int) -> Any:
    """So many references to one schema that is as large, and a chain of them."""
    schema = {f"{kind} {i}": {kind: [{"$ref": "#/$defs/all"}] * 2} for i in range(n) for kind in ("anyOf", "allOf")}
    chain = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}]} for i in range(n)}
    return {"type": "object", "properties": {**schema, "d": {"$ref": "#/$defs/d0"}}, "$defs": {"all": wide(n), **chain}}


def wide(n: int) -> Any:
    names = [f"n{i}" for i in range(n)]
    properties = {name: {"type": "string", "description": LONG} for name in names}
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


def nested_namespaces(n: int) -> Any:
    inner: Any = {"type": "function", "name": "f"}
    for _ in range(n):
        inner = {"type": "namespace", "name": "n", "tools": [inner]}
    return inner


CHOICES: dict[str, Callable[[list[Any]], Any]] = {
    "allowed": lambda declared: {"type": "allowed_tools", "tools": [{"type": "function", "name": LONG}, *declared]},
    "named": lambda declared: declared[-1],
}


def test_every_tool_has_a_case() -> None:
    """In both directions."""
    assert keys_of(TOOLS) - {"other"} == tools.READERS.keys() == TOOL_FIELDS.keys()
    assert keys_of(TOOLS) >= tools._FLATTEN.keys()


@pytest.mark.parametrize(("choice", "profile"), [("allowed", "default"), ("allowed", "openai"), ("named", "gemini")])
@each(TOOLS)
def test_tools(make: Make, choice: str, profile: str) -> None:
    """Declared, chosen among, and declared behind the first words."""

    def body(n: int) -> Any:
        declared = make(n)
        late = [{"type": "additional_tools", "tools": make(n)}, ENDS]
        return asked(tools=declared, tool_choice=CHOICES[choice](declared), input=late)

    assert_linear(lambda n: serve(ServeResponses, body(n), profile=profile))


@pytest.mark.parametrize("choice", CHOICES)
@each(TOOLS)
def test_tools_of_chat(make: Make, choice: str) -> None:
    """The same of a chat client, nested as chat nests them or not."""

    def body(n: int) -> Any:
        declared = make(n)
        return chat(tools=declared, functions=declared, tool_choice=CHOICES[choice](declared))

    assert_linear(lambda n: serve(ServeChat, body(n)))


# --- chat messages


def conversation(call: Callable[[int], Any], output: Callable[[int], Any], apart: bool = False) -> Make:
    def make(n: int) -> Any:
        calls, outputs = many(call)(n), many(output)(n)
        return [*calls, *outputs] if apart else [m for pair in zip(calls, outputs, strict=True) for m in pair]

    return make


def calling(i: Any) -> Any:
    return {"role": "assistant", "tool_calls": [{"id": f"c{i}", "function": {"name": "f", "arguments": LONG}}]}


def answering(i: Any) -> Any:
    return {"role": "tool", "tool_call_id": f"c{i}", "content": LONG}


def old_call(i: int) -> Any:
    return {"role": "assistant", "function_call": {"name": "f", "arguments": LONG}}


THOUGHT = to_details({"type": "reasoning", "id": "r", "encrypted_content": LONG})
MESSAGES: Cases = {
    **{role: many({"role": role, "content": LONG, "name": LONG}) for role in ("system", "developer", "user")},
    "user, unread": many(lambda i: {"role": "user", "content": "x", f"field {i}": LONG}),
    "assistant": many({"role": "assistant", "content": LONG, "refusal": LONG, "reasoning_content": LONG}),
    "assistant, spoken": many({"role": "assistant", "audio": {"transcript": LONG}}),
    "assistant, sealed": many({"role": "assistant", "content": "x", "reasoning_details": [THOUGHT]}),
    "assistant, one message": lambda n: [
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": LONG}] * n,
            "reasoning_details": [THOUGHT] * n,
            "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": LONG}}] * n,
        }
    ],
    "tool": conversation(calling, answering),
    "tool, apart": conversation(calling, answering, apart=True),
    "tool, one id": conversation(lambda i: calling(1), lambda i: answering(1), apart=True),
    "tool, ids that collide": conversation(lambda i: calling(f"_{i}"), lambda i: calling(""), apart=True),
    "tool, several results": lambda n: [calling(1), *many(answering(1))(n)],
    "tool, objects": many({"role": "tool", "tool_call_id": "c", "content": {"a": LONG}}),
    "tool, long ids": conversation(lambda i: calling(f"{i} {LONG}"), lambda i: answering(f"{i} {LONG}")),
    "function": conversation(old_call, lambda i: {"role": "function", "name": "f", "content": LONG}),
    "function, apart": conversation(old_call, lambda i: {"role": "function", "name": "f", "content": LONG}, apart=True),
}


def test_every_role_has_a_case() -> None:
    """A role without one would be a new way to be slow."""
    assert keys_of(MESSAGES) == to_responses.HANDLERS.keys()


@pytest.mark.parametrize("replay", ["never", "tool_loop", "always"])
@each(MESSAGES)
def test_messages(make: Make, replay: Any) -> None:
    """Whatever they are."""
    profile = Profile(reasoning_replay=replay)
    assert_linear(lambda n: serve(ServeChat, chat(messages=make(n)), profile=profile))
    assert_linear(lambda n: serve(ServeChat, chat(messages=None, input=make(n)), profile=profile))


# --- fields

SHAPES: dict[str, Make] = {
    "text": lambda n: "x" * 100 * n,
    "texts": lambda n: [LONG] * n,
    "object": lambda n: {f"field {i}": LONG for i in range(n)},
    "objects": lambda n: [{"type": "text", "name": LONG}] * n,
}


def paths_of(rules: dict[str, Any], prefix: str = "") -> list[str]:
    """The dotted path of every field that a table knows."""
    found: list[str] = []
    for name, rule in rules.items():
        found += [prefix + name, *(paths_of(rule, f"{prefix}{name}.") if isinstance(rule, dict) else [])]
    return found


def nested(path: str, value: Any) -> dict[str, Any]:
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("path", [*paths_of(TO_CHAT), "unknown"])
def test_fields(path: str, shape: Make) -> None:
    """Every field of a Responses request, whatever it holds."""
    assert_linear(lambda n: serve(ServeResponses, {**asked(), **nested(path, shape(n))}, profile="openai"))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("path", [*paths_of(TO_RESPONSES), "unknown"])
def test_fields_of_chat(path: str, shape: Make) -> None:
    """Every field of a chat request, whatever it holds."""
    assert_linear(lambda n: serve(ServeChat, {**chat(), **nested(path, shape(n))}))


def test_many_fields() -> None:
    """That nobody knows; as many as somebody likes."""
    fields = SHAPES["object"]
    assert_linear(lambda n: serve(ServeResponses, {**asked(), **fields(n)}, profile=Profile(unknown="report")))
    assert_linear(lambda n: serve(ServeChat, {**chat(), **fields(n)}))


# --- errors


@pytest.mark.parametrize("path", ["messages[0].x", "x"])
def test_paths_in_messages_of_errors(path: str) -> None:
    """An upstream's message is told in the client's words, however often it says them."""
    assert_linear(lambda n: lambda: upstream_errors.replace_path(f"'{path}' " * n, path, "input[0].y"))
    assert_linear(lambda n: lambda: upstream_errors.replace_path("a" * 100 * n, "a" * 50 * n + "b", "input[0].y"))


@pytest.mark.parametrize("folder", ["translator", "adapters"])
def test_nothing_is_moved_one_by_one(folder: str) -> None:
    """The first member of a list is neither taken nor put in front: that moves all others, and is seen by no count."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            where = f"{path.relative_to(ROOT)}, line {getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                is_first = isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
                assert not (node.func.attr in ("pop", "insert") and is_first), where
            if isinstance(node, ast.Delete):
                assert not any(_is_first(target) for target in node.targets), where


def _is_first(target: ast.expr) -> bool:
    """`x[0]`, or a slice that begins there."""
    if not isinstance(target, ast.Subscript):
        return False
    at = target.slice.lower if isinstance(target.slice, ast.Slice) else target.slice
    return at is None or (isinstance(at, ast.Constant) and at.value == 0)


def test_the_measure() -> None:
    """The measure itself: what is linear passes, and what is not fails."""
    assert_linear(lambda n: lambda: encode_json([LONG] * n))

    def joined(n: int) -> Callable[[], Any]:
        def run() -> None:
            whole = {"text": ""}
            for _ in range(n):
                whole["text"] += LONG

        return run

    def looked_through(n: int) -> Callable[[], Any]:
        return lambda: [any(False for _ in range(i)) for i in range(n)]

    with pytest.raises(AssertionError, match="memory"):
        assert_linear(joined)
    one, two = cost_of(looked_through, 100), cost_of(looked_through, 200)
    assert two.steps > 3 * one.steps
