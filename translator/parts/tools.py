"""Tool declarations, in both directions (protocol 3.1-3.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..context import Context
from ..errors import RequestError
from ..wire import json, plain_schema, schema, validate
from ..wire.known_fields import TOOL_FIELDS
from . import builtin_tools
from .builtin_tools import INPUT_SCHEMA, NATIVES
from .catalog import Catalog, DeclaredTool
from .names import ToolNames, report_alias

NAMESPACE_LIMIT = 512


def read_catalog(body: dict[str, Any], context: Context) -> Catalog:
    """Walk over every declaration of a Responses request: `tools`, `additional_tools` and loaded ones.

    Declarations that no chat upstream can hold are reported. Raises RequestError when a declaration is not one, or when
    two different tools have the same name.
    """
    tools: dict[str, DeclaredTool] = {}
    names = ToolNames()
    for declaration, path in _declarations(body):
        plain = _plain_function(declaration, path, names, context)
        if plain is not None:
            _add(tools, plain, context)
            continue
        for tool in _read(declaration, path, None, context):
            _add(tools, _renamed(tool, names, context), context)
    return Catalog(tools, names)


def _plain_function(tool: Any, path: str, names: ToolNames, context: Context) -> DeclaredTool | None:
    """What `_read` and `_renamed` make of a function that says no more than most do; None for all others."""
    if not isinstance(tool, dict) or tool.get("type") != "function" or not _PLAIN_FUNCTION.issuperset(tool):
        return None
    name, description = tool.get("name"), tool.get("description")
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    if not isinstance(name, str) or context.profile.schemas == "clean":
        return None
    strict = tool.get("strict") is not False and _strict(tool.get("strict"), parameters, path, context)
    flat = names.flat(name)
    if flat != name:
        report_alias(name, flat, path, context)
    function = {"name": flat, "parameters": parameters}
    if description is not None:
        function = {"name": flat, "description": description, "parameters": parameters}
    if strict:
        function["strict"] = True
    return DeclaredTool(flat, "function", name, None, path, {"type": "function", "function": function})


_PLAIN_FUNCTION = frozenset({"type", "name", "description", "parameters", "strict"})


def _renamed(tool: DeclaredTool, names: ToolNames, context: Context) -> DeclaredTool:
    """The tool under the name that the upstream knows."""
    flat = names.flat(tool.name, tool.namespace)
    if tool.namespace is None:
        report_alias(tool.name, flat, tool.path, context)
    form = tool.chat["type"]
    inner = {**tool.chat[form], "name": flat}
    if "parameters" in inner and context.profile.schemas == "clean":
        inner["parameters"] = _plain(tool, inner["parameters"], context)
    return tool._replace(flat=flat, chat={**tool.chat, form: inner})


def _plain(tool: DeclaredTool, parameters: Any, context: Context) -> Any:
    if tool.kind != "function":  # the schema is one of ours
        return plain_schema.plain(parameters)
    return plain_schema.reported(parameters, f"{tool.path}.parameters", context.report)


def _declarations(body: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    for i, tool in enumerate(validate.optional_array(body.get("tools"), "tools")):
        yield tool, f"tools[{i}]"
    items = body.get("input")
    for i, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict) and item.get("type") in ("additional_tools", "tool_search_output"):
            path = f"input[{i}].tools"
            for j, tool in enumerate(validate.optional_array(item.get("tools"), path)):
                yield tool, f"{path}[{j}]"


def _add(tools: dict[str, DeclaredTool], tool: DeclaredTool, context: Context) -> None:
    other = tools.setdefault(tool.flat, tool)
    if other is tool:
        return
    if (other.namespace, other.name, other.kind) != (tool.namespace, tool.name, tool.kind):
        raise RequestError(
            f"'{tool.path}' and '{other.path}' are different tools with the same name at the upstream: '{tool.flat}'.",
            tool.path,
        )
    if other.chat != tool.chat:
        context.report.dropped(tool.path, f"{validate.safe_token(tool.flat)} is already declared in {other.path}")


def _read(declaration: Any, path: str, namespace: str | None, context: Context) -> Iterable[DeclaredTool]:
    tool = _typed(validate.mapping(declaration, path))
    kind = tool.get("type")
    read = READERS.get(kind) if isinstance(kind, str) else None
    if kind == "programmatic_tool_calling":
        raise RequestError("Programmatic tool calling needs the Responses server's runtime.", path, "unsupported_value")
    if read is None:
        context.report.dropped(path, f"nothing here runs {validate.safe_token(kind)}", tool)
        return ()
    context.report_unread(tool, TOOL_FIELDS[tool["type"]], path)
    inner = tool.get(tool["type"])
    if isinstance(inner, dict):  # chat's own nesting
        context.report_unread(inner, TOOL_FIELDS[tool["type"]], f"{path}.{tool['type']}")
    callers = tool.get("allowed_callers")
    if isinstance(callers, list) and callers and "direct" not in callers:
        context.report.dropped(path, "only programs may call it, and none are run here", tool)
        return ()
    if tool.get("async"):
        context.report.emulated(f"{path}.async", "sent as an ordinary tool; its calls are not asynchronous")
    if tool.get("defer_loading"):
        context.report.emulated(f"{path}.defer_loading", "all tools are loaded at once")
    return read(tool, path, namespace, context)


def _typed(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool whose `type` is left out is what its members say (W41)."""
    if tool.get("type") is not None:
        return tool
    if isinstance(tool.get("custom"), dict) or (tool.get("format") is not None and tool.get("parameters") is None):
        return {**tool, "type": "custom"}
    if isinstance(tool.get("function"), dict) or tool.get("name") is not None:
        return {**tool, "type": "function"}
    return tool


def _namespace(tool: dict[str, Any], path: str, namespace: str | None, context: Context) -> Iterator[DeclaredTool]:
    name = validate.text_at(tool, "name", path)
    if len(name) > NAMESPACE_LIMIT:  # every member's name has it in front
        raise RequestError(f"Invalid '{path}.name': longer than {NAMESPACE_LIMIT} characters.", f"{path}.name")
    if namespace is not None:
        context.report.dropped(path, "a namespace cannot contain another namespace", tool)
        return
    members = validate.array(tool.get("tools") or [], f"{path}.tools")
    if members:
        context.report.emulated(path, "the namespace becomes part of each tool's name")
        if tool.get("description"):
            context.report.dropped(
                f"{path}.description", "chat has no place for a namespace's description", tool["description"]
            )
    for i, member in enumerate(members):
        yield from _read(member, f"{path}.tools[{i}]", name, context)


def _function(tool: dict[str, Any], path: str, namespace: str | None, context: Context) -> Iterable[DeclaredTool]:
    tool = {**tool, **tool["function"]} if isinstance(tool.get("function"), dict) else tool  # chat's own nesting
    name = validate.text_at(tool, "name", path)
    if tool.get("output_schema") is not None:
        context.report.dropped(f"{path}.output_schema", "chat functions have no output schema")
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    function = {"name": name, "description": tool.get("description"), "parameters": parameters}
    if _strict(tool.get("strict"), parameters, path, context):
        function["strict"] = True
    return (DeclaredTool.of("function", name, namespace, path, function),)


def _strict(strict: Any, parameters: Any, path: str, context: Context) -> bool:
    """Chat's default is false; Responses tries strict when the key is absent (protocol 3.2)."""
    mode = context.profile.strict_functions
    if mode == "drop":
        if strict:
            context.report.dropped(f"{path}.strict", "the upstream does not enforce schemas")
        return False
    if strict is None and mode == "infer":
        return schema.is_strict(parameters)
    return bool(strict)


def _custom(tool: dict[str, Any], path: str, namespace: str | None, context: Context) -> Iterable[DeclaredTool]:
    tool = {**tool, **tool["custom"]} if isinstance(tool.get("custom"), dict) else tool
    name = validate.text_at(tool, "name", path)
    form = tool.get("format")
    if context.profile.custom_tools:
        custom = {"name": name, "description": tool.get("description"), "format": _nested(form)}
        return (DeclaredTool.of("custom", name, namespace, path, custom),)
    context.report.emulated(path, "sent as a function with one string argument")
    if isinstance(form, dict) and form.get("type") not in (None, "text"):
        context.report.approximated(f"{path}.format", "the grammar is described, not enforced", form)
    function = {
        "name": name,
        "description": _described(tool.get("description"), form),
        "parameters": json.deep_copy(INPUT_SCHEMA),
    }
    return (DeclaredTool.of("custom", name, namespace, path, function, wrapped=True),)


def _nested(form: Any) -> Any:
    """Chat nests a grammar one level deeper than Responses."""
    if not isinstance(form, dict) or form.get("type") != "grammar" or "grammar" in form:
        return form
    return {"type": "grammar", "grammar": {k: v for k, v in form.items() if k != "type"}}


def _described(description: Any, form: Any) -> str | None:
    texts = [description] if isinstance(description, str) and description else []
    if isinstance(form, dict) and form.get("type") == "grammar":
        grammar = form["grammar"] if isinstance(form.get("grammar"), dict) else form
        texts.append(f"The input must match this {grammar.get('syntax')} grammar:\n{grammar.get('definition')}")
    return "\n\n".join(texts) or None


READERS: dict[str, Callable[[dict[str, Any], str, str | None, Context], Iterable[DeclaredTool]]] = {
    "function": _function,
    "custom": _custom,
    "namespace": _namespace,
    **dict.fromkeys(NATIVES, builtin_tools.declare),
}


# Chat -> Responses


def to_responses(body: dict[str, Any], names: ToolNames, context: Context) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the Responses tools for `tools`, `functions` and `web_search_options` of a chat request, and for each the
    path of what says what it is.

    Chat's functions are not strict unless they say so; Responses would try (protocol 3.2). Tools that only a Responses
    server has are handed on as they are: a chat client that declares them means them.
    """
    made: list[tuple[dict[str, Any], str]] = []
    for i, tool in enumerate(validate.optional_array(body.get("tools"), "tools")):
        made.append(_flattened(validate.mapping(tool, f"tools[{i}]"), f"tools[{i}]", context))
    for i, function in enumerate(validate.optional_array(body.get("functions"), "functions")):
        path = f"functions[{i}]"
        made.append((_flat_function(validate.mapping(function, path), path, context), path))
    if body.get("web_search_options") is not None:
        path = "web_search_options"
        made.append((_web_search(validate.mapping(body[path], path), path, context), path))
    return [_plainly_named(tool, path, names, context) for tool, path in made], [path for _, path in made]


def _plainly_named(tool: dict[str, Any], path: str, names: ToolNames, context: Context) -> dict[str, Any]:
    """What the client calls is declared under a name that servers take; a Responses server's own tools are its own."""
    if tool.get("type") not in _FLATTEN:
        return tool
    flat = names.flat(tool["name"])
    report_alias(tool["name"], flat, path, context)
    return tool if flat == tool["name"] else {**tool, "name": flat}


def _flattened(tool: dict[str, Any], path: str, context: Context) -> tuple[dict[str, Any], str]:
    tool = _typed(tool)
    kind = validate.text_at(tool, "type", path)
    flatten_it = _FLATTEN.get(kind)
    if flatten_it is None:
        return tool, path
    nested = tool.get(kind)
    if nested is None:  # the spelling of Responses
        return flatten_it(tool, path, context), path
    context.report_unread(tool, _NESTING[kind], path)
    path = f"{path}.{kind}"
    return flatten_it(validate.mapping(nested, path), path, context), path


def _flat_function(function: dict[str, Any], path: str, context: Context) -> dict[str, Any]:
    context.report_unread(function, _FUNCTION_FIELDS, path)
    made: dict[str, Any] = {"type": "function", "name": validate.text_at(function, "name", path)}
    if function.get("description") is not None:
        made["description"] = function["description"]
    made["parameters"] = function.get("parameters") or {"type": "object", "properties": {}}
    made["strict"] = False if function.get("strict") is None else function["strict"]
    return made


def _flat_custom(tool: dict[str, Any], path: str, context: Context) -> dict[str, Any]:
    context.report_unread(tool, _CUSTOM_FIELDS, path)
    made: dict[str, Any] = {"type": "custom", "name": validate.text_at(tool, "name", path)}
    form = tool.get("format")
    if isinstance(form, dict) and isinstance(form.get("grammar"), dict):
        context.report_unread(form, frozenset({"type", "grammar"}), f"{path}.format")
        form = {"type": "grammar", **form["grammar"]}
    return {**made, **{k: v for k, v in (("description", tool.get("description")), ("format", form)) if v is not None}}


def _web_search(options: dict[str, Any], path: str, context: Context) -> dict[str, Any]:
    context.report.approximated(path, "the model decides whether to search")
    context.report_unread(options, frozenset({"search_context_size", "user_location"}), path)
    made: dict[str, Any] = {"type": "web_search"}
    if options.get("search_context_size") is not None:
        made["search_context_size"] = options["search_context_size"]
    place = options.get("user_location")
    if place is not None:
        place = validate.mapping(place, f"{path}.user_location")
        if isinstance(place.get("approximate"), dict):
            context.report_unread(place, frozenset({"type", "approximate"}), f"{path}.user_location")
            place = {"type": "approximate", **place["approximate"]}
        made["user_location"] = place
    return made


_FLATTEN = {"function": _flat_function, "custom": _flat_custom}
_NESTING = {kind: frozenset({"type", kind}) for kind in _FLATTEN}
_FUNCTION_FIELDS = frozenset({"type", "name", "description", "parameters", "strict"})
_CUSTOM_FIELDS = frozenset({"type", "name", "description", "format"})


def echo(tools: Any) -> list[Any]:
    """The declarations as the Response object repeats them: a function's keys all there (Open Responses)."""
    empty = {"description": None, "parameters": None, "strict": None}
    return [{**empty, **t} if isinstance(t, dict) and t.get("type") == "function" else t for t in tools]
