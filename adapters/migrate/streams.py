"""Recorded streams: the text of their server-sent events, or a list of what was in them."""

from __future__ import annotations

import re
from typing import Any

from ...translator import decode_json, encode_json
from .options import Dialect

Event = dict[str, Any]
Stream = str | list[Any]

CHUNK = "chat.completion.chunk"
_LINE_END = re.compile(r"\r\n|\n|\r")
_SEVERAL = re.compile(r'"index"\s*:\s*[1-9]')
"""Only a text with such an index may have several choices; calls have indexes, too."""
_ENDS = ("response.completed", "response.incomplete", "response.failed")


def stream_dialect(body: Any) -> Dialect | None:
    """Return the dialect of a recorded stream: a text of server-sent events, or a list; None if *body* is none."""
    if isinstance(body, list):
        return next((dialect for event in body if (dialect := _event_dialect(event))), None)
    return _text_dialect(body) if isinstance(body, str) else None


def _event_dialect(event: Any) -> Dialect | None:
    if not isinstance(event, dict):
        return None
    if str(event.get("type")).startswith("response."):
        return "responses"
    choices = event.get("choices")
    is_chunk = event.get("object") == CHUNK or (
        isinstance(choices, list) and choices and isinstance(choices[0], dict) and "delta" in choices[0]
    )
    return "chat" if is_chunk else None


def _text_dialect(text: str) -> Dialect | None:
    if not text.lstrip("\ufeff \r\n").startswith(("data:", "event:", ":")):
        return None
    responses, chat = text.find('"response.'), text.find('"choices"')
    if responses < 0 and chat < 0:
        return None
    return "responses" if chat < 0 or 0 <= responses < chat else "chat"


def single_choices(stream: Stream) -> list[Stream]:
    """Return a stream of Chat Completions as one for each of its choices; the first one has the usage."""
    if isinstance(stream, str) and not _SEVERAL.search(stream):
        return [stream]
    events = events_of(stream)
    indexes = sorted({choice["index"] for event in events for choice in _choices(event)})
    if len(indexes) < 2:
        return [stream]
    return [
        [made for event in events if (made := _of_choice(event, index, index == indexes[0])) is not None]
        for index in indexes
    ]


def _choices(event: Any) -> list[Event]:
    choices = event.get("choices") if isinstance(event, dict) else None
    if not isinstance(choices, list):
        return []
    return [choice for choice in choices if isinstance(choice, dict) and isinstance(choice.get("index"), int)]


def _of_choice(event: Any, index: int, is_first: bool) -> Any:
    """Return what a chunk says of one choice; None if it is nothing. What is about all of them goes to the first."""
    own = [{**choice, "index": 0} for choice in _choices(event) if choice["index"] == index]
    if own:
        return {**event, "choices": own} if is_first else {**event, "choices": own, "usage": None}
    return event if is_first and not _choices(event) else None


def events_of(stream: Stream) -> list[Any]:
    """Return the chunks or events of a stream, decoded; what is none is left out."""
    if not isinstance(stream, str):
        return stream
    found: list[Any] = []
    for line in _LINE_END.split(stream):
        if line.startswith("data:"):
            try:
                found.append(decode_json(line.removeprefix("data:")))
            except ValueError:
                continue  # the end, or what was cut off
    return found


def finished_response(stream: Stream) -> Any:
    """Return the Response with which a stream of events ends; None if it breaks off."""
    ends = (event["response"] for event in events_of(stream) if _is_end(event))
    return next(ends, None)


def _is_end(event: Any) -> bool:
    return isinstance(event, dict) and event.get("type") in _ENDS and isinstance(event.get("response"), dict)


def text_of(events: list[Any], dialect: Dialect) -> str:
    """Return the text of the server-sent events."""
    if dialect == "chat":
        return "".join(f"data: {encode_json(chunk).decode()}\n\n" for chunk in events) + "data: [DONE]\n\n"
    return "".join(f"event: {event['type']}\ndata: {encode_json(event).decode()}\n\n" for event in events)
