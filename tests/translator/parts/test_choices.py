from typing import Any

import pytest

from diglot.translator import Loss, Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.parts import choices, tools
from diglot.translator.parts.names import ToolNames

TOOLS = [
    {"type": "function", "name": "f"},
    {"type": "custom", "name": "c"},
    {"type": "shell"},
    {"type": "namespace", "name": "ns", "tools": [{"type": "function", "name": "g"}]},
]
ALL = ["f", "c", "shell", "ns__g"]


def chosen(choice: Any, declared: Any = TOOLS, **profile: Any) -> tuple[Any, list[str], list[Loss]]:
    """The chat choice, the names that are declared, and the losses of the choice."""
    settings = Profile(**profile)
    catalog = tools.read_catalog({"tools": declared}, Context(settings, Report()))
    report = Report()
    made, found = choices.to_chat(choice, catalog, Context(settings, report))
    return made, [tool.flat for tool in found], list(report)


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize("word", [None, "none", "auto", "required"])
def test_words_stay(word: str | None) -> None:
    """The words are the same on both sides; nothing is nothing."""
    assert chosen(word) == (word, ALL, [])


@pytest.mark.parametrize("word", [None, "none", "auto"])
def test_without_tools_there_is_no_choice(word: str | None) -> None:
    """A choice among no tools is left out."""
    assert chosen(word, []) == (None, [], [])


def test_required_without_tools_is_refused() -> None:
    """It cannot be done, and leaving it out would be a lie."""
    with pytest.raises(RequestError, match="none of the tools can be sent") as raised:
        chosen("required", [{"type": "web_search"}])
    assert raised.value.param == "tool_choice"


NAMED = [
    ({"type": "function", "name": "f"}, function("f")),
    ({"type": "function", "function": {"name": "f"}}, function("f")),
    ({"type": "function", "name": "f", "namespace": "f"}, function("f")),
    ({"type": "function", "name": "g", "namespace": "ns"}, function("ns__g")),
    ({"type": "function", "name": "ns__g"}, function("ns__g")),
    ({"type": "mcp", "server_label": "ns", "name": "g"}, function("ns__g")),
    ({"type": "custom", "name": "c"}, function("c")),
    ({"type": "shell"}, function("shell")),
]


@pytest.mark.parametrize(("choice", "made"), NAMED)
def test_a_named_tool(choice: dict[str, Any], made: dict[str, Any]) -> None:
    """It is named as the upstream knows it, in either spelling of the client."""
    assert chosen(choice) == (made, ALL, [])


@pytest.mark.parametrize(("choice", "made"), NAMED)
def test_an_upstream_that_takes_no_name(choice: dict[str, Any], made: dict[str, Any]) -> None:
    """Only the chosen tool is declared, and required (llama.cpp); that is told."""
    word, declared, losses = chosen(choice, named_choice=False)
    assert (word, declared) == ("required", [made["function"]["name"]])
    assert [(loss.path, loss.kind) for loss in losses] == [("tool_choice", "emulated")]


def test_a_free_form_tool_that_is_one() -> None:
    """Where free-form tools are taken, so is their choice."""
    assert chosen({"type": "custom", "name": "c"}, custom_tools=True)[0] == {
        "type": "custom",
        "custom": {"name": "c"},
    }


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        ("maybe", "tool_choice"),
        (5, "tool_choice"),
        ({"type": "function"}, "tool_choice.name"),
        ({"type": "function", "name": "x"}, "tool_choice"),
        ({"type": "function", "name": "g", "namespace": 5}, "tool_choice"),
        ({"type": "mcp", "server_label": "ns"}, "tool_choice"),
        ({"type": "apply_patch"}, "tool_choice"),
        ({"type": "file_search"}, "tool_choice"),
        ({"type": []}, "tool_choice"),
        ({}, "tool_choice.name"),
        ({"type": "allowed_tools"}, "tool_choice.tools"),
        ({"type": "allowed_tools", "mode": "required", "tools": []}, "tool_choice.tools"),
        ({"type": "allowed_tools", "mode": "any", "tools": [{"type": "shell"}]}, "tool_choice.mode"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused(choice: Any, param: str) -> None:
    """A forced tool that the upstream has not is a 400."""
    with pytest.raises(RequestError) as raised:
        chosen(choice)
    assert raised.value.param == param


def allowed(*names: str, mode: str | None = None) -> dict[str, Any]:
    return {"type": "allowed_tools", "mode": mode, "tools": [{"type": "function", "name": name} for name in names]}


@pytest.mark.parametrize(("mode", "word"), [(None, "auto"), ("auto", "auto"), ("required", "required")])
def test_allowed_tools_are_the_only_ones(mode: str | None, word: str) -> None:
    """Where the upstream knows no such choice, only these tools are declared (protocol 1.5g)."""
    made, declared, losses = chosen(allowed("f", "ns__g", "f", mode=mode))
    assert (made, declared) == (word, ["f", "ns__g"])
    assert [(loss.path, loss.kind) for loss in losses] == [("tool_choice", "emulated")]


@pytest.mark.parametrize("nested", [False, True])
def test_allowed_tools_are_named(nested: bool) -> None:
    """Where the upstream knows the choice, all tools are declared; both spellings are read."""
    choice = allowed("f", mode="required")
    asked = {"type": "allowed_tools", "allowed_tools": choice} if nested else choice
    made, declared, losses = chosen(asked, allowed_tools=True)
    assert made == {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [function("f")]}}
    assert (declared, losses) == (ALL, [])


@pytest.mark.parametrize("known", [False, True])
def test_allowed_tools_that_are_not_there(known: bool) -> None:
    """They are reported; when none is left, the model calls nothing."""
    choice = {"type": "allowed_tools", "tools": [{"type": "web_search"}, 5]}
    made, declared, losses = chosen(choice, allowed_tools=known)
    assert (made, declared) == (None, [])
    assert [(loss.path, loss.kind) for loss in losses] == [
        ("tool_choice.tools[0]", "dropped"),
        ("tool_choice.tools[1]", "dropped"),
        ("tool_choice", "emulated"),
    ]


# --- chat -> Responses


def flat(choice: Any, path: str = "tool_choice") -> tuple[Any, list[str]]:
    """The Responses choice, and the paths of what was lost."""
    report = Report()
    return choices.to_responses(choice, path, ToolNames(), Context(Profile(), report)), [loss.path for loss in report]


@pytest.mark.parametrize(
    "choice", ["none", "auto", "required", {"type": "web_search_preview"}, {"type": "mcp", "x": 1}]
)
def test_words_and_hosted_tools_stay(choice: Any) -> None:
    """The words are the same on both sides; what only a Responses server understands is handed on."""
    assert flat(choice) == (choice, [])


@pytest.mark.parametrize("kind", ["function", "custom"])
def test_a_name_is_nested_one_level_less(kind: str) -> None:
    """In either spelling of the client."""
    assert flat({"type": kind, kind: {"name": "f"}}) == ({"type": kind, "name": "f"}, [])
    assert flat({"type": kind, "name": "f"}) == ({"type": kind, "name": "f"}, [])


def test_the_older_choice_names_a_function() -> None:
    """`function_call` has no type."""
    assert flat({"name": "f"}, "function_call") == ({"type": "function", "name": "f"}, [])


MEMBERS = [function("f"), {"type": "custom", "name": "c"}, {"type": "mcp", "server_label": "s"}]
FLAT_MEMBERS = [
    {"type": "function", "name": "f"},
    {"type": "custom", "name": "c"},
    {"type": "mcp", "server_label": "s"},
]


@pytest.mark.parametrize("mode", [None, "auto", "required"])
def test_allowed_tools_come_out_of_their_nesting(mode: Any) -> None:
    """In either spelling of the client; `auto` is the default."""
    given = {"mode": mode, "tools": MEMBERS}
    made = {"type": "allowed_tools", "mode": mode or "auto", "tools": FLAT_MEMBERS}
    assert flat({"type": "allowed_tools", "allowed_tools": given}) == (made, [])
    assert flat({"type": "allowed_tools", **given}) == (made, [])


@pytest.mark.parametrize(
    ("choice", "path"),
    [
        ({**function("f"), "why": 1}, "tool_choice.why"),
        ({"type": "function", "function": {"name": "f", "why": 1}}, "tool_choice.function.why"),
        ({"name": "f", "why": 1}, "tool_choice.why"),
        ({"type": "allowed_tools", "allowed_tools": {"tools": []}, "why": 1}, "tool_choice.why"),
        ({"type": "allowed_tools", "allowed_tools": {"tools": [], "why": 1}}, "tool_choice.allowed_tools.why"),
    ],
)
def test_what_a_choice_cannot_say_is_reported(choice: Any, path: str) -> None:
    """Fields that nobody knows are named."""
    assert flat(choice)[1] == [path]


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        ("maybe", "tool_choice"),
        (5, "tool_choice"),
        ({}, "tool_choice.name"),
        ({"type": ["function"]}, "tool_choice.type"),
        ({"type": "function"}, "tool_choice.name"),
        ({"type": "function", "function": {}}, "tool_choice.function.name"),
        ({"type": "allowed_tools"}, "tool_choice.tools"),
        ({"type": "allowed_tools", "allowed_tools": {}}, "tool_choice.allowed_tools.tools"),
        ({"type": "allowed_tools", "allowed_tools": {"tools": [5]}}, "tool_choice.allowed_tools.tools[0]"),
        (
            {"type": "allowed_tools", "allowed_tools": {"tools": [{"type": "function", "function": {}}]}},
            "tool_choice.allowed_tools.tools[0].function.name",
        ),
    ],
)
def test_what_is_no_choice_is_refused(choice: Any, param: str) -> None:
    """A 400 with the path of what is missing or wrong."""
    with pytest.raises(RequestError) as raised:
        flat(choice)
    assert raised.value.param == param
