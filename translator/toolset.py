"""The tools of a request and the choice among them: what is declared to the upstream, in both directions."""

from __future__ import annotations

from typing import Any

from .context import Terms
from .errors import BadRequest
from .mapping import put_taken
from .parts import choices, tools
from .parts.catalog import Catalog
from .parts.names import Names


def to_chat(body: dict[str, Any], catalog: Catalog, chat: dict[str, Any], terms: Terms) -> list[str]:
    """Declare the tools and the choice among them; return the paths of the declarations."""
    choice, declared = choices.to_chat(body.get("tool_choice"), catalog, terms)
    if choice is not None and not terms.profile.takes("tool_choice"):
        if choice == "none":
            terms.report.emulated("tool_choice", "no tools are declared")
            declared = []
        elif choice != "auto":
            terms.report.dropped("tool_choice", "the upstream does not take it", choice)
        choice = None
    if declared and not terms.profile.takes("tools"):
        declared = _without(body, [tool.path for tool in declared], terms)
    elif not declared and terms.profile.declare_called_tools and terms.profile.takes("tools"):
        _declare_called(chat, terms)
    if not declared:
        return []
    chat["tools"] = [tool.chat for tool in declared]
    if choice is not None:
        chat["tool_choice"] = choice
    parallel = body.get("parallel_tool_calls")
    if parallel is not None and terms.profile.takes("parallel_tool_calls"):
        chat["parallel_tool_calls"] = parallel
    elif parallel is False:
        terms.report.dropped("parallel_tool_calls", "the upstream does not take it", parallel)
    return [tool.path for tool in declared]


def _declare_called(chat: dict[str, Any], terms: Terms) -> None:
    """Declare what the messages call (`declare_called_tools`); it is not to be called again."""
    calls = [call for message in chat["messages"] for call in message.get("tool_calls", ())]
    names = dict.fromkeys(call[call["type"]]["name"] for call in calls)
    if not names:
        return
    terms.report.emulated("tools", "tools that were called are declared: without them, calls in history are refused")
    chat["tools"] = [
        {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
        for name in names
    ]
    if terms.profile.takes("tool_choice"):
        chat["tool_choice"] = "none"


def to_responses(body: dict[str, Any], made: dict[str, Any], legacy: bool, names: Names, terms: Terms) -> list[str]:
    """Declare the tools and the choice among them; return the paths of the declarations."""
    declared, paths = tools.to_responses(body, names, terms)
    name = "tool_choice" if body.get("tool_choice") is not None else "function_call"
    choice = None if body.get(name) is None else choices.to_responses(body[name], name, names, terms, declared)
    if not declared and choice not in (None, "none", "auto"):
        raise BadRequest(f"'{name}' is only allowed when tools are declared.", name)
    if declared and not terms.profile.takes("tools", "responses"):
        declared = _without(body, paths, terms)
    if declared and choice == "none" and not terms.profile.takes("tool_choice", "responses"):
        terms.report.emulated(name, "no tools are declared")
        declared = []
    if not declared:
        return []
    made["tools"] = declared
    put_taken(made, "tool_choice", choice, name, terms)
    if legacy:
        put_taken(made, "parallel_tool_calls", False, "functions", terms)  # their answer has room for one call
    else:
        put_taken(made, "parallel_tool_calls", body.get("parallel_tool_calls"), "parallel_tool_calls", terms)
    return paths


def _without(body: dict[str, Any], paths: list[str], terms: Terms) -> list[Any]:
    """The upstream takes no tools, and nothing that is said about them."""
    for path in paths:
        terms.report.dropped(path, "the upstream takes no 'tools'")
    for name in ("tool_choice", "function_call", "parallel_tool_calls"):
        if body.get(name) not in (None, "auto", "none", True):
            terms.report.dropped(name, "the upstream takes no 'tools'", body[name])
    return []
