"""The calls of a Response that the client runs: each is announced when its name and its id are known (protocol 5.5)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ..losses import Report
from ..parts import calls, tools
from ..wire import json
from .completion import Completion
from .pieces import Grow, Pieces
from .readings import Item

Body = dict[str, Any]


class Call(Item):
    """One call. A function or a free-form tool streams its payload; any other kind is read when it is done."""

    def __init__(self, kind: str) -> None:
        super().__init__("call")
        self.free_form = kind == "custom_tool_call"
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
        self._unsaid: list[str] = []

    def head(self, body: Body) -> None:
        """Learn who is called; the first word counts."""
        name, call_id, namespace = (body.get(key) for key in ("name", "call_id", "namespace"))
        if name and isinstance(name, str) and not self.name:
            self.name = tools.flatten(name, namespace if isinstance(namespace, str) else None)
        if isinstance(call_id, str):
            self.call_id = self.call_id or call_id

    def is_ready(self) -> bool:
        return bool(self.name and self.call_id)

    def hear(self, piece: str) -> None:
        self.payload.add(piece)
        self._unsaid.append(piece)

    def unsaid(self) -> list[str]:
        """The pieces that the client does not have yet."""
        pieces, self._unsaid = self._unsaid, []
        return pieces


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
        self._ids: set[str] = set()

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
        self._advance()

    def hear(self, call: Call, piece: str) -> None:
        """Take a piece of a call's payload."""
        if call.ignored:
            return
        if call.done or call.told:
            self._report.approximated("tool_calls", "more came for a call that was whole")
        else:
            self._take(call, piece)

    def _take(self, call: Call, piece: str) -> None:
        call.hear(piece)
        if call.place is not None:
            self._say(call)

    def growing(self, call: Call) -> Grow | None:
        """Return how the next piece of a call's arguments is said, if the client has all that came before."""
        if call.place is None or call.done or call.told:
            return None
        return self._out.growing_call(call.place)

    def settle(self, call: Call, payload: Any) -> None:
        """An event says that everything of its payload came: what follows is none of it."""
        self._settle(call, payload)
        call.told = True

    def _settle(self, call: Call, payload: Any) -> None:
        """Everything of its payload came: say what was not streamed."""
        if call.ignored:
            return
        if payload is not None and not isinstance(payload, str):
            payload = json.encode_text(payload)
        rest = call.payload.rest_of(payload) if payload else ""
        if rest and not (call.done or call.whole):
            self._take(call, rest)
        elif rest != "":
            self._report.approximated("tool_calls", "what the upstream streamed differs from its finished call")
        if payload and not call.cut:  # else its item may still tell
            self._close(call)
            self._advance()

    def _close(self, call: Call) -> None:
        """Nothing is missing of *call*: the turn is that of the next one."""
        if not call.whole:
            call.whole = True
            self._open -= 1

    def finish(self, call: Call, body: Body) -> None:
        """*call* is done, and *body* is all of it. Raises BadRequest when it cannot be read."""
        call.head(body)
        if call.streams:
            self._settle(call, body.get("input" if call.free_form else "arguments"))
        elif not call.done:
            self._read(call, body)
        self._finish(call, whole=not call.cut)

    def close(self, whole: bool) -> None:
        """Nothing more will come; *whole*: the answer was not cut."""
        for call in self._all:
            self._finish(call, whole)

    def _read(self, call: Call, body: Body) -> None:
        """Read a call that does not stream."""
        self._report.emulated("tool_calls", "a function stands in for the built-in tool")
        read = calls.read_call(body, "output")
        call.head({"name": read.name})
        call.hear(read.payload)

    def _finish(self, call: Call, whole: bool) -> None:
        if call.done:
            return
        if whole and not (call.free_form and self._out.has_free_form) and not call.payload.whole().strip():
            self._take(call, "{}")  # clients parse it
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
        while self._queue:
            call = self._queue[0]
            if call.is_ready():
                self._announce(call)
            elif call.done:
                self.nameless = True
                self._report.dropped("tool_calls", "a call without a name cannot be made")
            if not (call.done or (call.begun and call.whole)):
                return
            self._queue.popleft()

    def _announce(self, call: Call) -> None:
        if call.begun:
            return
        call.begun = True
        if call.call_id in self._ids:
            call.call_id = self._new_id("call")  # two calls of one id: the second gets one of its own
        self._ids.add(call.call_id)
        call.place = self._out.call(call.name, call.call_id, call.free_form, call.payload)
        if call.place is not None:
            self._say(call)

    def _say(self, call: Call) -> None:
        assert call.place is not None
        for piece in call.unsaid():
            self._out.call_piece(call.place, piece)
