"""Tool calls: items <-> `tool_calls` (protocol 2.7, 3.3).

The table of call items is read both ways: from an item of the history to a chat call, and from a chat call to its item.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

from ..context import Context
from ..errors import RequestError
from ..wire import json, validate

Item = dict[str, Any]


class ToolCall(NamedTuple):
    """A call as an item has it, before it gets its upstream name."""

    name: str
    namespace: str | None
    payload: str  # the arguments as JSON text, or a free-form tool's input as it is
    free_form: bool = False


def to_chat(call: ToolCall, call_id: str, flat: str, native_custom: bool) -> dict[str, Any]:
    """Return the member of `tool_calls` for *call*; arguments are never an empty string (clients parse them)."""
    if not call.free_form:
        return {"id": call_id, "type": "function", "function": {"name": flat, "arguments": call.payload or "{}"}}
    if native_custom:
        return {"id": call_id, "type": "custom", "custom": {"name": flat, "input": call.payload}}
    arguments = json.encode_text({"input": call.payload})
    return {"id": call_id, "type": "function", "function": {"name": flat, "arguments": arguments}}


def with_object(call: ToolCall, path: str, context: Context) -> ToolCall:
    """Return *call* with arguments that the upstream can read: what is no JSON object is wrapped in one."""
    arguments = None if call.free_form else _in_object(call.payload, f"{path}.arguments", context)
    return call if arguments is None else call._replace(payload=arguments)


def _in_object(arguments: str, path: str, context: Context) -> str | None:
    """Arguments as an object; None where they are one, or may be anything."""
    if not context.profile.object_arguments:
        return None
    try:
        if isinstance(json.decode(arguments or "{}"), dict):
            return None
    except ValueError:
        pass
    context.report.approximated(
        path, "the upstream accepts only objects as arguments, so they are wrapped in one", arguments
    )
    return json.encode_text({"input": arguments})


def to_responses(kind: str, arguments: str) -> Item | None:
    """Return the fields of a native item for a finished call of a built-in tool; None if the arguments do not fit."""
    try:
        fields = json.decode(arguments or "{}")
    except ValueError:
        return None
    return _NATIVE_ITEMS[kind](fields) if isinstance(fields, dict) else None


def from_chat(call: Item, path: str, call_id: str, context: Context) -> Item:
    """Return the call item for a member of `tool_calls` (protocol 2.5, M5)."""
    context.report_unread(call, _CALL_FIELDS, path)
    kind = _kind(call)
    path = f"{path}.{kind}"
    inner = validate.mapping(call.get(kind), path)
    return (_custom_item if kind == "custom" else function_item)(inner, path, call_id, context)


def function_item(function: Item, path: str, call_id: str, context: Context) -> Item:
    """Return the call item for a function's name and arguments."""
    context.report_unread(function, _FUNCTION_FIELDS, path)
    arguments = function.get("arguments")
    if arguments is not None and not isinstance(arguments, str):
        arguments = json.encode_text(arguments)
    name = validate.text_at(function, "name", path)
    arguments = _in_object(arguments or "{}", f"{path}.arguments", context) or arguments or "{}"
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def _custom_item(custom: Item, path: str, call_id: str, context: Context) -> Item:
    context.report_unread(custom, _CUSTOM_FIELDS, path)
    name, text = validate.text_at(custom, "name", path), validate.text_at(custom, "input", path)
    return {"type": "custom_tool_call", "call_id": call_id, "name": name, "input": text}


def _kind(call: Item) -> str:
    """Some clients leave the type of a call out."""
    return "custom" if call.get("type") == "custom" or (call.get("type") is None and "custom" in call) else "function"


_CALL_FIELDS = frozenset({"id", "type", "function", "custom", "index"})
_FUNCTION_FIELDS = frozenset({"name", "arguments", "parsed_arguments"})
_CUSTOM_FIELDS = frozenset({"name", "input"})


def short_id(call_id: str) -> str:
    """The id itself, or, where a Responses server does not take its length, a hash of it (protocol 2.4)."""
    if 1 <= len(call_id) <= _LONGEST_ID:
        return call_id
    return f"call_{hashlib.sha256(call_id.encode('utf-8', 'replace')).hexdigest()[:32]}"


_LONGEST_ID = 64


def read_call(item: Item, path: str) -> ToolCall:
    """Read any call item that a client runs."""
    return CALLS[item["type"]](item, path)


def _function(item: Item, path: str) -> ToolCall:
    arguments = item.get("arguments")
    if arguments is not None and not isinstance(arguments, str):
        arguments = json.encode_text(arguments)
    return ToolCall(validate.text_at(item, "name", path), _namespace(item, path), arguments or "{}")


def _custom(item: Item, path: str) -> ToolCall:
    name, text = validate.text_at(item, "name", path), validate.text_at(item, "input", path)
    return ToolCall(name, _namespace(item, path), text, free_form=True)


def _namespace(item: Item, path: str) -> str | None:
    namespace = item.get("namespace")
    return None if namespace is None else validate.text(namespace, f"{path}.namespace")


def _tool_search(item: Item, path: str) -> ToolCall:
    arguments = item.get("arguments")
    return ToolCall("tool_search", None, arguments if isinstance(arguments, str) else json.encode_text(arguments or {}))


def _local_shell(item: Item, path: str) -> ToolCall:
    action = validate.mapping(item.get("action"), f"{path}.action")
    return ToolCall("local_shell", None, json.encode_text(_without(action, "type")))


def _shell(item: Item, path: str) -> ToolCall:
    return ToolCall("shell", None, json.encode_text(_present(validate.mapping(item.get("action"), f"{path}.action"))))


def _apply_patch(item: Item, path: str) -> ToolCall:
    return ToolCall("apply_patch", None, json.encode_text(validate.mapping(item.get("operation"), f"{path}.operation")))


def _computer(item: Item, path: str) -> ToolCall:
    actions = _present({key: item.get(key) for key in ("action", "actions")})
    return ToolCall("computer", None, json.encode_text(actions))


def _present(fields: Item) -> Item:
    return {key: value for key, value in fields.items() if value is not None}


def _without(fields: Item, *names: str) -> Item:
    return {key: value for key, value in _present(fields).items() if key not in names}


CALLS: dict[str, Callable[[Item, str], ToolCall]] = {
    "function_call": _function,
    "custom_tool_call": _custom,
    "tool_search_call": _tool_search,
    "local_shell_call": _local_shell,
    "shell_call": _shell,
    "apply_patch_call": _apply_patch,
    "computer_call": _computer,
}


def _tool_search_item(arguments: Item) -> Item | None:
    return {"type": "tool_search_call", "execution": "client", "arguments": arguments}


def _local_shell_item(action: Item) -> Item | None:
    command = action.get("command")
    if not isinstance(command, list):
        return None
    return {"type": "local_shell_call", "action": {"env": {}, **action, "type": "exec"}}


def _shell_item(action: Item) -> Item | None:
    if not isinstance(action.get("commands"), list):
        return None
    return {"type": "shell_call", "action": {"timeout_ms": None, "max_output_length": None, **action}}


def _apply_patch_item(operation: Item) -> Item | None:
    kind = operation.get("type")
    needs = ("path",) if kind == "delete_file" else ("path", "diff")
    if kind not in ("create_file", "update_file", "delete_file") or not all(
        isinstance(operation.get(n), str) for n in needs
    ):
        return None
    return {"type": "apply_patch_call", "operation": {"type": kind, **{name: operation[name] for name in needs}}}


PREFIXES = {"tool_search_call": "tsc", "local_shell_call": "lsh", "shell_call": "sh", "apply_patch_call": "apc"}

_NATIVE_ITEMS: dict[str, Callable[[Item], Item | None]] = {
    "tool_search": _tool_search_item,
    "local_shell": _local_shell_item,
    "shell": _shell_item,
    "apply_patch": _apply_patch_item,
}


def reference(item: Item, path: str) -> str:
    """The call that an item makes or answers; only `local_shell_call_output` has it in `id` (protocol 2.4)."""
    call_id = item.get("call_id")
    if call_id is None and item["type"] == "local_shell_call_output":
        call_id = item.get("id")
    return call_id if isinstance(call_id, str) else validate.text(call_id, f"{path}.call_id")


def hosted_to_chat(item: Item) -> tuple[str, str, str] | None:
    """A call that the Responses server ran, as (name, arguments, output) for history; None if nothing can be told."""
    kind = item["type"]
    if kind == "mcp_call" and (item.get("output") is not None or item.get("error") is not None):
        name = f"{item.get('server_label')}__{item.get('name')}"
        return name, str(item.get("arguments") or "{}"), _text(item.get("output") or item.get("error"))
    if kind == "code_interpreter_call" and item.get("code"):
        return "code_interpreter", json.encode_text({"code": item["code"]}), _text(item.get("outputs") or [])
    if kind == "file_search_call" and item.get("results"):
        return "file_search", json.encode_text({"queries": item.get("queries")}), _text(item["results"])
    return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.encode_text(value)


def no_output(call_id: str) -> RequestError:
    return RequestError(f"No tool output found for function call {call_id}.", "input", "")


def no_call(call_id: str, path: str) -> RequestError:
    return RequestError(
        f"No tool call found for function call output with call_id {call_id}.",
        f"{path}.call_id",
        "",
    )
