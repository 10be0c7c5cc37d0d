"""`tool_choice`: in all its forms (protocol 3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadRequest
from ..profiles import Terms
from ..wire import shape

if TYPE_CHECKING:
    from .tools import Catalog, Tool

_NAMED = ("function", "custom")
_BUILT_IN = {"shell": "shell", "apply_patch": "apply_patch", "local_shell": "local_shell", "tool_search": "tool_search"}


def to_chat(choice: Any, catalog: Catalog, terms: Terms) -> tuple[Any, list[Tool]]:
    """Return the chat choice (None: leave it out) and the tools to declare.

    Where the upstream knows no `allowed_tools`, only those tools are declared. Raises BadRequest when a tool is forced
    that the upstream does not have.
    """
    tools = list(catalog)
    if choice is None:
        return None, tools
    if isinstance(choice, str):
        return _word(choice, tools), tools
    kind = shape.mapping(choice, "tool_choice").get("type")
    if kind == "allowed_tools":
        return _allowed(choice, catalog, terms)
    tool = _find(choice, "tool_choice", catalog)
    if terms.profile.named_choice:
        return _named(tool), tools
    terms.report.emulated("tool_choice", "only the chosen tool is declared, and it is required")
    return "required", [tool]


def _word(word: str, tools: list[Tool]) -> str | None:
    if word not in ("none", "auto", "required"):
        raise BadRequest(
            f"Invalid value: '{word}'. Supported values are: 'none', 'auto' and 'required'.", "tool_choice"
        )
    if tools:
        return word
    if word == "required":
        raise BadRequest("'tool_choice' is 'required', but the upstream has none of the tools.", "tool_choice")
    return None


def _find(choice: dict[str, Any], path: str, catalog: Catalog) -> Tool:
    kind = choice.get("type")
    name, namespace = choice.get("name"), choice.get("namespace")
    if kind in _NAMED:
        inner = choice.get(kind)
        name = inner.get("name") if isinstance(inner, dict) else name  # chat's own nesting
        shape.text(name, f"{path}.name")
    elif kind == "mcp":
        name, namespace = choice.get("name"), choice.get("server_label")
    else:
        name = _BUILT_IN.get(kind) if isinstance(kind, str) else None
    found = None
    if isinstance(name, str):
        found = catalog.by_name(name, namespace if isinstance(namespace, str) else None)
        found = found or (catalog.by_flat(name) if namespace is None else None)
    if found is None:
        raise BadRequest(f"Tool choice '{name or kind}' is not among the tools that the upstream has.", path)
    return found


def _named(tool: Tool) -> dict[str, Any]:
    form = tool.chat["type"]
    return {"type": form, form: {"name": tool.flat}}


def _allowed(choice: dict[str, Any], catalog: Catalog, terms: Terms) -> tuple[Any, list[Tool]]:
    inner = choice["allowed_tools"] if isinstance(choice.get("allowed_tools"), dict) else choice
    mode = inner.get("mode") or "auto"
    if mode not in ("auto", "required"):
        raise BadRequest(f"Invalid value: '{mode}'. Supported values are: 'auto' and 'required'.", "tool_choice.mode")
    members = shape.array(inner.get("tools"), "tool_choice.tools")
    allowed: dict[str, Tool] = {}
    for i, member in enumerate(members):
        path = f"tool_choice.tools[{i}]"
        try:
            tool = _find(shape.mapping(member, path), path, catalog)
        except BadRequest as error:
            terms.report.dropped(path, error.message, member)
        else:
            allowed[tool.flat] = tool
    if not allowed and mode != "auto":
        raise BadRequest("None of the allowed tools is among the tools that the upstream has.", "tool_choice.tools")
    if terms.profile.allowed_tools and allowed:
        return {
            "type": "allowed_tools",
            "allowed_tools": {"mode": mode, "tools": [_named(tool) for tool in allowed.values()]},
        }, list(catalog)
    terms.report.emulated("tool_choice", "only the allowed tools are declared")
    return (_word(mode, list(allowed.values())) if allowed else None), list(allowed.values())
