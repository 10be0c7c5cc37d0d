"""Images, files, audio and video in content: each kind in both directions (protocol 2.2, 2.3)."""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import RequestError
from ..wire import validate

Part = dict[str, Any]


def image_to_chat(part: Part, path: str, context: Context) -> Part:
    """Return the `image_url` part for an image in any spelling."""
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
        context.report.dropped(f"{path}.file_id", "the URL is sent instead", part["file_id"])
    image: Part = {"url": validate.text(url, f"{path}.image_url")}
    detail = part.get("detail")
    if detail == "original" and not context.profile.image_detail_original:
        context.report.approximated(f"{path}.detail", "the highest detail is 'high'", detail)
        detail = "high"
    if detail not in (None, "auto"):
        image["detail"] = detail
    return {"type": "image_url", "image_url": image}


def image_to_responses(part: Part, role: str, path: str, context: Context) -> Part:
    """Return the `input_image` part for an image in any spelling."""
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


_IMAGE_FIELDS = frozenset({"url", "detail"})


def file_to_chat(part: Part, path: str, context: Context) -> Part:
    """Return the `file` part for a file; those that are only a URL are refused."""
    if part.get("file_url") is not None:
        raise RequestError(
            "Files by 'file_url' are not supported: Chat Completions takes files as 'file_data' or by 'file_id'.",
            f"{path}.file_url",
            "unsupported_value",
        )
    if part.get("detail") not in (None, "auto"):
        context.report.dropped(f"{path}.detail", "chat files have no `detail`", part["detail"])
    file = part["file"] if isinstance(part.get("file"), dict) else part
    if file.get("file_id") is not None:
        fields = {name: file[name] for name in ("file_id", "filename", "file_data") if file.get(name) is not None}
        validate.text(fields["file_id"], f"{path}.file_id")
        return {"type": "file", "file": fields}
    data = validate.text_at(file, "file_data", path)
    return {"type": "file", "file": {"filename": file.get("filename") or _file_name(data), "file_data": data}}


def file_to_responses(part: Part, role: str, path: str, context: Context) -> Part:
    """Return the `input_file` part for a file, nested or not."""
    nested = part["type"] == "file"
    file, path = (validate.mapping(part.get("file"), f"{path}.file"), f"{path}.file") if nested else (part, path)
    if nested:
        context.report_unread(file, frozenset(_FILE_FIELDS), path)
    fields = {name: file[name] for name in _FILE_FIELDS if file.get(name) is not None}
    if fields.keys().isdisjoint(("file_id", "file_data", "file_url")):
        raise validate.missing(f"{path}.file_data")
    return {"type": "input_file", **fields}


_FILE_FIELDS = ("file_id", "filename", "file_data", "file_url", "detail")


def link_to_chat(part: Part, path: str, context: Context) -> Part:
    """Return the `file` part for a link that holds its file as a data URL."""
    return file_to_chat(_linked(part, path, context), path, context)


def link_to_responses(part: Part, role: str, path: str, context: Context) -> Part:
    """Return the `input_file` part for a link."""
    return {"type": "input_file", **_linked(part, path, context)}


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


def audio_to_chat(part: Part, path: str, context: Context) -> Part:
    """Return the `input_audio` part; Responses have none."""
    return {"type": "input_audio", "input_audio": validate.mapping(part.get("input_audio"), f"{path}.input_audio")}


def video_to_chat(part: Part, path: str, context: Context) -> Part:
    """Return the `video_url` part for a video."""
    context.report.approximated(path, "'video_url' is an extension of some servers")
    url = part.get("video_url")
    return {"type": "video_url", "video_url": url if isinstance(url, dict) else {"url": validate.text(url, path)}}


def video_to_responses(part: Part, role: str, path: str, context: Context) -> Part:
    """Return the `input_video` part for a video."""
    url = part.get("video_url")
    if isinstance(url, dict):
        context.report_unread(url, frozenset({"url"}), f"{path}.video_url")
        url = url.get("url")
    context.report.approximated(path, "'input_video' is an extension of some servers")
    return {"type": "input_video", "video_url": validate.text(url, f"{path}.video_url")}


def split_media(parts: list[Part]) -> tuple[list[Part], list[Part]]:
    """Return the texts and refusals among chat *parts*, and the others."""
    return [part for part in parts if not is_media(part)], [part for part in parts if is_media(part)]


def is_media(part: Part) -> bool:
    """Whether a chat part is something else than text."""
    return part["type"] not in ("text", "refusal")
