"""Messages between agents: what Codex sends to a sub-agent, and what the sub-agent answers (W20).

Evidence: openai/codex, codex-rs/protocol/src/models.rs (`AgentMessage`), and openai/codex#33551. The texts that the
model of a chat upstream wrote come back as they are, under `encrypted_content`: only OpenAI encrypts them.
"""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import RequestError
from ..wire import validate
from . import content


def to_chat(item: dict[str, Any], path: str, context: Context) -> str | list[content.Part]:
    """Return what a user tells in place of the agent. Raises RequestError for what only its maker can read."""
    body = item.get("content")
    if isinstance(body, str):
        body = [{"type": "input_text", "text": body}]
    parts = [
        _part(validate.mapping(part, at), at, context)
        for i, part in enumerate(validate.optional_array(body, f"{path}.content"))
        for at in (f"{path}.content[{i}]",)
    ]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    head = _head(item, "".join(texts)) if parts else ""
    if len(texts) < len(parts):
        return [{"type": "text", "text": head}, *parts] if head else parts
    return head + "".join(text if text.endswith("\n") else f"{text}\n" for text in texts).removesuffix("\n")


def _part(part: dict[str, Any], path: str, context: Context) -> content.Part:
    if part.get("type") != content.ENCRYPTED:
        return content.part_to_chat(part, path, context)
    text = validate.text_at(part, content.ENCRYPTED, path)
    if content.is_sealed(text):
        raise RequestError(
            "This message was encrypted elsewhere and only its maker can read it; without it the task is gone.",
            f"{path}.encrypted_content",
        )
    return {"type": "text", "text": text}


def _head(item: dict[str, Any], text: str) -> str:
    """Who speaks to whom, unless the message says it itself (Codex writes `Sender:` and its name)."""
    author, recipient = item.get("author"), item.get("recipient")
    if not (author and isinstance(author, str)) or f"Sender: {author}" in text:
        return ""
    to = f" to {recipient}" if recipient and isinstance(recipient, str) else ""
    return f"Message from {author}{to}:\n"
