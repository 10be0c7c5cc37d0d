"""Built-in tools that a client runs itself, and the functions that replace them at upstreams without them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..context import Context
from ..wire import json
from .catalog import DeclaredTool


def _object(**properties: Any) -> dict[str, Any]:
    required = [name for name, schema in properties.items() if not schema.pop("optional", False)]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}
_MILLISECONDS = {"type": "integer", "description": "Time limit in milliseconds.", "optional": True}
INPUT_SCHEMA = _object(input={"type": "string", "description": "The whole input of the tool, as it is."})

NATIVES: dict[str, tuple[str, dict[str, Any]]] = {
    "local_shell": (
        "Runs a command on the user's machine and returns what it prints.",
        _object(
            command={**_STRINGS, "description": "The command and its arguments."},
            timeout_ms=dict(_MILLISECONDS),
            working_directory={"type": "string", "optional": True},
            env={"type": "object", "additionalProperties": _STRING, "optional": True},
        ),
    ),
    "shell": (
        "Runs shell commands on the user's machine and returns what they print.",
        _object(
            commands={**_STRINGS, "description": "The shell commands, each a whole line."},
            timeout_ms=dict(_MILLISECONDS),
            max_output_length={"type": "integer", "optional": True},
        ),
    ),
    "apply_patch": (
        "Creates, updates or deletes one file. For update_file, diff is a unified diff without file headers.",
        _object(
            type={"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
            path=_STRING,
            diff={"type": "string", "description": "The diff; not for delete_file.", "optional": True},
        ),
    ),
    "tool_search": (
        "Finds tools by what they do and makes them callable.",
        _object(query={"type": "string", "description": "What the tool should be able to do."}),
    ),
}


def declare(tool: dict[str, Any], path: str, namespace: str | None, context: Context) -> Iterable[DeclaredTool]:
    """Return the function for a built-in tool that the client runs; none where there is nothing to call."""
    kind = tool["type"]
    environment = tool.get("environment")
    if isinstance(environment, dict) and environment.get("type") not in (None, "local"):
        context.report.dropped(path, "its container is on the Responses server", tool)
        return ()
    if isinstance(environment, dict):
        context.report_unread(environment, frozenset({"type"}), f"{path}.environment")
    if kind == "tool_search" and tool.get("execution") != "client":
        context.report.emulated(path, "all tools are loaded at once")
        return ()
    description, parameters = NATIVES[kind]
    context.report.emulated(path, "sent as a function in place of the built-in tool")
    function = {
        "name": kind,
        "description": tool.get("description") or description,
        "parameters": tool.get("parameters") or json.deep_copy(parameters),
    }
    return (DeclaredTool.of(kind, kind, None, path, function),)
