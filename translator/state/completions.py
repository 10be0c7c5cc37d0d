"""Stored chat completions: what is kept of them, how they are asked for, and how they are shown (protocol 6.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ..errors import RequestError
from . import conversations, pages, records, refusals

LONGEST_ID = 128
_KEY = "metadata["

Message = dict[str, Any]


class StoredCompletion(NamedTuple):
    """A chat completion as it is kept; its metadata, which can change, are kept beside it."""

    answer: dict[str, Any]
    messages: list[Message]
    """What the client sent."""


class CompletionsQuery(NamedTuple):
    """Which completions a client wants to see."""

    model: str | None
    metadata: dict[str, str]
    page: pages.Query


def query(pairs: Iterable[tuple[str, str]]) -> CompletionsQuery:
    """Read the decoded *pairs* of a query string: `model`, `metadata[NAME]`, and what all lists have."""
    pairs = list(pairs)
    metadata = {name[len(_KEY) : -1]: value for name, value in pairs if name.startswith(_KEY) and name[-1] == "]"}
    conversations.metadata({"metadata": metadata})
    last = dict(pairs)
    return CompletionsQuery(last.get("model") or None, metadata, _page(pairs))


def _page(pairs: list[tuple[str, str]]) -> pages.Query:
    """The ids of completions come from anywhere, so nothing but their length is judged."""
    after = dict(pairs).get("after") or None
    if after is not None and len(after) > LONGEST_ID:
        raise refusals.too_long("after", LONGEST_ID, len(after))
    others = [(name, value) for name, value in pairs if name != "after"]
    return pages.query(others, default_order="asc")._replace(after=after)


def encode(kept: StoredCompletion) -> bytes:
    """Return the bytes of a completion."""
    return records.packed(kept._asdict())


def decode(ident: str, data: bytes) -> StoredCompletion:
    """Return the completion *ident*; raises DamagedRecord."""
    value = records.unpacked(ident, data)
    answer, messages = value.get("answer"), value.get("messages")
    if not isinstance(answer, dict) or not isinstance(messages, list):
        raise records.DamagedRecord(f"'{ident}' is stored, but cannot be read: it is no chat completion.")
    return StoredCompletion(answer, messages)


def shown(kept: StoredCompletion, metadata: dict[str, str]) -> dict[str, Any]:
    """Return the completion with its metadata."""
    return {**kept.answer, "metadata": metadata}


def messages(completion_id: str, kept: StoredCompletion, asked: pages.Query) -> dict[str, Any]:
    """Return a page of the messages that the client sent."""
    made = [_message(f"{completion_id}-{number}", message) for number, message in enumerate(kept.messages)]
    return pages.cut(made, asked)


def messages_query(pairs: Iterable[tuple[str, str]]) -> pages.Query:
    """Read the query of a list of messages."""
    return _page(list(pairs))


def _message(ident: str, message: Message) -> Message:
    """Parts of content stand beside it, which is then a text or nothing."""
    content = message.get("content")
    parts = content if isinstance(content, list) else None
    return {"name": None, **message, "id": ident, "content": None if parts else content, "content_parts": parts}


def deleted(completion_id: str) -> dict[str, Any]:
    return {"id": completion_id, "object": "chat.completion.deleted", "deleted": True}


def not_found(completion_id: str) -> RequestError:
    return RequestError(f"No chat completion found with id '{completion_id}'.", None, "", status=404)
