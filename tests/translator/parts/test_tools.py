from typing import Any

import pytest

from diglot.translator import Loss, Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.parts import builtin_tools, names, tools
from diglot.translator.parts.catalog import DeclaredTool

CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
NO_ARGUMENTS = {"type": "object", "properties": {}}


def read(*declared: Any, **profile: Any) -> tuple[list[DeclaredTool], list[Loss]]:
    """The tools and losses of a request that declares *declared*."""
    report = Report()
    found = tools.read_catalog({"tools": list(declared)}, Context(Profile(**profile), report))
    return list(found), list(report)


def function(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, **more}


def inner(tool: DeclaredTool) -> dict[str, Any]:
    """The declaration inside of its envelope."""
    return tool.chat[tool.chat["type"]]


@pytest.mark.parametrize("declared", [function(), {"type": "function", "function": {"name": "f"}}])
def test_a_function_is_nested(declared: dict[str, Any]) -> None:
    """A function without parameters takes none; chat's own spelling is read too; nulls are left out."""
    (tool,), losses = read(declared)
    assert tool.chat == {"type": "function", "function": {"name": "f", "parameters": NO_ARGUMENTS}}
    assert (tool.flat, tool.kind, tool.name, tool.namespace, tool.path) == ("f", "function", "f", None, "tools[0]")
    assert losses == []


@pytest.mark.parametrize(
    ("mode", "strict", "parameters", "sent"),
    [
        ("keep", True, OPEN, True),
        ("keep", False, CLOSED, None),
        ("keep", None, CLOSED, None),
        ("infer", None, CLOSED, True),
        ("infer", None, OPEN, None),
        ("infer", False, CLOSED, None),
        ("infer", True, OPEN, True),
        ("drop", None, CLOSED, None),
        ("drop", False, CLOSED, None),
        ("drop", True, CLOSED, None),
    ],
)
def test_strict(mode: Any, strict: bool | None, parameters: Any, sent: bool | None) -> None:
    """Chat's default is false, Responses tries strict where it can (protocol 3.2); what is dropped is reported."""
    (tool,), losses = read(function(strict=strict, parameters=parameters), strict_functions=mode)
    assert inner(tool).get("strict") is sent
    dropped = [("tools[0].strict", "dropped")] if mode == "drop" and strict else []
    assert [(loss.path, loss.kind) for loss in losses] == dropped


@pytest.mark.parametrize(
    ("callers", "kept"),
    [(None, True), ([], True), (["direct"], True), (["programmatic", "direct"], True), (["programmatic"], False)],
)
def test_only_programs_may_call_it(callers: Any, kept: bool) -> None:
    """There are no programs here: a tool for them alone is dropped, and reported."""
    found, losses = read(function(allowed_callers=callers))
    assert bool(found) is kept
    assert [loss.path for loss in losses] == ([] if kept else ["tools[0]"])


@pytest.mark.parametrize(
    ("more", "path", "kind"),
    [
        ({"output_schema": OPEN}, "tools[0].output_schema", "dropped"),
        ({"defer_loading": True}, "tools[0].defer_loading", "emulated"),
        ({"async": True}, "tools[0].async", "emulated"),
        ({"colour": "red"}, "tools[0].colour", "dropped"),
    ],
)
def test_what_a_function_cannot_say_is_reported(more: dict[str, Any], path: str, kind: str) -> None:
    """Its other fields are named, and the function stays."""
    found, losses = read(function(**more))
    assert len(found) == 1
    assert [(loss.path, loss.kind) for loss in losses] == [(path, kind)]


GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /x/"}
CHAT_GRAMMAR = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /x/"}}


@pytest.mark.parametrize(
    ("form", "sent"),
    [(GRAMMAR, CHAT_GRAMMAR), (CHAT_GRAMMAR, CHAT_GRAMMAR), ({"type": "text"}, {"type": "text"}), ("x", "x")],
)
def test_a_free_form_tool_stays_one(form: Any, sent: Any) -> None:
    """Where the upstream takes it, only the grammar is nested; both spellings are read."""
    for declared in ({"name": "c", "format": form}, {"custom": {"name": "c", "format": form}}):
        (tool,), losses = read({"type": "custom", **declared}, custom_tools=True)
        assert tool.chat == {"type": "custom", "custom": {"name": "c", "format": sent}}
        assert (tool.kind, tool.wrapped) == ("custom", False)
        assert losses == []


@pytest.mark.parametrize(
    ("description", "form", "told"),
    [
        ("Runs.", None, "Runs."),
        (None, GRAMMAR, "The input must match this lark grammar:\nstart: /x/"),
        ("Runs.", CHAT_GRAMMAR, "Runs.\n\nThe input must match this lark grammar:\nstart: /x/"),
        (5, {"type": "text"}, ""),
    ],
)
def test_a_free_form_tool_is_wrapped(description: Any, form: Any, told: str) -> None:
    """Where it is not taken, a function with one string stands in; the grammar is described."""
    (tool,), losses = read({"type": "custom", "name": "c", "description": description, "format": form})
    assert tool.chat["type"] == "function"
    assert inner(tool).get("description", "") == told
    assert inner(tool)["parameters"] == builtin_tools.INPUT_SCHEMA
    assert (tool.kind, tool.wrapped) == ("custom", True)
    described = [("tools[0].format", "approximated")] if "grammar" in told else []
    assert [(loss.path, loss.kind) for loss in losses] == [("tools[0]", "emulated"), *described]


def test_a_namespace_is_part_of_the_names() -> None:
    """Its tools are declared under both names; its description has no place."""
    members = [function(), {"type": "custom", "name": "c"}]
    found, losses = read({"type": "namespace", "name": "ns", "description": "d", "tools": members}, custom_tools=True)
    assert [(t.flat, t.name, t.namespace, t.path) for t in found] == [
        ("ns__f", "f", "ns", "tools[0].tools[0]"),
        ("ns__c", "c", "ns", "tools[0].tools[1]"),
    ]
    assert [(loss.path, loss.kind) for loss in losses] == [
        ("tools[0]", "emulated"),
        ("tools[0].description", "dropped"),
    ]


@pytest.mark.parametrize("members", [None, []])
def test_an_empty_namespace_says_nothing(members: Any) -> None:
    """Without tools there is nothing to lose."""
    assert read({"type": "namespace", "name": "ns", "description": "d", "tools": members}) == ([], [])


@pytest.mark.parametrize("kind", builtin_tools.NATIVES)
def test_a_built_in_tool_of_the_client_is_a_function(kind: str) -> None:
    """It has a fixed schema that strict servers would take but for its optional fields, and a description."""
    (tool,), losses = read({"type": kind, "execution": "client"} if kind == "tool_search" else {"type": kind})
    description, parameters = builtin_tools.NATIVES[kind]
    assert inner(tool) == {"name": kind, "description": description, "parameters": parameters}
    assert (tool.kind, tool.namespace) == (kind, None)
    assert [(loss.path, loss.kind) for loss in losses] == [("tools[0]", "emulated")]
    assert set(parameters["required"]) <= set(parameters["properties"])
    assert "optional" not in str(parameters)


def test_a_search_of_tools_may_describe_itself() -> None:
    """The client's own description and parameters are sent."""
    declared = {"type": "tool_search", "execution": "client", "description": "Mine.", "parameters": OPEN}
    (tool,), _ = read(declared)
    assert (inner(tool)["description"], inner(tool)["parameters"]) == ("Mine.", OPEN)


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ({"type": "tool_search"}, "emulated"),
        ({"type": "tool_search", "execution": "server"}, "emulated"),
        ({"type": "shell", "environment": {"type": "container_auto"}}, "dropped"),
        ({"type": "web_search"}, "dropped"),
        ({"type": "vendor:x"}, "dropped"),
        ({"type": []}, "dropped"),
        ({}, "dropped"),
    ],
)
def test_what_the_server_runs_is_not_declared(declared: dict[str, Any], kind: str) -> None:
    """Tools that would run at the Responses server are reported."""
    found, losses = read(declared)
    assert found == []
    assert [(loss.path, loss.kind) for loss in losses] == [("tools[0]", kind)]


@pytest.mark.parametrize("environment", [None, {}, {"type": None}, {"type": "local"}, {"type": "local", "skills": []}])
def test_a_local_shell_is_run_by_the_client(environment: Any) -> None:
    """Without a container the shell is the client's."""
    found, _ = read({"type": "shell", "environment": environment})
    assert [tool.kind for tool in found] == ["shell"]


@pytest.mark.parametrize(
    ("declared", "param"),
    [
        ("f", "tools[0]"),
        ({"type": "function"}, "tools[0].name"),
        ({"type": "programmatic_tool_calling"}, "tools[0]"),
        ({"type": "custom", "name": 5}, "tools[0].name"),
        ({"type": "namespace", "tools": []}, "tools[0].name"),
        ({"type": "namespace", "name": "n", "tools": {"a": 1}}, "tools[0].tools"),
        ({"type": "namespace", "name": "n", "tools": [5]}, "tools[0].tools[0]"),
        ({"type": "namespace", "name": "n", "tools": [{"type": "function"}]}, "tools[0].tools[0].name"),
    ],
)
def test_a_declaration_that_is_none_is_refused(declared: Any, param: str) -> None:
    """A 400 with the path of what is missing or wrong."""
    with pytest.raises(RequestError) as raised:
        read(declared)
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"tools": None, "input": "x"}, []),
        (
            {"tools": [function("a")], "input": [{"type": "additional_tools", "tools": [function("b")]}]},
            ["tools[0]", "input[0].tools[0]"],
        ),
        ({"input": [5, {"type": "tool_search_output", "tools": [function("b")]}]}, ["input[1].tools[0]"]),
        ({"input": [{"type": "additional_tools"}]}, []),
        ({"input": [{"type": "message", "tools": [function("b")]}]}, []),
    ],
)
def test_declarations_stand_in_three_places(body: dict[str, Any], paths: list[str]) -> None:
    """In `tools`, in `additional_tools` and in what a search loaded."""
    found = tools.read_catalog(body, Context(Profile(), Report()))
    assert [tool.path for tool in found] == paths
    assert len(found) == len(paths)


def test_the_first_declaration_counts() -> None:
    """The same again is nothing new; another one of the same name is dropped, and reported."""
    found, losses = read(function(), function(), function(description="Other."))
    assert [tool.path for tool in found] == ["tools[0]"]
    assert [(loss.path, loss.kind) for loss in losses] == [("tools[2]", "dropped")]


def test_two_tools_of_one_name_are_refused() -> None:
    """Nobody could tell whose call it is."""
    with pytest.raises(RequestError, match="same name at the upstream: 'f'") as raised:
        read(function("f"), {"type": "custom", "name": "f"})
    assert raised.value.param == "tools[1]"


def test_a_name_that_a_namespace_has_taken_becomes_another_one() -> None:
    """The upstream tells them apart, and so does the catalog."""
    space = {"type": "namespace", "name": "ns", "tools": [function()]}
    found, losses = read(function("ns__f"), space)
    assert found[0].flat == "ns__f"
    assert found[1].flat.startswith("ns__f_")
    assert [(tool.name, tool.namespace) for tool in found] == [("ns__f", None), ("f", "ns")]
    assert [(loss.path, loss.kind) for loss in losses] == [("tools[1]", "emulated")]


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("kind", ["function", "custom"])
@pytest.mark.parametrize("name", ["server.search@v1", "n" * 65, "\u00fcber"])
def test_names_that_upstreams_refuse_are_replaced(kind: str, name: str, native: bool) -> None:
    """The declaration has a plain name, and the report says so; the tool keeps its own."""
    (tool,), losses = read({"type": kind, "name": name}, custom_tools=native)
    assert inner(tool)["name"] == tool.flat == names.flatten(name, None) != name
    assert tool.name == name
    assert ("tools[0].name", "emulated") in [(loss.path, loss.kind) for loss in losses]


def test_schemas_as_the_upstream_takes_them() -> None:
    """What was simplified is reported, but not where the schema was ours."""
    declared = [function(parameters=CLOSED), function("g", parameters=OPEN), {"type": "custom", "name": "c"}]
    found, losses = read(*declared, schemas="clean")
    assert inner(found[0])["parameters"] == {**OPEN, "required": ["a"]}
    assert inner(found[1])["parameters"] == OPEN
    assert "additionalProperties" not in inner(found[2])["parameters"]
    assert [(loss.path, loss.kind) for loss in losses if loss.path != "tools[2]"] == [
        ("tools[0].parameters", "approximated")
    ]


def test_the_echo_leaves_other_things_alone() -> None:
    """Only functions get their missing keys."""
    assert tools.echo([{"type": "custom"}, "x", {"type": "function", "strict": True}]) == [
        {"type": "custom"},
        "x",
        {"type": "function", "description": None, "parameters": None, "strict": True},
    ]


def test_long_namespaces_are_refused() -> None:
    """Each member's name has the namespace in front."""
    named = {"type": "namespace", "tools": [{"type": "function", "name": "f"}]}
    assert len(read({**named, "name": "n" * tools.NAMESPACE_LIMIT})[0]) == 1
    with pytest.raises(RequestError) as raised:
        read({**named, "name": "n" * (tools.NAMESPACE_LIMIT + 1)})
    assert raised.value.param == "tools[0].name"


def test_namespaces_hold_no_namespaces() -> None:
    """What is in the inner one is dropped with it."""
    inner = {"type": "namespace", "name": "i", "tools": [{"type": "function", "name": "g"}]}
    found, losses = read({"type": "namespace", "name": "o", "tools": [function(), inner]})
    assert [tool.flat for tool in found] == ["o__f"]
    assert (losses[-1].path, losses[-1].kind) == ("tools[0].tools[1]", "dropped")


def test_a_name_may_go_on() -> None:
    """Where another tool has a longer one."""
    found = tools.read_catalog(
        {"tools": [function(n) for n in ("get", "get_weather", "z")]}, Context(Profile(), Report())
    )
    assert [found.may_go_on(n) for n in ("g", "get", "get_weather", "h", "z", "zz")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
