"""Messages between agents: what Codex tells a sub-agent, and what that answers (W20).

Evidence: openai/codex, codex-rs/protocol/src/models.rs (`AgentMessage`), and openai/codex#33551. The texts that the
model of a chat upstream wrote come back as they are, under `encrypted_content`: only OpenAI encrypts them.
"""

from __future__ import annotations

import re
from typing import Any

from ..errors import BadRequest
from ..profiles import Terms
from ..wire import shape
from . import content

_SEALED = re.compile(r"gAAAA[\w-]{3,}={0,2}", re.ASCII)  # Fernet: a version and the time


_KIND = "encrypted_content"  # of a part, and the field that has its text


def is_sealed(text: Any) -> bool:
    """Whether only its maker can read *text*."""
    return isinstance(text, str) and _SEALED.fullmatch(text.strip()) is not None


def is_encrypted(part: Any) -> bool:
    """Whether *part* is one that OpenAI encrypts."""
    return isinstance(part, dict) and part.get("type") == _KIND and isinstance(part.get(_KIND), str)


def plain(part: Any) -> str | None:
    """Return the text of an encrypted part that nobody encrypted; None for all others."""
    return part[_KIND] if is_encrypted(part) and not is_sealed(part[_KIND]) else None


def to_chat(item: dict[str, Any], path: str, terms: Terms) -> str | list[content.Part]:
    """Return what a user tells in place of the agent. Raises BadRequest for what only its maker can read."""
    given = item.get("content")
    if isinstance(given, str):
        given = [{"type": "input_text", "text": given}]
    parts = [
        _part(shape.mapping(part, at), at, terms)
        for i, part in enumerate(shape.optional_array(given, f"{path}.content"))
        for at in (f"{path}.content[{i}]",)
    ]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    head = _head(item, "".join(texts)) if parts else ""
    if len(texts) < len(parts):
        return [{"type": "text", "text": head}, *parts] if head else parts
    return head + "".join(text if text.endswith("\n") else f"{text}\n" for text in texts).removesuffix("\n")


def _part(part: dict[str, Any], path: str, terms: Terms) -> content.Part:
    if part.get("type") != _KIND:
        return content.part_to_chat(part, path, terms)
    text = shape.text_at(part, _KIND, path)
    if is_sealed(text):
        raise BadRequest(
            "This message was encrypted elsewhere and only its maker can read it; without it the task is gone.",
            f"{path}.{_KIND}",
        )
    return {"type": "text", "text": text}


def _head(item: dict[str, Any], said: str) -> str:
    """Who speaks to whom, unless the message says it itself (Codex writes `Sender: /root`)."""
    author, recipient = item.get("author"), item.get("recipient")
    if not (author and isinstance(author, str)) or f"Sender: {author}" in said:
        return ""
    to = f" to {recipient}" if recipient and isinstance(recipient, str) else ""
    return f"Message from {author}{to}:\n"
