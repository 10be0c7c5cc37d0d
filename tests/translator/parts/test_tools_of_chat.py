"""`parts/tools.py`, from chat to Responses (the other way: test_tools.py)."""

from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.parts import tools
from diglot.translator.parts.names import ToolNames

CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
NO_ARGUMENTS = {"type": "object", "properties": {}}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /x/"}
CHAT_GRAMMAR = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /x/"}}


def flat(**body: Any) -> tuple[list[dict[str, Any]], list[str], list[tuple[str, str]]]:
    """The Responses tools of a chat request, the paths of their declarations, and what was lost."""
    report = Report()
    made, paths = tools.to_responses(body, ToolNames(), Context(Profile(), report))
    return made, paths, [(loss.path, loss.kind) for loss in report]


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({}, {"parameters": NO_ARGUMENTS, "strict": False}),
        ({"parameters": None, "strict": None, "description": None}, {"parameters": NO_ARGUMENTS, "strict": False}),
        ({"parameters": CLOSED}, {"parameters": CLOSED, "strict": False}),
        ({"parameters": CLOSED, "strict": True}, {"parameters": CLOSED, "strict": True}),
        ({"parameters": OPEN, "description": "d"}, {"description": "d", "parameters": OPEN, "strict": False}),
    ],
)
def test_a_function_comes_out_of_its_nesting(given: dict[str, Any], made: dict[str, Any]) -> None:
    """It is not strict unless it says so, which has to be said (protocol 3.2); all spellings are read."""
    named = {"name": "f", **given}
    expected = {"type": "function", "name": "f", **made}
    assert flat(tools=[{"type": "function", "function": named}]) == ([expected], ["tools[0].function"], [])
    assert flat(tools=[{"type": "function", **named}]) == ([expected], ["tools[0]"], [])
    assert flat(functions=[named]) == ([expected], ["functions[0]"], [])


@pytest.mark.parametrize(
    ("form", "sent"), [(CHAT_GRAMMAR, GRAMMAR), (GRAMMAR, GRAMMAR), ({"type": "text"}, {"type": "text"}), ("x", "x")]
)
def test_a_free_form_tool_comes_out_of_its_nesting(form: Any, sent: Any) -> None:
    """And so does its grammar; both spellings are read."""
    given = {"name": "c", "description": "d", "format": form}
    made = {"type": "custom", "name": "c", "description": "d", "format": sent}
    assert flat(tools=[{"type": "custom", "custom": given}]) == ([made], ["tools[0].custom"], [])
    assert flat(tools=[{"type": "custom", **given}]) == ([made], ["tools[0]"], [])


def test_tools_of_a_responses_server_are_handed_on() -> None:
    """A chat client that declares them means them."""
    hosted = {"type": "mcp", "server_label": "s", "headers": {"a": "b"}}
    assert flat(tools=[hosted]) == ([hosted], ["tools[0]"], [])


PLACE = {"city": "Paris"}


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ({}, {}),
        ({"search_context_size": "low", "user_location": None}, {"search_context_size": "low"}),
        (
            {"user_location": {"type": "approximate", "approximate": PLACE}},
            {"user_location": {"type": "approximate", **PLACE}},
        ),
        ({"user_location": {"type": "approximate", **PLACE}}, {"user_location": {"type": "approximate", **PLACE}}),
    ],
)
def test_a_wish_to_search_is_a_tool(options: Any, made: Any) -> None:
    """The model decides whether it searches, which is told."""
    tool = {"type": "web_search", **made}
    losses = [("web_search_options", "approximated")]
    assert flat(web_search_options=options) == ([tool], ["web_search_options"], losses)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"tools": [{"type": "function", "function": {"name": "f", "cost": 1}}]}, "tools[0].function.cost"),
        ({"tools": [{"type": "function", "function": {"name": "f"}, "cost": 1}]}, "tools[0].cost"),
        ({"tools": [{"type": "custom", "custom": {"name": "c", "cost": 1}}]}, "tools[0].custom.cost"),
        (
            {"tools": [{"type": "custom", "custom": {"name": "c", "format": {**CHAT_GRAMMAR, "cost": 1}}}]},
            "tools[0].custom.format.cost",
        ),
        ({"functions": [{"name": "f", "cost": 1}]}, "functions[0].cost"),
        ({"web_search_options": {"cost": 1}}, "web_search_options.cost"),
        (
            {"web_search_options": {"user_location": {"approximate": {}, "cost": 1}}},
            "web_search_options.user_location.cost",
        ),
    ],
)
def test_what_a_declaration_cannot_say_is_reported(body: dict[str, Any], path: str) -> None:
    """Fields that nobody knows are named."""
    assert (path, "dropped") in flat(**body)[2]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"tools": 5}, "tools"),
        ({"tools": ["f"]}, "tools[0]"),
        ({"tools": [{}]}, "tools[0].type"),
        ({"tools": [{"type": "function", "function": "f"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "custom"}]}, "tools[0].name"),
        ({"functions": {"name": "f"}}, "functions"),
        ({"functions": [5]}, "functions[0]"),
        ({"functions": [{}]}, "functions[0].name"),
        ({"web_search_options": True}, "web_search_options"),
        ({"web_search_options": {"user_location": "Paris"}}, "web_search_options.user_location"),
    ],
)
def test_what_declares_nothing_is_refused(body: dict[str, Any], param: str) -> None:
    """A 400 with the path of what is missing or wrong."""
    with pytest.raises(RequestError) as raised:
        flat(**body)
    assert raised.value.param == param
