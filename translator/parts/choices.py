"""`tool_choice`: in all its forms (protocol 3.5)."""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import RequestError
from ..wire import validate
from .catalog import Catalog, DeclaredTool
from .names import ToolNames

_NAMED = ("function", "custom")
_WORDS = ("none", "auto", "required")
_BUILT_IN = {"shell": "shell", "apply_patch": "apply_patch", "local_shell": "local_shell", "tool_search": "tool_search"}


def to_chat(choice: Any, catalog: Catalog, context: Context) -> tuple[Any, list[DeclaredTool]]:
    """Return the chat choice (None: leave it out) and the tools to declare.

    Where the upstream knows no `allowed_tools`, only those tools are declared. Raises RequestError when a tool is
    forced that the upstream does not have.
    """
    tools = list(catalog)
    if choice is None:
        return None, tools
    choice = _plain(choice, "tool_choice")
    if isinstance(choice, str):
        return _word(choice, tools), tools
    if choice.get("type") == "allowed_tools":
        return _allowed(choice, catalog, context)
    tool = _find(choice, "tool_choice", catalog)
    if context.profile.named_choice:
        return _named(tool), tools
    context.report.emulated("tool_choice", "only the chosen tool is declared, and it is required")
    return "required", [tool]


def _plain(choice: Any, path: str) -> Any:
    """A choice in one of the specified spellings: a word, or an object that says its `type` (W41).

    Clients that speak to several APIs write `any` for `required`, words as `{"type": "auto"}`, and a named tool as
    `{"type": "tool", "name": ...}` or without any type.
    """
    if isinstance(choice, str):
        return _OTHER_WORDS.get(choice, choice)
    choice = validate.mapping(choice, path)
    kind = choice.get("type")
    if isinstance(kind, str) and (kind in _WORDS or kind in _OTHER_WORDS):
        return _OTHER_WORDS.get(kind, kind)
    return _typed(choice)


def _typed(choice: dict[str, Any]) -> dict[str, Any]:
    """A choice, or one of the allowed tools, whose type is one of the specified ones wherever its shape says which."""
    if choice.get("type") not in (None, "tool"):
        return choice
    kind = next((form for form in (*_NAMED, "allowed_tools") if isinstance(choice.get(form), dict)), "function")
    return {**choice, "type": kind}


_OTHER_WORDS = {"any": "required"}


def _word(word: str, tools: list[DeclaredTool]) -> str | None:
    if word not in _WORDS:
        raise _no_word(word, "tool_choice")
    if tools:
        return word
    if word == "required":
        raise RequestError(
            "'tool_choice' is 'required', but none of the tools can be sent to the upstream.", "tool_choice"
        )
    return None


def _no_word(word: str, path: str) -> RequestError:
    return RequestError(f"Invalid value: '{word}'. Supported values are: 'none', 'auto' and 'required'.", path)


def _find(choice: dict[str, Any], path: str, catalog: Catalog) -> DeclaredTool:
    kind = choice.get("type")
    name, namespace = choice.get("name"), choice.get("namespace")
    if kind in _NAMED:
        inner = choice.get(kind)
        name = inner.get("name") if isinstance(inner, dict) else name  # chat's own nesting
        validate.text(name, f"{path}.name")
    elif kind == "mcp":
        name, namespace = choice.get("name"), choice.get("server_label")
    else:
        name = _BUILT_IN.get(kind) if isinstance(kind, str) else None
    tool = None
    if isinstance(name, str):
        tool = catalog.by_name(name, namespace if isinstance(namespace, str) else None)
        tool = tool or (catalog.by_flat(name) if namespace is None else None)
    if tool is None:
        raise RequestError(f"Tool choice '{name or kind}' is not one of the tools sent to the upstream.", path)
    return tool


def _named(tool: DeclaredTool) -> dict[str, Any]:
    form = tool.chat["type"]
    return {"type": form, form: {"name": tool.flat}}


def _allowed(choice: dict[str, Any], catalog: Catalog, context: Context) -> tuple[Any, list[DeclaredTool]]:
    inner = choice["allowed_tools"] if isinstance(choice.get("allowed_tools"), dict) else choice
    mode = inner.get("mode") or "auto"
    if mode not in ("auto", "required"):
        raise RequestError(f"Invalid value: '{mode}'. Supported values are: 'auto' and 'required'.", "tool_choice.mode")
    members = validate.array(inner.get("tools"), "tool_choice.tools")
    allowed: dict[str, DeclaredTool] = {}
    for i, member in enumerate(members):
        path = f"tool_choice.tools[{i}]"
        try:
            tool = _find(_typed(validate.mapping(member, path)), path, catalog)
        except RequestError:
            context.report.dropped(path, "it is not one of the tools sent to the upstream", member)
        else:
            allowed[tool.flat] = tool
    if not allowed and mode != "auto":
        raise RequestError("None of the allowed tools is sent to the upstream.", "tool_choice.tools")
    if context.profile.allowed_tools and allowed:
        return {
            "type": "allowed_tools",
            "allowed_tools": {"mode": mode, "tools": [_named(tool) for tool in allowed.values()]},
        }, list(catalog)
    context.report.emulated("tool_choice", "only the allowed tools are declared")
    return (_word(mode, list(allowed.values())) if allowed else None), list(allowed.values())


# Chat -> Responses


def to_responses(
    choice: Any, path: str, names: ToolNames, context: Context, declared: list[dict[str, Any]] | None = None
) -> Any:
    """Return the Responses choice for a chat `tool_choice` or `function_call`: names are nested one level less.

    What only a Responses server understands (`{"type": "web_search_preview"}`) is handed on as it is. A choice that
    does not say its type has that of the tool of this name among those *declared*. Raises RequestError for what is no
    choice.
    """
    form = choice.get("type") if isinstance(choice, dict) else None
    choice = _plain(choice, path)
    if isinstance(choice, str):
        if choice not in _WORDS:
            raise _no_word(choice, path)
        return choice
    kind = choice["type"]
    if kind in _NAMED:
        made = _flat_choice(choice, path, names, context)
        return _as_declared(made, declared or []) if form in (None, "tool") else made
    if validate.text(kind, f"{path}.type") != "allowed_tools":
        return choice
    inner = choice
    if isinstance(choice.get(kind), dict):
        context.report_unread(choice, frozenset({"type", kind}), path)
        inner, path = choice[kind], f"{path}.{kind}"
    members = validate.array(inner.get("tools"), f"{path}.tools")
    context.report_unread(inner, frozenset({"type", "mode", "tools"}), path)
    flat = [_flat_member(member, f"{path}.tools[{i}]", names, context) for i, member in enumerate(members)]
    return {"type": kind, "mode": inner.get("mode") or "auto", "tools": flat}


def _as_declared(choice: dict[str, Any], declared: list[dict[str, Any]]) -> dict[str, Any]:
    named = next((tool for tool in declared if tool.get("name") == choice["name"]), choice)
    return {**choice, "type": named["type"]} if named.get("type") in _NAMED else choice


def _flat_member(member: Any, path: str, names: ToolNames, context: Context) -> Any:
    member = _typed(validate.mapping(member, path))
    return _flat_choice(member, path, names, context) if member["type"] in _NAMED else member


def _flat_choice(choice: dict[str, Any], path: str, names: ToolNames, context: Context) -> dict[str, Any]:
    kind = choice["type"]
    if isinstance(choice.get(kind), dict):
        context.report_unread(choice, frozenset({"type", kind}), path)
        choice, path = choice[kind], f"{path}.{kind}"
    context.report_unread(choice, _NAME, path)
    return {"type": kind, "name": names.flat(validate.text_at(choice, "name", path))}


_NAME = frozenset({"type", "name"})
