"""Content of messages and tool outputs: parts <-> parts (protocol 2.2, 2.3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..context import Context
from ..errors import RequestError
from ..wire import validate
from ..wire.known_fields import PART_FIELDS

Part = dict[str, Any]

_BETWEEN = {"assistant": "", "tool": "\n"}  # an assistant's text was one; elsewhere a blank line


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
        context.report.dropped(path, "cache break points need lists of parts, which the upstream does not take")
    return _BETWEEN.get(role, "\n\n").join(part["text"] for part in parts)


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


def _text(part: Part, path: str, context: Context) -> Part:
    return {"type": "text", "text": validate.text_at(part, "text", path)}


def _refusal(part: Part, path: str, context: Context) -> Part:
    return {"type": "refusal", "refusal": validate.text_at(part, "refusal", path)}


def _image(part: Part, path: str, context: Context) -> Part:
    url = part.get("image_url")
    if isinstance(url, dict):  # chat's own spelling, sent by confused clients
        part = {"detail": url.get("detail"), **part}
        url = url.get("url")
    if url is None and part.get("file_id") is not None:
        raise RequestError(
            "Images by 'file_id' are not supported: Chat Completions takes images by URL or as data URLs.",
            f"{path}.file_id",
            "unsupported_value",
        )
    if part.get("file_id") is not None:
        context.report.dropped(f"{path}.file_id", "the URL says it all", part["file_id"])
    image: Part = {"url": validate.text(url, f"{path}.image_url")}
    detail = part.get("detail")
    if detail == "original" and not context.profile.image_detail_original:
        context.report.approximated(f"{path}.detail", "the largest detail is 'high'", detail)
        detail = "high"
    if detail not in (None, "auto"):
        image["detail"] = detail
    return {"type": "image_url", "image_url": image}


def _file(part: Part, path: str, context: Context) -> Part:
    if part.get("file_url") is not None:
        raise RequestError(
            "Files by 'file_url' are not supported: Chat Completions takes files as 'file_data' or by 'file_id'.",
            f"{path}.file_url",
            "unsupported_value",
        )
    if part.get("detail") not in (None, "auto"):
        context.report.dropped(f"{path}.detail", "files have no detail", part["detail"])
    file = part["file"] if isinstance(part.get("file"), dict) else part
    if file.get("file_id") is not None:
        fields = {name: file[name] for name in ("file_id", "filename", "file_data") if file.get(name) is not None}
        validate.text(fields["file_id"], f"{path}.file_id")
        return {"type": "file", "file": fields}
    data = validate.text_at(file, "file_data", path)
    return {"type": "file", "file": {"filename": file.get("filename") or _file_name(data), "file_data": data}}


def _link(part: Part, path: str, context: Context) -> Part:
    return _file(_linked(part, path, context), path, context)


def _linked(part: Part, path: str, context: Context) -> Part:
    """A file by its URL, as Mistral and Perplexity spell it, in the words of Responses; it may hold the file."""
    place = f"{path}.{part['type']}"
    url = part.get(part["type"])
    if isinstance(url, dict):
        context.report_unread(url, frozenset({"url"}), place)
        url, place = url.get("url"), f"{place}.url"
    name = next((part[field] for field in _LINK_NAMES if isinstance(part.get(field), str)), None)
    named = {} if name is None else {"filename": name}
    url = validate.text(url, place)
    if url.startswith("data:"):
        return {"filename": _file_name(url), **named, "file_data": url}
    return {**named, "file_url": url}


_LINK_NAMES = ("document_name", "file_name", "filename")


def _file_name(data: str) -> str:
    """A name for a nameless file: Chat Completions asks for one, and servers go by its ending."""
    kind = data[5:40].split(";")[0] if data.startswith("data:") else ""
    endings = {"application/pdf": "pdf", "text/plain": "txt", "application/json": "json", "text/csv": "csv"}
    return f"file.{endings.get(kind, 'pdf')}"


def _audio(part: Part, path: str, context: Context) -> Part:
    return {"type": "input_audio", "input_audio": validate.mapping(part.get("input_audio"), f"{path}.input_audio")}


def _video(part: Part, path: str, context: Context) -> Part:
    context.report.approximated(path, "'video_url' is a dialect of some servers")
    url = part.get("video_url")
    return {"type": "video_url", "video_url": url if isinstance(url, dict) else {"url": validate.text(url, path)}}


TO_CHAT: dict[str, Callable[[Part, str, Context], Part]] = {
    "input_text": _text,
    "output_text": _text,
    "summary_text": _text,
    "reasoning_text": _text,
    "text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "image_url": _image,
    "computer_screenshot": _image,
    "input_file": _file,
    "file": _file,
    **dict.fromkeys(("document_url", "file_url"), _link),
    "input_audio": _audio,
    "input_video": _video,
    "video_url": _video,
}

_TOLD_BY = {
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
    told_by = _TOLD_BY.get(kind, ()) if isinstance(kind, str) else ()
    return any(value.get(name) is not None for name in told_by)


_SEALED = re.compile(r"gAAAA[\w-]+={0,2}", re.ASCII)  # Fernet: a version and the time
ENCRYPTED = "encrypted_content"  # of a part, and the field that has its text


def is_sealed(text: Any) -> bool:
    """Whether only its maker can read *text*."""
    return isinstance(text, str) and _SEALED.fullmatch(text.strip()) is not None


def is_encrypted(part: Any) -> bool:
    """Whether *part* is one that OpenAI encrypts."""
    return isinstance(part, dict) and part.get("type") == ENCRYPTED and isinstance(part.get(ENCRYPTED), str)


def plain(part: Any) -> str | None:
    """Return the text of an encrypted part that nobody encrypted; None for all others."""
    return part[ENCRYPTED] if is_encrypted(part) and not is_sealed(part[ENCRYPTED]) else None


_NOTHING: frozenset[str] = frozenset()
_ONLY_TEXT = {kind: PART_FIELDS[kind] - {"prompt_cache_breakpoint"} for kind, make in TO_CHAT.items() if make is _text}


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
        _part_back(part, role, f"{path}[{i}]", context)
        for i, part in enumerate(validate.array(content, path))
        if not (role == "assistant" and is_thought(part))
    ]
    if len(parts) == 1 and "text" in parts[0] and "prompt_cache_breakpoint" not in parts[0]:
        return parts[0]["text"]
    return parts or ""


def is_thought(part: Any) -> bool:
    """Some servers put their thoughts among the parts (Mistral), and clients send them back."""
    return isinstance(part, dict) and part.get("type") == "thinking"


def _part_back(part: Any, role: str, path: str, context: Context) -> Part:
    part = validate.mapping(part, path)
    kind = part.get("type")
    if kind is None and (implied := next((name for name in _SHAPES if part.get(name) is not None), None)):
        part = {**part, "type": (kind := implied)}
    if kind == "input_audio":
        raise RequestError("Responses have no audio.", path, "unsupported_value")
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
            f"{path}.prompt_cache_breakpoint", "there are no cache break points at such a part", mark
        )
    return made


def _text_back(part: Part, role: str, path: str, context: Context) -> Part:
    text = validate.text_at(part, "text", path)
    return output_text(text) if role == "assistant" else {"type": "input_text", "text": text}


def output_text(text: str) -> Part:
    """An assistant's text as a part."""
    return {"type": "output_text", "text": text, "annotations": []}


def _refusal_back(part: Part, role: str, path: str, context: Context) -> Part:
    refusal = validate.text_at(part, "refusal", path)
    return {"type": "refusal", "refusal": refusal} if role == "assistant" else {"type": "input_text", "text": refusal}


def _image_back(part: Part, role: str, path: str, context: Context) -> Part:
    image, url = {}, part.get("image_url")
    if isinstance(url, dict):
        image, url = url, url.get("url")
        context.report_unread(image, _IMAGE_FIELDS, f"{path}.image_url")
    made: Part = {"type": "input_image"}
    if part.get("file_id") is not None:
        made["file_id"] = part["file_id"]
    if url is not None or "file_id" not in made:
        made["image_url"] = validate.text(url, f"{path}.image_url")
    return {**made, "detail": part.get("detail") or image.get("detail") or "auto"}


def _file_back(part: Part, role: str, path: str, context: Context) -> Part:
    nested = part["type"] == "file"
    file, path = (validate.mapping(part.get("file"), f"{path}.file"), f"{path}.file") if nested else (part, path)
    if nested:
        context.report_unread(file, frozenset(_FILE_FIELDS), path)
    fields = {name: file[name] for name in _FILE_FIELDS if file.get(name) is not None}
    if fields.keys().isdisjoint(("file_id", "file_data", "file_url")):
        raise validate.missing(f"{path}.file_data")
    return {"type": "input_file", **fields}


def _link_back(part: Part, role: str, path: str, context: Context) -> Part:
    return {"type": "input_file", **_linked(part, path, context)}


def _video_back(part: Part, role: str, path: str, context: Context) -> Part:
    url = part.get("video_url")
    if isinstance(url, dict):
        context.report_unread(url, frozenset({"url"}), f"{path}.video_url")
        url = url.get("url")
    context.report.approximated(path, "'input_video' is a dialect of some servers")
    return {"type": "input_video", "video_url": validate.text(url, f"{path}.video_url")}


_IMAGE_FIELDS = frozenset({"url", "detail"})
_FILE_FIELDS = ("file_id", "filename", "file_data", "file_url", "detail")
_SHAPES = ("text", "refusal", "image_url", "document_url", "file_url", "video_url", "file", "input_audio")
_MARKABLE = ("input_text", "input_image", "input_file")

TO_RESPONSES: dict[str, Callable[[Part, str, str, Context], Part]] = {
    "text": _text_back,
    "refusal": _refusal_back,
    "image_url": _image_back,
    "file": _file_back,
    "video_url": _video_back,
    **dict.fromkeys(("document_url", "file_url"), _link_back),
    # the spelling of Responses, sent by confused clients
    **dict.fromkeys(("input_text", "output_text", "summary_text", "reasoning_text"), _text_back),
    "input_image": _image_back,
    "input_file": _file_back,
    "input_video": _video_back,
}

CHAT_PARTS = frozenset({"text", "image_url", "file", "video_url", "document_url", "file_url"})
"""Parts as only chat spells them."""


def apart(parts: list[Part]) -> tuple[list[Part], list[Part]]:
    """What is said, and media."""
    return [part for part in parts if not is_media(part)], [part for part in parts if is_media(part)]


def is_media(part: Part) -> bool:
    return part["type"] not in ("text", "refusal")
