"""What has been received of each item of a Response, and which part an event is about (protocol 5.5, R4, W30)."""

from __future__ import annotations

from typing import Any

from ...parts import calls
from ..growing import join_utf8, to_utf8
from .received_part import ReceivedPart

Body = dict[str, Any]
Names = tuple[str, ...]

TEXTS = {"output_text": "content", "text": "content", "refusal": "refusal"}
"""The parts of a message, and where their text goes in a chat message."""


def kind_of(body: Body) -> str:
    """What an item is: a `message`, `reasoning`, a `call` that the client runs, or the wire's own word for it."""
    kind = body.get("type")
    if not isinstance(kind, str):
        return ""
    if kind in calls.CALLS and (kind != "tool_search_call" or body.get("execution") == "client"):
        return "call"
    if kind == "call":  # a word of ours, and of nobody else
        return ""
    return "message" if kind in TEXTS else kind  # TokenOps: a text without a message around it


def names_of_event(event: Body) -> Names:
    """Return the name by which an event about a part of an item calls the item, if it does."""
    name = event.get("item_id")
    return (name,) if name and isinstance(name, str) else ()


def names_of_item(body: Body, event_name: Any = None) -> Names:
    """Return the names of an item. Some events call it by the id of its call, so that counts twice: see `is_other`."""
    call_id, item_id = body.get("call_id"), body.get("id")
    names: list[str] = []
    if call_id and isinstance(call_id, str):
        names += (f"{_CALL}{call_id}", call_id)
    if item_id and isinstance(item_id, str):
        names.append(item_id)
    if event_name and isinstance(event_name, str):
        names.append(event_name)
    return tuple(names)


_CALL = "call_id "


class ReceivedItem:
    """One output item, as far as it has been received."""

    def __init__(self, kind: str, is_commentary: bool = False) -> None:
        self.kind: str = kind
        self.is_commentary: bool = is_commentary
        """Whether it is a message that is shown as reasoning (W35)."""
        self.index: int | None = None
        self.namesake: ReceivedItem | None = None
        """An earlier item of the same name: some servers announce an item twice."""
        self.announced: bool = False
        self.named: bool = False
        self.parts: list[ReceivedPart] = []
        self.left: bool = False
        """Whether it had its turn."""
        self.done: bool = False
        self.cut: bool = False
        """Whether it says that it is not all that it should have been."""
        self.shown_kind: str = ""
        """Of reasoning: which kind of part is shown."""
        self.listed: bool = False
        """Whether it is a member of one of the lists of the message."""
        self._call_name = ""  # among its names, the one that is the id of its call
        self._places: dict[str, dict[int, None]] = {}  # of parts that were announced, by field
        self._by_index: dict[tuple[str, int], ReceivedPart] = {}
        self._by_field: dict[str, list[ReceivedPart]] = {}
        self._texts: dict[str, bytes] = {}  # by field, once it does not grow any more

    def is_other(self, names: Names) -> bool:
        """Whether *names* are those of another call: servers may give all calls one id."""
        own = self._call_name
        return bool(own) and own not in names and any(name.startswith(_CALL) for name in names)

    def learn_names(self, names: Names) -> None:
        self.named = self.named or bool(names)
        if not self._call_name:
            for name in names:
                if name.startswith(_CALL):
                    self._call_name = name
                    return

    def learn_index(self, index: int) -> None:
        self.index = index

    def follow(self, namesake: ReceivedItem) -> None:
        """An earlier item has one of its names."""
        self.namesake = namesake

    def announce(self) -> None:
        """An event said that it begins."""
        self.announced = True

    def finish(self) -> None:
        self.done = True

    def set_cut(self, cut: bool) -> None:
        self.cut = cut

    def leave(self) -> None:
        """It had its turn."""
        self.left = True

    def show(self, kind: str) -> None:
        """Of reasoning: this kind of part is shown."""
        self.shown_kind = kind

    def mark_listed(self) -> None:
        self.listed = True

    def received_text(self) -> bytes:
        """All that came of it, one text behind the other."""
        return join_utf8([part.text for part in self.parts])

    def begins(self, text: Any) -> bool:
        """Whether something came of it, and *text* begins with that."""
        if not (text and isinstance(text, str)) or len(self.parts) > len(text):
            return False
        utf8, at = to_utf8(text), 0
        for part in self.parts:
            if not part.text.stands_in(utf8, at):
                return False
            at += len(part.text)
        return at > 0

    def reopen(self) -> None:
        """More came of it after its end."""
        self._texts.clear()

    def announce_part(self, field: str, index: Any) -> None:
        """A part of that place was announced."""
        if isinstance(index, int):
            self._places.setdefault(field, {})[index] = None

    def part(self, field: str, index: Any) -> ReceivedPart:
        """Return the part that a delta belongs to: the one of that index, or the one that is open (R4, W30)."""
        known = self._known(field, index)
        if known is not None and not known.done:
            return known
        last = self._last(field)
        if last is not None and not last.done and (known is not None or self._goes_on(field, last, index)):
            return self._indexed(last, index)
        if not (known is None and self._is_announced(field, index)):
            announced = next(reversed(self._places.get(field, {})), None)
            if announced is not None and self._known(field, announced) is None:
                return self._new_part(field, announced)  # nothing came of it yet
        return known or self._new_part(field, index)

    def _is_announced(self, field: str, index: Any) -> bool:
        return isinstance(index, int) and index in self._places.get(field, ())

    def _goes_on(self, field: str, open_part: ReceivedPart, index: Any) -> bool:
        """Whether an index that is new means the open part: some servers count events where parts are announced."""
        if open_part.index is None or not isinstance(index, int):
            return True
        return field in self._places and not self._is_announced(field, index)

    def whole_part(self, field: str, index: Any, text: Any = None) -> ReceivedPart:
        """Return the part of which it is said that *text* is all of it; without an index, it is the last one."""
        known, last = self._known(field, index), self._last(field)
        if last is None or (known is not None and self._is_announced(field, index)):
            return known or self._new_part(field, index)
        if text and isinstance(text, str):
            if known is not None and known.begins(text):
                return known
            is_same = last.index is None or (last.text.rest_of(text) == "" and not self._is_announced(field, index))
            if last.begins(text) and (not last.done or is_same):
                if self._is_announced(field, index):
                    self._by_index[field, index] = last  # its place after all
                return self._indexed(last, index)
        if known is not None or self._is_announced(field, index):
            return known or self._new_part(field, index)
        if last.index is not None and isinstance(index, int):
            return self.part(field, index)
        if last.done and isinstance(text, str) and last.text.rest_of(text) is None:
            return self._new_part(field, index)  # another one
        return self._indexed(last, index)

    def nth_part(self, field: str, index: int, n: int, text: Any = None) -> ReceivedPart:
        """Return the part at place *index* of the finished item, the *n*-th of its field, whose text is *text*."""
        of_field = self._by_field.get(field, ())
        nth = of_field[n] if n < len(of_field) else None
        known = self._known(field, index)
        if nth is not None and (nth.index is None or (known is not nth and isinstance(text, str) and nth.begins(text))):
            return nth
        return known or self._new_part(field, index)

    def may_end_with(self, field: str, text: Any) -> bool:
        """Whether something came of the last part of a field, and *text* begins with it."""
        last = self._last(field)
        return last is not None and isinstance(text, str) and last.begins(text)

    def fits(self, field: str, texts: list[str]) -> bool:
        """Whether each of *texts* begins with what came of the part that stands where it stands."""
        pairs = zip(self._by_field.get(field, ()), texts, strict=False)
        return all(part.text.rest_of(text) is not None for part, text in pairs)

    def beyond(self, field: str, text: str) -> str | None:
        """Return what *text* has beyond all that came of a field; None if it does not begin with that."""
        received, utf8 = self._received(field), to_utf8(text)
        return utf8[len(received) :].decode("utf-8", "surrogatepass") if utf8.startswith(received) else None

    def has_text(self, field: str, text: str) -> bool:
        """Whether *text* is what came of a field."""
        return self._received(field) == to_utf8(text)

    def last_part(self, field: str) -> ReceivedPart:
        """Return the last part of a field that has one."""
        return self._by_field[field][-1]

    def _received(self, field: str) -> bytes:
        text = self._texts.get(field)
        if text is None:
            text = join_utf8([part.text for part in self._by_field.get(field, ())])
            if self.done:  # it does not grow any more, and it may be asked for each part of another item
                self._texts[field] = text
        return text

    def _last(self, field: str) -> ReceivedPart | None:
        of_field = self._by_field.get(field)
        return of_field[-1] if of_field else None

    def _known(self, field: str, index: Any) -> ReceivedPart | None:
        return self._by_index.get((field, index)) if isinstance(index, int) else None

    def _new_part(self, field: str, index: Any) -> ReceivedPart:
        part = ReceivedPart(field)
        self.parts.append(part)
        self._by_field.setdefault(field, []).append(part)
        return self._indexed(part, index)

    def _indexed(self, part: ReceivedPart, index: Any) -> ReceivedPart:
        if part.index is None and isinstance(index, int):
            part.learn_index(index)
            self._by_index[part.field, index] = part
        return part
