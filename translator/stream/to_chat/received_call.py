"""What has been received of a call of a Response, and what of it has been sent (protocol 5.5, W31, W32)."""

from __future__ import annotations

from typing import Any

from ...parts.names import flatten
from ...wire import json
from ..growing import InitialText, TextBuffer
from .call_entry import CallEntry
from .item_parts import Body, ReceivedItem

STREAMED = ("function_call", "custom_tool_call")
"""The calls whose payload comes in pieces; any other kind is read when it is done."""


class ReceivedCall(ReceivedItem):
    """A call; its payload is the arguments of a function, or the input of a free-form tool."""

    def __init__(self, wire_kind: str) -> None:
        super().__init__("call")
        self.free_form: bool = wire_kind == "custom_tool_call"
        self.field: str = "input" if self.free_form else "arguments"
        self.streams: bool = wire_kind in STREAMED
        self.name: str = ""
        self.call_id: str = ""
        self.payload: TextBuffer = TextBuffer()
        """All that came of it."""
        self.early: InitialText | None = None
        """The payload that it was announced with; nothing of it was sent."""
        self.placeholder: str = ""
        """What came in place of a payload."""
        self.whole: bool = False
        """Whether all its payload came."""
        self.has_end: bool = False
        """Whether an event said that all of it came."""
        self.ignored: bool = False
        """Whether nothing is sent of it: it began too late, or is another one once more."""
        self.begun: bool = False
        """Whether it was sent, or ignored, in its turn."""
        self.entry: CallEntry | None = None
        """The call as the client has it."""
        self._unsent: list[str] = []

    # its name and its id

    def read_head(self, body: Body) -> None:
        """Take what says who is called; the first word counts."""
        name, call_id = body.get("name"), body.get("call_id")
        if name and isinstance(name, str) and not self.name:
            namespace = body.get("namespace")
            self.name = flatten(name, namespace if isinstance(namespace, str) else None)
        if isinstance(call_id, str):
            self.call_id = self.call_id or call_id

    def set_id(self, call_id: str) -> None:
        self.call_id = call_id

    # its payload

    def announce_payload(self, payload: Any) -> None:
        """It was announced with *payload*, which its pieces may repeat (W31)."""
        if payload is None or not self.streams or self.payload or self.early is not None or self.done or self.has_end:
            return
        payload = payload if isinstance(payload, str) else json.encode_text(payload)
        if not self.is_empty(payload):
            self.early = InitialText(payload, whole=not self.free_form and is_object(payload))

    def add(self, piece: str) -> None:
        """Take a piece of the payload; one that may only repeat what it was announced with waits."""
        if self.early is not None:
            text = self.early.add(piece)
            if text is None:
                return
            piece, self.early = text, None
        self.payload.add(piece)
        self._unsent.append(piece)

    def take_unsent(self) -> list[str]:
        """Return the pieces that the client does not have yet."""
        pieces, self._unsent = self._unsent, []
        return pieces

    def whole_payload(self, payload: Any) -> str:
        """Return the fuller one of *payload*, which is said to be all of it, and of what it was announced with."""
        if payload is not None and not isinstance(payload, str):
            payload = json.encode_text(payload)
        if payload and not self.payload and self.is_empty(payload):
            self.placeholder, payload = payload, ""
        if self.early is not None:
            payload, self.early = self.early.with_end(payload), None
        return payload or ""

    def is_empty(self, payload: str) -> bool:
        """Whether *payload* is what servers send in place of one that they do not have."""
        return not payload if self.free_form else payload.strip() in ("", "{}")

    def is_blank(self) -> bool:
        """Whether nothing came of its payload."""
        return not self.payload if self.free_form else self.payload.is_blank()

    def received_text(self) -> bytes:
        return self.payload.since(0)

    def begins(self, text: Any) -> bool:
        return bool(self.payload) and isinstance(text, str) and self.payload.rest_of(text) is not None

    def repeats(self, other: ReceivedCall) -> bool:
        """Whether it is *other* once more (W33); takes no longer than its own payload, however long the other is."""
        if self.name not in ("", other.name) or self.free_form != other.free_form:
            return False
        payload = self.payload.whole()
        if self.is_empty(payload) or other.payload.rest_of(payload) == "":
            return True
        if len(other.payload) > 2 * len(payload) or not is_object(payload):
            return False
        text = other.payload.whole()
        return is_object(text) and json.decode(payload) == json.decode(text)

    # its end

    def end_payload(self) -> None:
        """An event said that everything came; an end without a payload says nothing."""
        self.has_end = bool(self.payload)

    def set_whole(self, whole: bool) -> None:
        self.whole = whole

    def begin(self, entry: CallEntry | None) -> None:
        """The client has it as *entry*; None: there is no room for it."""
        self.begun, self.entry = True, entry

    def ignore(self) -> None:
        self.begun = self.whole = self.ignored = True

    def is_held(self) -> bool:
        """Whether its end came without a payload: the finished output may have that yet (W31)."""
        return self.done and self.streams and not self.ignored and self.is_blank()

    def is_complete(self) -> bool:
        """Whether its end came, or nothing can follow (W32)."""
        if self.early is not None:
            return self.free_form or is_object(self.early.text)
        return self.whole or self.done or self.has_end or (not self.free_form and is_object(self.payload.whole()))


def is_object(text: str) -> bool:
    """Whether *text* is a whole JSON object."""
    if not text.rstrip().endswith("}"):
        return False
    try:
        return isinstance(json.decode(text), dict)
    except ValueError:
        return False
