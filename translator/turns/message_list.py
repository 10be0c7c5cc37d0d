"""The messages of a chat request under construction; system messages go where the upstream accepts them."""

from __future__ import annotations

from ..context import Context
from .order import MessageWithOrigin, alternate
from .turn import Message

_SYSTEM = ("system", "developer")


class MessageList:
    """Chat messages, each with the path of the item that it came from."""

    __slots__ = ("_context", "_front", "_system_texts", "call_origins", "messages", "origins")

    def __init__(self, context: Context) -> None:
        self.messages: list[Message] = []
        self.origins: list[str] = []
        self.call_origins: dict[int, list[str]] = {}
        """The paths of the calls of a message, by its number."""
        self._context: Context = context
        self._front: tuple[Message, str] | None = None  # a system message that goes in front of all, and its path
        self._system_texts: list[str] = []  # the texts that the first system message is made of, if there are several

    def add(self, message: Message, path: str, call_paths: list[str] | None = None) -> None:
        """Add a message that was made of what is at *path*, and its calls of what is at *call_paths*."""
        if message["role"] in _SYSTEM and self._joins(message, path):
            return
        if call_paths:
            self.call_origins[len(self.messages)] = call_paths
        self.messages.append(message)
        self.origins.append(path)

    def finish(self) -> None:
        """Put the messages into the order that the upstream takes: there are no more.

        System messages that are to be one become one here, all at once, for there may be thousands.
        """
        if self._front is not None:
            self._put_in_front(*self._front)
        if self._system_texts:
            self.messages[0]["content"] = "\n\n".join(self._system_texts)
        if self._context.profile.alternating_roles:
            self._alternate()

    def _joins(self, message: Message, path: str) -> bool:
        """Whether a system message becomes part of the one in front (`system_messages`), or goes there itself."""
        policy = self._context.profile.system_messages
        first = self._front[0] if self._front else self.messages[0] if self.messages else None
        if policy == "separate" or first is None:
            return False
        late = len(self.messages) + (self._front is not None) > 1
        if late or first["role"] not in _SYSTEM:
            if policy == "leading":
                return False
            self._context.report.approximated(path, "system messages are moved to the front")
        if first["role"] not in _SYSTEM:
            self._front = message, path
            return True
        texts = first["content"], message["content"]
        if not all(isinstance(text, str) for text in texts) or "name" in first or "name" in message:
            return False
        self._system_texts += texts[1:] if self._system_texts else texts
        return True

    def _put_in_front(self, message: Message, path: str) -> None:
        self.messages, self.origins = [message, *self.messages], [path, *self.origins]
        self.call_origins = {number + 1: paths for number, paths in self.call_origins.items()}

    def _alternate(self) -> None:
        """Give the messages the order that the upstream wants (`alternating_roles`)."""
        pairs = enumerate(zip(self.messages, self.origins, strict=True))
        messages = [MessageWithOrigin(message, origin, self.call_origins.get(i)) for i, (message, origin) in pairs]
        messages = alternate(messages, self._context)
        self.messages, self.origins = [each.message for each in messages], [each.origin for each in messages]
        self.call_origins = {i: each.calls for i, each in enumerate(messages) if each.calls is not None}
