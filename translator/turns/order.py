"""Alternating roles, for chat templates that refuse any other order (`alternating_roles`).

"Conversation roles must alternate user/assistant/user/assistant", say the templates of Mistral's models, and its API:
"Unexpected role 'user' after role 'tool'".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..context import Context
from ..parts import content, reasoning
from .turn import Message

_BEGIN = "(The conversation begins with your message.)"
_DONE = "Done."


class MessageWithOrigin(NamedTuple):
    """A message, and where it came from."""

    message: Message
    origin: str
    calls: list[str] | None
    """The paths of its calls, if it has some."""


def alternate(messages: list[MessageWithOrigin], context: Context) -> list[MessageWithOrigin]:
    """Return the messages with neighbours of one role joined, and a word of who is missing between the others."""
    ordered: list[MessageWithOrigin] = []
    before = None  # the role of the last one who is no system
    for group in _neighbours(messages):
        first = group[0]
        role = first.message["role"]
        missing = _MISSING.get((before, role))
        if missing is not None:
            context.report.approximated(first.origin, _WHY_MISSING)
            ordered.append(MessageWithOrigin({**missing}, first.origin, None))
        if len(group) > 1:
            for each in group[1:]:
                context.report.approximated(each.origin, "consecutive messages of one role are merged")
            first = MessageWithOrigin(_join_messages([each.message for each in group]), first.origin, group[-1].calls)
        ordered.append(first)
        before = before if role in ("system", "developer") else role
    return ordered


_MISSING = {
    (None, "assistant"): {"role": "user", "content": _BEGIN},
    ("tool", "user"): {"role": "assistant", "content": _DONE},
}
_WHY_MISSING = "roles must alternate, so a placeholder message is inserted"


def _neighbours(messages: list[MessageWithOrigin]) -> list[list[MessageWithOrigin]]:
    """Users that follow each other, and assistants; nobody follows one that calls, but the results."""
    groups: list[list[MessageWithOrigin]] = []
    for each in messages:
        role = each.message["role"]
        if groups and role in ("user", "assistant") and groups[-1][0].message["role"] == role:
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def _join_messages(messages: list[Message]) -> Message:
    """One message that says what all of them say; the last one may call."""
    whole: Message = {}
    for message in messages:
        for name, value in message.items():
            whole.setdefault(name, value)
    whole["content"] = _join_contents([message["content"] for message in messages])
    for field in reasoning.TEXT_FIELDS:
        thoughts = [message[field] for message in messages if message.get(field)]
        if thoughts:
            whole[field] = "\n\n".join(thoughts)
    return whole


def _join_contents(contents: list[Any]) -> Any:
    nonempty = [each for each in contents if each]
    if all(isinstance(each, str) for each in nonempty):
        return "\n\n".join(nonempty) or None
    parts: list[content.Part] = []
    for each in nonempty:
        parts += [{"type": "text", "text": each}] if isinstance(each, str) else each
    return parts
