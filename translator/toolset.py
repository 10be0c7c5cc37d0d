"""The tools of a request and the choice among them, in both directions."""

from __future__ import annotations

from typing import Any

from .context import Context
from .errors import RequestError
from .mapping import put_supported
from .parts import choices, tools
from .parts.catalog import Catalog
from .parts.names import ToolNames


def to_chat(body: dict[str, Any], catalog: Catalog, chat: dict[str, Any], context: Context) -> list[str]:
    """Declare the tools and the choice among them; return the paths of the declarations."""
    choice, declared = choices.to_chat(body.get("tool_choice"), catalog, context)
    if choice is not None and not context.profile.takes("tool_choice"):
        if choice == "none":
            context.report.emulated("tool_choice", "no tools are declared")
            declared = []
        elif choice != "auto":
            context.report.dropped("tool_choice", "the upstream does not support it", choice)
        choice = None
    if declared and not context.profile.takes("tools"):
        declared = _without(body, [tool.path for tool in declared], context)
    elif not declared and context.profile.declare_called_tools and context.profile.takes("tools"):
        _declare_called(chat, context)
    if not declared:
        return []
    chat["tools"] = [tool.chat for tool in declared]
    if choice is not None:
        chat["tool_choice"] = choice
    parallel = body.get("parallel_tool_calls")
    if parallel is not None and context.profile.takes("parallel_tool_calls"):
        chat["parallel_tool_calls"] = parallel
    elif parallel is False:
        context.report.dropped("parallel_tool_calls", "the upstream does not support it", parallel)
    return [tool.path for tool in declared]


def _declare_called(chat: dict[str, Any], context: Context) -> None:
    """Declare the tools that the messages call (`declare_called_tools`); the model is not to call them again."""
    calls = [call for message in chat["messages"] for call in message.get("tool_calls", ())]
    names = dict.fromkeys(call[call["type"]]["name"] for call in calls)
    if not names:
        return
    context.report.emulated(
        "tools", "tools called in the history are declared; without them, the upstream refuses those calls"
    )
    chat["tools"] = [
        {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
        for name in names
    ]
    if context.profile.takes("tool_choice"):
        chat["tool_choice"] = "none"


def to_responses(
    body: dict[str, Any], out: dict[str, Any], legacy: bool, names: ToolNames, context: Context
) -> list[str]:
    """Declare the tools and the choice among them; return the paths of the declarations."""
    declared, paths = tools.to_responses(body, names, context)
    name = "tool_choice" if body.get("tool_choice") is not None else "function_call"
    choice = None if body.get(name) is None else choices.to_responses(body[name], name, names, context, declared)
    if not declared and choice not in (None, "none", "auto"):
        raise RequestError(f"'{name}' is only allowed when tools are declared.", name)
    if declared and not context.profile.takes("tools", "responses"):
        declared = _without(body, paths, context)
    if declared and choice == "none" and not context.profile.takes("tool_choice", "responses"):
        context.report.emulated(name, "no tools are declared")
        declared = []
    if not declared:
        return []
    out["tools"] = declared
    put_supported(out, "tool_choice", choice, name, context)
    if legacy:
        put_supported(out, "parallel_tool_calls", False, "functions", context)  # their answer has room for one call
    else:
        put_supported(out, "parallel_tool_calls", body.get("parallel_tool_calls"), "parallel_tool_calls", context)
    return paths


def _without(body: dict[str, Any], paths: list[str], context: Context) -> list[Any]:
    """Leave out the tools, which the upstream does not support, and the fields about them."""
    for path in paths:
        context.report.dropped(path, "the upstream does not support 'tools'")
    for name in ("tool_choice", "function_call", "parallel_tool_calls"):
        if body.get(name) not in (None, "auto", "none", True):
            context.report.dropped(name, "the upstream does not support 'tools'", body[name])
    return []
