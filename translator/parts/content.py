"""Content of messages and tool outputs: parts <-> parts (protocol 2.2, 2.3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..context import Context
from ..errors import RequestError
from ..wire import validate
from ..wire.known_fields import PART_FIELDS
from . import media

Part = media.Part

_SEPARATORS = {"assistant": "", "tool": "\n"}  # an assistant's text was one; elsewhere a blank line


def to_chat(content: Any, role: str, path: str, context: Context) -> str | list[Part]:
    """Return the content of a chat message of *role* for the content of an item.

    Texts are joined where the upstream takes only strings. Raises RequestError for a part that no chat message can
    hold.
    """
    text = only_text(content)
    if text is not None:
        return text
    parts = [part_to_chat(part, f"{path}[{i}]", context) for i, part in enumerate(validate.array(content, path))]
    if role != "assistant":
        parts = [{"type": "text", "text": p["refusal"]} if p["type"] == "refusal" else p for p in parts]
    return fold(parts, role, path, context)


def only_text(content: Any) -> str | None:
    """The text of what is nothing but a text: a string, or one part that says no more. Most content is."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and len(content) == 1 and isinstance(part := content[0], dict):
        kind, text = part.get("type"), part.get("text")
        if isinstance(text, str) and isinstance(kind, str) and _ONLY_TEXT.get(kind, _NOTHING).issuperset(part):
            return text
    return None


def fold(parts: list[Part], role: str, path: str, context: Context) -> str | list[Part]:
    """The shortest form of *parts* that says the same: a string if all are text and nothing else hangs on them."""
    if len(parts) == 1 and parts[0]["type"] == "text" and len(parts[0]) == 2:
        return parts[0]["text"]
    if any(part["type"] != "text" for part in parts):
        return parts
    takes_lists = role in context.profile.content_lists
    if takes_lists and (len(parts) > 1 or any(len(part) > 2 for part in parts)):
        return parts
    if any(len(part) > 2 for part in parts):
        context.report.dropped(
            path, "cache breakpoints need content as a list of parts, which the upstream does not support"
        )
    return _SEPARATORS.get(role, "\n\n").join(part["text"] for part in parts)


def part_to_chat(part: Any, path: str, context: Context) -> Part:
    part = validate.mapping(part, path)
    kind = part.get("type")
    make = TO_CHAT.get(kind) if isinstance(kind, str) else None
    if make is None:
        raise _no_content(kind, path)
    context.report_unread(part, PART_FIELDS[part["type"]], path)
    made = make(part, path, context)
    if (mark := part.get("prompt_cache_breakpoint")) is not None:
        made["prompt_cache_breakpoint"] = mark
    return made


def _no_content(kind: Any, path: str) -> RequestError:
    return RequestError(
        f"Invalid value: '{kind}'. Chat Completions has no such content.", f"{path}.type", "invalid_value"
    )


def _text_to_chat(part: Part, path: str, context: Context) -> Part:
    return {"type": "text", "text": validate.text_at(part, "text", path)}


def _refusal_to_chat(part: Part, path: str, context: Context) -> Part:
    return {"type": "refusal", "refusal": validate.text_at(part, "refusal", path)}


TO_CHAT: dict[str, Callable[[Part, str, Context], Part]] = {
    "input_text": _text_to_chat,
    "output_text": _text_to_chat,
    "summary_text": _text_to_chat,
    "reasoning_text": _text_to_chat,
    "text": _text_to_chat,
    "refusal": _refusal_to_chat,
    "input_image": media.image_to_chat,
    "image_url": media.image_to_chat,
    "computer_screenshot": media.image_to_chat,
    "input_file": media.file_to_chat,
    "file": media.file_to_chat,
    **dict.fromkeys(("document_url", "file_url"), media.link_to_chat),
    "input_audio": media.audio_to_chat,
    "input_video": media.video_to_chat,
    "video_url": media.video_to_chat,
}

_IDENTIFYING_FIELDS = {
    **dict.fromkeys(("input_text", "output_text", "summary_text", "reasoning_text", "text"), ("text",)),
    "refusal": ("refusal",),
    **dict.fromkeys(("input_image", "image_url", "computer_screenshot"), ("image_url", "file_id")),
    "input_file": ("file_id", "file_data", "file_url"),
    "file": ("file",),
    "input_audio": ("input_audio",),
    **dict.fromkeys(("input_video", "video_url"), ("video_url",)),
}
"""The fields by which a part is known: a tool may tell any JSON, with types of its own."""


def is_part(value: Any) -> bool:
    """Whether a member of what a tool told is a part that can be read."""
    kind = value.get("type") if isinstance(value, dict) else None
    names = _IDENTIFYING_FIELDS.get(kind, ()) if isinstance(kind, str) else ()
    return any(value.get(name) is not None for name in names)


_SEALED = re.compile(r"gAAAA[\w-]+={0,2}", re.ASCII)  # Fernet: a version and the time
ENCRYPTED = "encrypted_content"  # of a part, and the field that has its text


def is_sealed(text: Any) -> bool:
    """Whether only its maker can read *text*."""
    return isinstance(text, str) and _SEALED.fullmatch(text.strip()) is not None


def is_encrypted(part: Any) -> bool:
    """Whether *part* is one that OpenAI encrypts."""
    return isinstance(part, dict) and part.get("type") == ENCRYPTED and isinstance(part.get(ENCRYPTED), str)


def unencrypted_text(part: Any) -> str | None:
    """Return the text of an encrypted part that nobody encrypted; None for all others."""
    return part[ENCRYPTED] if is_encrypted(part) and not is_sealed(part[ENCRYPTED]) else None


_NOTHING: frozenset[str] = frozenset()
_ONLY_TEXT = {
    kind: PART_FIELDS[kind] - {"prompt_cache_breakpoint"} for kind, make in TO_CHAT.items() if make is _text_to_chat
}


# Chat -> Responses


def to_responses(content: Any, role: str, path: str, context: Context) -> str | list[Part]:
    """Return the content of an item for the content of a chat message of *role* (protocol 2.2).

    A text alone is a string. An assistant's thoughts among the parts are left out: they are no content of a message
    item. Raises RequestError for a part that no Response can hold.
    """
    text = only_text(content)
    if text is not None:
        return text
    parts = [
        _part_to_responses(part, role, f"{path}[{i}]", context)
        for i, part in enumerate(validate.array(content, path))
        if not (role == "assistant" and is_thought(part))
    ]
    if len(parts) == 1 and "text" in parts[0] and "prompt_cache_breakpoint" not in parts[0]:
        return parts[0]["text"]
    return parts or ""


def is_thought(part: Any) -> bool:
    """Some servers put their thoughts among the parts (Mistral), and clients send them back."""
    return isinstance(part, dict) and part.get("type") == "thinking"


def _part_to_responses(part: Any, role: str, path: str, context: Context) -> Part:
    part = validate.mapping(part, path)
    kind = part.get("type")
    if kind is None and (implied := next((name for name in _SHAPES if part.get(name) is not None), None)):
        part = {**part, "type": (kind := implied)}
    if kind == "input_audio":
        raise RequestError("Responses has no audio.", path, "unsupported_value")
    make = TO_RESPONSES.get(kind) if isinstance(kind, str) else None
    if make is None:
        raise _no_content(kind, path)
    context.report_unread(part, PART_FIELDS[part["type"]], path)
    made = make(part, role, path, context)
    mark = part.get("prompt_cache_breakpoint")
    if mark is not None and made["type"] in _MARKABLE:
        made["prompt_cache_breakpoint"] = mark
    elif mark is not None:
        context.report.dropped(
            f"{path}.prompt_cache_breakpoint", "Responses has no cache breakpoint on such a part", mark
        )
    return made


def _text_to_responses(part: Part, role: str, path: str, context: Context) -> Part:
    text = validate.text_at(part, "text", path)
    return output_text(text) if role == "assistant" else {"type": "input_text", "text": text}


def output_text(text: str) -> Part:
    """An assistant's text as a part."""
    return {"type": "output_text", "text": text, "annotations": []}


def _refusal_to_responses(part: Part, role: str, path: str, context: Context) -> Part:
    refusal = validate.text_at(part, "refusal", path)
    return {"type": "refusal", "refusal": refusal} if role == "assistant" else {"type": "input_text", "text": refusal}


_SHAPES = ("text", "refusal", "image_url", "document_url", "file_url", "video_url", "file", "input_audio")
_MARKABLE = ("input_text", "input_image", "input_file")

TO_RESPONSES: dict[str, Callable[[Part, str, str, Context], Part]] = {
    "text": _text_to_responses,
    "refusal": _refusal_to_responses,
    "image_url": media.image_to_responses,
    "file": media.file_to_responses,
    "video_url": media.video_to_responses,
    **dict.fromkeys(("document_url", "file_url"), media.link_to_responses),
    # the spelling of Responses, sent by confused clients
    **dict.fromkeys(("input_text", "output_text", "summary_text", "reasoning_text"), _text_to_responses),
    "input_image": media.image_to_responses,
    "input_file": media.file_to_responses,
    "input_video": media.video_to_responses,
}

CHAT_PARTS = frozenset({"text", "image_url", "file", "video_url", "document_url", "file_url"})
"""Parts as only chat spells them."""
