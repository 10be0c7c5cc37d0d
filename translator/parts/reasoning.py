"""Reasoning: texts, summaries, and opaque state that a provider wants back (protocol 2.9).

Provider state is sealed into `encrypted_content`, which only this library opens (see seals.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from ..context import Context
from ..errors import RequestError
from ..seals import PLAIN, REASONING, Seals
from ..wire import json, validate
from . import content

TEXT_FIELDS = ("reasoning_content", "reasoning", "reasoning_text", "thinking", "think", "chain_of_thought")
DETAIL_FIELDS = ("reasoning_details", "thinking_blocks")
OPAQUE_FIELD = "reasoning_opaque"
"""A text that only its provider can read, beside a message's reasoning (github.com/anomalyco/opencode/pull/8900)."""
AMONG_PARTS = "content"
"""Stands for reasoning inside the content itself, as parts of type `thinking`."""
FIELDS = frozenset({*TEXT_FIELDS, *DETAIL_FIELDS, OPAQUE_FIELD})
PROVIDER_STATE = frozenset({*DETAIL_FIELDS, OPAQUE_FIELD, "calls"})
"""What is sealed and means something only to the model that it came from."""
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def seal(fields: dict[str, Any], seals: Seals = PLAIN, kind: str = REASONING) -> str:
    """Put provider state into an `encrypted_content` string: `text`, `summary`, `calls`, `reasoning_details`, ..."""
    return seals.seal(kind, json.encode(fields))


def unseal(sealed: Any, seals: Seals = PLAIN, kind: str = REASONING) -> dict[str, Any] | None:
    """Return what `seal` put in; None if it was made elsewhere, for somebody else or something else, or altered.

    Envelopes that are not encrypted were all that there was once: they are read whatever the seals.
    """
    if not isinstance(sealed, str):
        return None
    data = PLAIN.unseal(kind, sealed)
    if data is None and seals is not PLAIN:
        data = seals.unseal(kind, sealed)
    if data is None:
        return None
    try:
        fields = json.decode(data)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def cannot_open(sealed: str, path: str | None = None) -> RequestError:
    """Return the error for content that was not sealed here; clients strip it and try again when they see its code.

    OpenAI's own names no place, so *path* is left out where there are keys.
    """
    return RequestError(
        f"The encrypted content {sealed[:4]}...{sealed[-4:]} could not be verified. "
        "Reason: Encrypted content could not be decrypted or parsed.",
        path,
        code="invalid_encrypted_content",
    )


def effort(value: Any, path: str, context: Context) -> Any:
    """The effort itself, or the nearest one that the upstream knows."""
    efforts = context.profile.efforts
    if not efforts or value in efforts or value not in _EFFORTS:
        return value
    rank = _EFFORTS.index(value)
    nearest = min(efforts, key=lambda word: (abs(_EFFORTS.index(word) - rank), -_EFFORTS.index(word)))
    context.report.approximated(path, f"the nearest supported effort is '{nearest}'", value)
    return nearest


def to_chat(item: dict[str, Any], path: str, seals: Seals = PLAIN) -> tuple[str, dict[str, Any] | None]:
    """Return the text of a reasoning item and the provider state sealed in it; None for a seal that does not open."""
    sealed = item.get("encrypted_content")
    state = unseal(sealed, seals) if sealed else {}
    texts, summaries = _texts(item, "content", path), _texts(item, "summary", path)
    own = state.get("text") if state else None
    if isinstance(own, str):
        return own, state
    texts = texts or summaries
    return texts[0] if len(texts) == 1 else "\n\n".join(texts), state


def _texts(item: dict[str, Any], field: str, path: str) -> list[str]:
    value = item.get(field)
    if not value:
        return []
    text = content.only_text(value)
    if text is not None and isinstance(value, list):
        return [text]
    path = f"{path}.{field}"
    parts = validate.mappings(value, path)
    return [validate.text_at(part, "text", f"{path}[{i}]") for i, part in enumerate(parts)]


def to_details(item: dict[str, Any], seals: Seals = PLAIN) -> dict[str, Any]:
    """Return the member of a message's `reasoning_details` that brings a reasoning item back as it is."""
    return {"type": _SEALED, "id": item.get("id"), "format": _FORMAT, "data": seal({"item": item}, seals)}


def from_details(message: dict[str, Any], seals: Seals = PLAIN) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the reasoning items that `to_details` put into a message, and what it seems to have put but is unreadable.

    Members of other servers are neither.
    """
    entries = message.get("reasoning_details")
    items: list[dict[str, Any]] = []
    unopened: list[str] = []
    for entry in entries if isinstance(entries, list) else []:
        sealed = entry.get("data") if isinstance(entry, dict) else None
        if not isinstance(sealed, str):
            continue
        state = unseal(sealed, seals)
        if state is None and entry.get("format") == _FORMAT:
            unopened.append(sealed)
        item = state.get("item") if state else None
        if isinstance(item, dict) and item.get("type") == "reasoning":
            items.append(item)
    return items, unopened


def can_return(item: dict[str, Any]) -> bool:
    """Whether a server could read an item again; one that is only an id and a summary it would refuse (R10)."""
    return bool(item.get("encrypted_content") or item.get("content"))


def without_long_id(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item with an id that can go back: some servers refuse their own, if it is longer than 64 (W42)."""
    item_id = item.get("id")
    if item_id is None or (isinstance(item_id, str) and 0 < len(item_id) <= _LONGEST_ID):
        return item
    return {name: value for name, value in item.items() if name != "id"}


_LONGEST_ID = 64


def to_item(text: str, position: int) -> dict[str, Any]:
    """Return a reasoning item for bare text of the message at *position*; items need ids, the same ones every time."""
    digest = hashlib.sha256(f"{position} {text}".encode("utf-8", "replace")).hexdigest()[:32]
    parts = [{"type": "reasoning_text", "text": text}]
    return {"type": "reasoning", "id": f"rs_{digest}", "summary": [], "content": parts}


_SEALED = "reasoning.encrypted"
_FORMAT = "diglot"


def text_of(delta: dict[str, Any]) -> str:
    """The reasoning text of a chat delta or message, under whichever name (D1-D4); names that repeat it are ignored."""
    return field_and_text(delta)[1]


def field_and_text(delta: dict[str, Any]) -> tuple[str, str]:
    """Where the reasoning text of a chat delta or message stands, and the text: the first name that has one counts."""
    for name in TEXT_FIELDS:
        value = delta.get(name)
        if isinstance(value, dict):
            value = value.get("content")  # D3
        if value and (text := value if isinstance(value, str) else thoughts_text(value)):
            return name, text
    for name in DETAIL_FIELDS:
        entries = delta.get(name)
        if isinstance(entries, list):
            return name, "".join(_detail_text(entry) for entry in entries if isinstance(entry, dict))
    return "", ""


def put_text(message: dict[str, Any], field: str, text: str) -> None:
    """Put reasoning text into an assistant's message, under *field* or among its parts (`AMONG_PARTS`)."""
    if field != AMONG_PARTS:
        message[field] = text
        return
    body = message["content"] or []
    parts = body if isinstance(body, list) else [{"type": "text", "text": body}]
    message["content"] = [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}, *parts]


def with_placeholder(calls: list[dict[str, Any]], placeholder: str) -> list[dict[str, Any]] | None:
    """Return a message's *calls*, the first one signed with a *placeholder*; None if one of them is signed already.

    The model signs the first of parallel calls only (https://ai.google.dev/gemini-api/docs/thought-signatures).
    """
    if any("extra_content" in call for call in calls):
        return None
    return [{**calls[0], "extra_content": {"google": {"thought_signature": placeholder}}}, *calls[1:]]


def is_absent(message: dict[str, Any]) -> bool:
    """Whether a message that a client sends back plainly holds no reasoning."""
    return FIELDS.isdisjoint(message) and not isinstance(message.get("content"), list)


def thoughts_of(message: dict[str, Any]) -> str:
    """The reasoning text of a message that a client sends back: among its parts, or in a field of its own."""
    parts = message.get("content")
    if not isinstance(parts, list):
        return text_of(message)
    among = [part for part in parts if content.is_thought(part)]
    return "\n\n".join(thoughts_text(part) for part in among) or text_of(message)


def thoughts_text(thoughts: Any) -> str:
    """The text of thoughts: a string, a part (`thinking`, which has a string or parts again), or a list of parts."""
    return "".join(_texts_in(thoughts))


def _texts_in(thoughts: Any) -> Iterator[str]:
    """Walks without recursion: nobody knows how deep a server nests them."""
    inside = [thoughts]
    while inside:
        value = inside.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            inside += reversed(value)
        elif isinstance(value, dict):
            inside.append(next((v for k in _TEXTS if (v := value.get(k)) and isinstance(v, (str, list))), None))


_TEXTS = ("text", "content", "summary", "thinking", "reasoning")


def _detail_text(entry: dict[str, Any]) -> str:
    return next((v for k in ("text", "summary", "thinking") if isinstance(v := entry.get(k), str)), "")


class DetailsBuffer:
    """Collects structured reasoning from fragments: the texts of an entry grow, everything else is set once."""

    _GROWING = ("text", "summary", "thinking", "data", "signature")

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []
        self._pieces: list[dict[str, list[str]]] = []  # per entry, joined once at the end

    def add(self, more: Any) -> None:
        for entry in more if isinstance(more, list) else []:
            if not isinstance(entry, dict):
                continue
            if not self._entries or not self._continues(entry):
                self._entries.append({})
                self._pieces.append({})
            for key, value in entry.items():
                if key in self._GROWING and value and isinstance(value, str):
                    self._pieces[-1].setdefault(key, []).append(value)
                if value is not None:
                    self._entries[-1].setdefault(key, value)

    def _continues(self, entry: dict[str, Any]) -> bool:
        """Whether a fragment belongs to the last entry: the same index, or a thought that is not signed yet."""
        last = self._entries[-1]
        if last.get("type") != entry.get("type"):
            return False
        if entry.get("index") is not None:
            return last.get("index") == entry["index"]
        return entry.get("type") == "thinking" and "signature" not in self._pieces[-1]

    def joined(self) -> list[dict[str, Any]]:
        texts = ({key: "".join(pieces) for key, pieces in grown.items()} for grown in self._pieces)
        return [{**entry, **grown} for entry, grown in zip(self._entries, texts, strict=True)]
