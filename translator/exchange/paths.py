"""Translate paths between the dialects, for errors: `messages[3].content` <-> `input[5].content`."""

from __future__ import annotations

import re
from typing import Any

from .. import fields
from ..profiles import Profile
from ..request import ChatTranslation, ResponsesTranslation
from ..state.history import Expanded
from ..turns.to_responses import LEGACY

_PATH = re.compile(r"([A-Za-z_]+)(?:\[(\d{1,9})\]|\.(\d{1,9}))?(.*)", re.S)


def in_responses(path: str, translation: ChatTranslation, profile: Profile, expanded: Expanded | None = None) -> str:
    """Turn a path of a chat request into that of the Responses request that it was made of.

    If that was *expanded*, it is the path in what the client sent.
    """
    found = _in_responses(path, translation, profile)
    return found if expanded is None else expanded.path(found)


def _in_responses(path: str, translation: ChatTranslation, profile: Profile) -> str:
    head, index, rest = _split(path)
    if head == "messages" and index is not None and index < len(translation.origins):
        call = re.match(r"\.tool_calls\[(\d{1,9})\](?:\.(?:function|custom))?(.*)", rest, re.S)
        paths = translation.calls.get(index, [])
        if call and int(call[1]) < len(paths):
            return paths[int(call[1])] + call[2]
        origin = translation.origins[index]
        if not origin.endswith("]"):  # a field of its own, not an item
            return origin
        return origin + rest.replace(".image_url.url", ".image_url").replace(".file.", ".")
    if head == "tools" and index is not None and index < len(translation.declared):
        return translation.declared[index] + re.sub(r"^\.(function|custom)\b", "", rest)
    for row in fields.REQUEST:
        if row.chat and row.responses and head in (row.chat, profile.renamed.get(row.chat)):
            return row.responses + path[len(head) :].replace(".json_schema", "")
    return path


def in_chat(path: str, translation: ResponsesTranslation) -> str:
    """Turn a path of a Responses request into that of the chat request that it was made of."""
    head, index, rest = _split(path)
    if head == "input" and index is not None and index < len(translation.origins):
        origin = translation.origins[index]
        place = _in_message(translation.body["input"][index], origin, rest) if origin.startswith("m") else origin + rest
        return _trimmed(place, translation.source)
    if head == "tools" and index is not None and index < len(translation.declared):
        return _trimmed(_in_declaration(translation.declared[index], rest), translation.source)
    if head == "instructions" and not _is_present(head, translation):
        return "messages"
    return _in_field(path, translation)


def _trimmed(path: str, value: Any) -> str:
    """*path* as far as the client's request goes: clients spell things in several ways, and some were made here."""
    for step in re.finditer(r"\.?([^.\[\]]+)|\[(\d{1,9})\]", path):
        name, index = step[1], int(step[2] or 0)
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name is None and index < len(value):
            value = value[index]
        elif isinstance(value, (dict, list)):
            return path[: step.end()]
        else:
            return path[: step.start()]
    return path


def _in_message(item: dict[str, Any], origin: str, rest: str) -> str:
    """A place in an item, as a place in the message or call that it was made of."""
    match = re.match(r"\.(\w+)(.*)", rest, re.S)
    names = _ITEM_MEMBERS.get(item["type"])
    if match is None or names is None:  # a message may have said its reasoning in many ways
        return origin
    name = names.get(match[1], match[1])
    if item.get("call_id", "").startswith(LEGACY):  # calls of the older kind have no ids, and are nested one level less
        if match[1] == "call_id":
            return origin
        name = name.removeprefix("function.")
    return f"{origin}.{name}{_PART_MEMBER.sub(_in_part, match[2])}"


_ITEM_MEMBERS: dict[str, dict[str, str]] = {
    "message": {},
    "function_call": {"call_id": "id", "name": "function.name", "arguments": "function.arguments"},
    "custom_tool_call": {"call_id": "id", "name": "custom.name", "input": "custom.input"},
    "function_call_output": {"call_id": "tool_call_id", "output": "content"},
    "custom_tool_call_output": {"call_id": "tool_call_id", "output": "content"},
}
_PART_MEMBER = re.compile(r"^(\[\d{1,9}\]|\.\d{1,9})\.(image_url|detail|file_id|file_data|filename)\b")


def _in_part(match: re.Match[str]) -> str:
    inner = {"image_url": "image_url.url", "detail": "image_url.detail"}
    return f"{match[1]}.{inner.get(match[2], f'file.{match[2]}')}"


def _in_declaration(declared: str, rest: str) -> str:
    if rest in ("", ".type"):
        return re.sub(r"\.(function|custom)$", "", declared) + rest
    rest = re.sub(r"^\.format\.(definition|syntax)\b", r".format.grammar.\1", rest)
    return declared + re.sub(r"^\.user_location\.(?!type\b)", ".user_location.approximate.", rest)


def _in_field(path: str, translation: ResponsesTranslation) -> str:
    """A field of its own; where it may have come from several, it is one that was given."""
    rows = [(row.chat, row.responses) for row in fields.REQUEST if row.chat and row.responses and row.to_responses]
    exact = [(chat, path[len(name) :]) for chat, name in rows if _begins(path, name)]
    present = [(chat, rest) for chat, rest in exact if _is_present(chat, translation)]
    inside = [(chat, "") for chat, name in rows if _begins(name, path) and _is_present(chat, translation)]
    own = [(path, "")] if _is_present(path, translation) else []
    for chat, rest in present or own or exact or inside:
        return _trimmed(_nested(chat, rest, translation), translation.source)
    return path


def _is_present(chat: str, translation: ResponsesTranslation) -> bool:
    return translation.source.get(re.split(r"[.\[]", chat)[0]) is not None


def _nested(chat: str, rest: str, translation: ResponsesTranslation) -> str:
    """Chat says some things one level deeper."""
    if chat == "logprobs":
        return chat
    if chat == "response_format":
        rest = re.sub(r"^\.(name|description|schema|strict)\b", r".json_schema.\1", rest)
    choice = translation.body.get("tool_choice")
    if chat == "tool_choice" and isinstance(choice, dict):
        inner = {"function": ".function", "custom": ".custom", "allowed_tools": ".function"}.get(choice["type"], "")
        rest = re.sub(r"^\.(mode|tools)\b", r".allowed_tools.\1", re.sub(r"\.name$", f"{inner}.name", rest))
    return chat + rest


def _begins(path: str, start: str) -> bool:
    return path == start or path.startswith((f"{start}.", f"{start}["))


def _split(path: str) -> tuple[str, int | None, str]:
    match = _PATH.match(path)
    if match is None:
        return path, None, ""
    index = match[2] or match[3]
    return match[1], int(index) if index else None, match[4]
