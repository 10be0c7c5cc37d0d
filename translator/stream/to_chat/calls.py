"""The calls of a Response that the client runs: each is announced when its name and its id are known (protocol 5.5)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ...losses import Report
from ...parts import calls
from ...parts.names import flatten
from ...wire import json
from ..growing import Early, Grow, Pieces
from .completion import Completion
from .item_parts import Item

Body = dict[str, Any]


class Call(Item):
    """One call. A function or a free-form tool streams its payload; any other kind is read when it is done."""

    def __init__(self, kind: str) -> None:
        super().__init__("call")
        self.free_form = kind == "custom_tool_call"
        self.field = "input" if self.free_form else "arguments"
        self.streams = kind in ("function_call", "custom_tool_call")
        self.name = ""
        self.call_id = ""
        self.whole = False  # all its arguments came
        self.told = False  # an event said that they did
        self.ignored = False  # it began too late
        self.begun = False
        self.place: int | None = None  # in `tool_calls`
        self.payload = Pieces()
        """The arguments or the input, as far as they came."""
        self.early: Early | None = None
        """The payload that it was announced with; nothing of it was said."""
        self.empty = ""  # what was said in place of arguments
        self._unsaid: list[str] = []

    def head(self, body: Body) -> None:
        """Learn who is called; the first word counts."""
        name, call_id, namespace = (body.get(key) for key in ("name", "call_id", "namespace"))
        if name and isinstance(name, str) and not self.name:
            self.name = flatten(name, namespace if isinstance(namespace, str) else None)
        if isinstance(call_id, str):
            self.call_id = self.call_id or call_id

    def is_ready(self) -> bool:
        return bool(self.name and self.call_id)

    def heard(self) -> bytes:
        return self.payload.since(0)

    def begins(self, text: Any) -> bool:
        return bool(self.payload) and isinstance(text, str) and self.payload.rest_of(text) is not None

    def says_nothing(self, payload: str) -> bool:
        """Whether *payload* is what servers send in place of one that they do not have."""
        return not payload if self.free_form else payload.strip() in ("", "{}")

    def is_blank(self) -> bool:
        """Whether nothing came of its payload."""
        return not self.payload if self.free_form else self.payload.is_blank()

    def is_held(self) -> bool:
        """Whether its end came without a payload: the finished output may have that yet (W31)."""
        return self.done and self.streams and not self.ignored and self.is_blank()

    def has_end(self) -> bool:
        """Whether it was told to its end, or nothing can follow."""
        if self.early is not None:
            return self.free_form or is_object(self.early.text)
        return self.whole or self.done or self.told or (not self.free_form and is_object(self.payload.whole()))

    def hear(self, piece: str) -> None:
        self.payload.add(piece)
        self._unsaid.append(piece)

    def unsaid(self) -> list[str]:
        """The pieces that the client does not have yet."""
        pieces, self._unsaid = self._unsaid, []
        return pieces


def _are_same(payload: str, other: Pieces) -> bool:
    """Whether both say the same; takes no longer than *payload*, whatever the other one is."""
    if other.rest_of(payload) == "":
        return True
    if len(other) > 2 * len(payload) or not is_object(payload):
        return False
    text = other.whole()
    return is_object(text) and json.decode(payload) == json.decode(text)


def is_object(text: str) -> bool:
    """Whether *text* is a whole JSON object."""
    if not text.rstrip().endswith("}"):
        return False
    try:
        return isinstance(json.decode(text), dict)
    except ValueError:
        return False


class Calls:
    """The calls of one answer. They take turns in the order in which they began.

    Clients read a call when the next one begins (the SDKs parse its arguments then), so one that comes by turns with
    an earlier one waits until that is whole.
    """

    def __init__(self, out: Completion, report: Report, new_id: Callable[[str], str]) -> None:
        self._out = out
        self._report = report
        self._new_id = new_id
        self.nameless = False
        """Whether there is a call of which nobody said what is called."""
        self._all: list[Call] = []
        self._queue: deque[Call] = deque()  # the one that speaks, and those behind it
        self._open = 0  # calls that are not whole yet
        self._by_id: dict[str, Call] = {}  # the first one of each id that was announced
        self._latest: Call | None = None  # the one that was announced last
        self._closing = False

    @property
    def have_ends(self) -> bool:
        """Whether every call was told to its end (W32)."""
        return all(call.has_end() for call in self._all)

    @property
    def are_whole(self) -> bool:
        """Whether all arguments of all calls came."""
        return not self._open

    def add(self, call: Call) -> Call:
        self._open += 1
        self._all.append(call)
        self._queue.append(call)
        return call

    def ignore(self, call: Call) -> Call:
        """Nothing is said of *call*: it comes too late."""
        call.whole = call.ignored = True
        return call

    def announce(self, call: Call, body: Body) -> None:
        """Take what is known of a call when it begins."""
        call.head(body)
        self._foresee(call, body.get(call.field))
        self._advance()

    def _foresee(self, call: Call, payload: Any) -> None:
        if payload is None or not call.streams or call.payload or call.early is not None or call.done or call.told:
            return
        payload = payload if isinstance(payload, str) else json.encode_text(payload)
        if not call.says_nothing(payload):
            call.early = Early(payload, whole=not call.free_form and is_object(payload))

    def hear(self, call: Call, piece: str) -> None:
        """Take a piece of a call's payload."""
        if call.ignored:
            return
        if call.done or call.told:
            self._report.approximated("tool_calls", "more came for a call that was whole")
        else:
            self._take(call, piece)

    def _take(self, call: Call, piece: str) -> None:
        if call.early is not None:
            said = call.early.hear(piece)
            if said is None:
                return
            piece, call.early = said, None
        call.hear(piece)
        if call.place is not None:
            self._say(call)

    def growing(self, call: Call) -> Grow | None:
        """Return how the next piece of a call's arguments is said, if the client has all that came before."""
        if call.place is None or call.done or call.told or call.early is not None:
            return None
        return self._out.growing_call(call.place)

    def settle(self, call: Call, payload: Any) -> None:
        """An event says that everything of its payload came: what follows is none of it."""
        self._settle(call, payload)
        call.told = bool(call.payload)  # an end without a payload says nothing

    def _settle(self, call: Call, payload: Any) -> None:
        """Everything of its payload came: say what was not streamed."""
        if call.ignored:
            return
        if payload is not None and not isinstance(payload, str):
            payload = json.encode_text(payload)
        if payload and call.says_nothing(payload) and not call.payload:
            call.empty, payload = payload, ""
        if call.early is not None:
            payload, call.early = call.early.with_end(payload), None
        rest = call.payload.rest_of(payload) if payload else ""
        if rest and self._may_grow(call):
            self._take(call, rest)
        elif rest != "":
            self._report.approximated("tool_calls", "what the upstream streamed differs from its finished call")
        if payload and not call.cut:  # else its item may still tell
            self._close(call)
            self._advance()

    def _may_grow(self, call: Call) -> bool:
        """Whether more can be said of a call: clients have read it when the next one begins."""
        if not (call.done or call.whole) or call.is_held():
            return True
        return self._latest is call and (call.free_form or not is_object(call.payload.whole()))

    def _close(self, call: Call) -> None:
        """Nothing is missing of *call*: the turn is that of the next one."""
        if not call.whole:
            call.whole = True
            self._open -= 1

    def finish(self, call: Call, body: Body) -> None:
        """*call* is done, and *body* is all of it. Raises RequestError when it cannot be read."""
        call.head(body)
        if call.streams:
            self._settle(call, body.get(call.field))
            self._tell_earlier(call)
        elif not call.done:
            self._read(call, body)
        self._finish(call, whole=not call.cut)

    def _tell_earlier(self, call: Call) -> None:
        """The one call may have its payload where it is repeated (W31)."""
        earlier = self._earlier(call) if call.payload else None
        if earlier is not None and earlier.is_held() and call.name in ("", earlier.name):
            self._take(earlier, call.payload.whole())

    def close(self, whole: bool) -> None:
        """Nothing more will come; *whole*: the answer was not cut."""
        for call in self._all:
            if call.early is not None:
                self._settle(call, None)
            self._finish(call, whole)
        self._closing = True
        for call in self._all:
            empty = call.empty or ("{}" if whole or call.whole else "")  # clients parse it
            if empty and call.is_held() and not (call.free_form and self._out.has_free_form):
                self._take(call, empty)
        self._advance()

    def _read(self, call: Call, body: Body) -> None:
        """Read a call that does not stream."""
        self._report.emulated("tool_calls", "a function stands in for the built-in tool")
        read = calls.read_call(body, "output")
        call.head({"name": read.name})
        call.hear(read.payload)

    def _finish(self, call: Call, whole: bool) -> None:
        if call.done:
            return
        call.call_id = call.call_id or self._new_id("call")
        call.done = True
        if whole:
            self._close(call)
        elif call.whole:  # its arguments had an end, but it says itself that it has none
            call.whole = False
            self._open += 1
        self._advance()

    def _advance(self) -> None:
        """Give the turn to whom it belongs."""
        while self._queue and self._take_turn(self._queue[0]):
            self._queue.popleft()

    def _take_turn(self, call: Call) -> bool:
        """Let a call speak; return whether it has said everything."""
        if not call.begun and (earlier := self._earlier(call)) is not None:
            if not (call.done or call.whole):
                return False  # it may be that one once more
            if self._repeats(call, earlier):
                return True
        is_held = call.is_held() and not self._closing
        if call.is_ready():
            self._announce(call)
        elif call.done and not is_held:
            self.nameless = True
            self._report.dropped("tool_calls", "a call without a name cannot be made")
        return not is_held and (call.done or (call.begun and call.whole))

    def _earlier(self, call: Call) -> Call | None:
        """Return the call that this one has an id of."""
        earlier = self._by_id.get(call.call_id)
        if earlier is None and isinstance(call.twin, Call) and call.twin.begun:
            earlier = call.twin
        return None if earlier is call else earlier

    def _repeats(self, call: Call, earlier: Call) -> bool:
        """Whether *call* is *earlier* once more (W33): a client would run it twice."""
        payload = call.payload.whole()
        if call.name not in ("", earlier.name) or call.free_form != earlier.free_form:
            return False
        if not (call.says_nothing(payload) or _are_same(payload, earlier.payload)):
            return False
        self._report.approximated("tool_calls", "a call that came twice is made once")
        self._close(call)
        call.ignored = call.begun = True
        return True

    def _announce(self, call: Call) -> None:
        if call.begun:
            return
        call.begun = True
        if call.call_id in self._by_id:
            call.call_id = self._new_id("call")  # two calls of one id: the second gets one of its own
        self._by_id[call.call_id] = self._latest = call
        call.place = self._out.call(call.name, call.call_id, call.free_form, call.payload)
        if call.place is not None:
            self._say(call)

    def _say(self, call: Call) -> None:
        assert call.place is not None
        for piece in call.unsaid():
            self._out.call_piece(call.place, piece)
