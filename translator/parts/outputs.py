"""Outputs of tool calls: output items <-> the content of tool messages (protocol 2.8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..context import Context
from ..wire import json, validate
from . import content

Item = dict[str, Any]
Content = str | list[content.Part]

OUTPUTS = (
    "function_call_output",
    "custom_tool_call_output",
    "tool_search_output",
    "local_shell_call_output",
    "shell_call_output",
    "apply_patch_call_output",
    "computer_call_output",
)


def to_chat(item: Item, path: str, flat: Callable[[str, str | None], str], context: Context) -> Content:
    """Return the content of the tool message (media still inside) for an output item."""
    kind = item["type"]
    if kind == "tool_search_output":
        return _loaded(item, flat)
    if kind == "shell_call_output":
        return json.encode_text(item.get("output") or [])
    if kind == "apply_patch_call_output":
        return json.encode_text({"status": item.get("status"), "output": item.get("output") or ""})
    output = item.get("output")
    if kind == "computer_call_output":
        return [content.part_to_chat(output, f"{path}.output", context)]
    if output is None:
        raise validate.missing(f"{path}.output")
    return result_to_chat(output, f"{path}.output", context)


def result_to_chat(output: Any, path: str, context: Context) -> Content:
    """Return what a tool told: a text, parts, or any JSON as its text (W23).

    Beside parts that can be read, the others are reported: they may be for the server alone.
    """
    if not isinstance(output, list):
        return output if isinstance(output, str) else json.encode_text(output)
    if output and not any(content.is_part(part) or content.is_encrypted(part) for part in output):
        return json.encode_text(output)
    text = content.only_text(output)
    if text is not None:
        return text
    parts: list[content.Part] = []
    for i, part in enumerate(output):
        if content.is_part(part):
            parts.append(content.part_to_chat(part, f"{path}[{i}]", context))
        elif (plain := content.unencrypted_text(part)) is not None:
            parts.append({"type": "text", "text": plain})
        elif isinstance(part, dict) and isinstance(part.get("type"), str):
            context.report.dropped(
                f"{path}[{i}]", f"chat has no equivalent of {validate.safe_token(part['type'])}", part
            )
        else:
            parts.append({"type": "text", "text": part if isinstance(part, str) else json.encode_text(part)})
    parts = [{"type": "text", "text": p["refusal"]} if p["type"] == "refusal" else p for p in parts]
    return content.fold(parts, "tool", path, context)


def _loaded(item: Item, flat: Callable[[str, str | None], str]) -> str:
    """What the model is told after a tool search: the names that it can call now."""
    names: list[str] = []
    for tool in item.get("tools") or []:
        members = tool.get("tools") if isinstance(tool, dict) and tool.get("type") == "namespace" else None
        namespace = tool.get("name") if members else None
        for member in members or [tool]:
            name = member.get("name") if isinstance(member, dict) else None
            if isinstance(name, str):
                names.append(flat(name, namespace if isinstance(namespace, str) else None))
    return f"Loaded tools: {', '.join(names)}." if names else "No tools were found."


def to_responses(body: Any, path: str, context: Context) -> Content:
    """Return the output of a call for the content of the tool message at *path*; sloppy clients send objects."""
    text = content.only_text(body)
    if text is not None:
        return text
    if isinstance(body, dict):
        return json.encode_text(body)
    return content.to_responses(body, "tool", f"{path}.content", context)
