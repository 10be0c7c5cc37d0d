"""The calls of a Response that the client runs: each is sent once its name and id are known (protocol 5.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...losses import Report
from ...parts import calls
from ...wire.validate import list_index
from ..growing import ChunkWriter
from .completion import Completion
from .item_index import Fits, ItemIndex
from .item_parts import Body, Names, names_of_event
from .received_call import ReceivedCall, is_object
from .turn_order import TurnQueue


class CallReader(TurnQueue[ReceivedCall]):
    """The calls of one answer. They take turns in the order in which they began.

    Clients read a call when the next one begins (the SDKs parse its arguments then), so a call that is interleaved with
    an earlier one waits until that one is complete.
    """

    def __init__(self, items: ItemIndex, out: Completion, report: Report, new_id: Callable[[str], str]) -> None:
        super().__init__()
        self.is_nameless: bool = False
        """Whether there is a call without a name."""
        self._items = items
        self._out = out
        self._report = report
        self._new_id = new_id
        self._all: list[ReceivedCall] = []
        self._open = 0  # calls that are not whole yet
        self._by_id: dict[str, ReceivedCall] = {}  # the first one of each id that was sent
        self._latest: ReceivedCall | None = None  # the one that was sent last
        self._closing = False

    def are_whole(self) -> bool:
        """Whether all arguments of all calls came."""
        return not self._open

    def are_complete(self) -> bool:
        """Whether the end of every call came (W32)."""
        return all(map(ReceivedCall.is_complete, self._all))

    def begin(self, body: Body, index: Any, names: Names) -> ReceivedCall:
        """Return a new call; its turn is behind those that are there."""
        call = ReceivedCall(str(body.get("type")))
        if self._out.stopped:
            call.ignore()  # it comes too late
        else:
            self._open += 1
            self._all.append(call)
            self._queue.append(call)
        self._items.add(call, index, names)
        return call

    def call_of(self, event: Body, fits: Fits | None = None) -> ReceivedCall:
        """Return the call that an event about its payload means; it may never have been announced."""
        call = self._items.item_of(event, "call", fits)
        if call is None:
            free_form = event["type"].startswith("response.custom")
            body = {"type": "custom_tool_call" if free_form else "function_call"}
            return self.begin(body, list_index(event.get("output_index")), names_of_event(event))
        assert isinstance(call, ReceivedCall)
        return call

    def announce(self, call: ReceivedCall, body: Body) -> None:
        """Take what is known of a call when it begins."""
        call.read_head(body)
        call.announce_payload(body.get(call.field))
        self.advance()

    def add(self, call: ReceivedCall, piece: str) -> None:
        """Take a piece of a call's payload."""
        if call.ignored:
            return
        if call.done or call.has_end:
            self._report.approximated("tool_calls", "more data arrived for a call that was already complete")
        else:
            self._add(call, piece)

    def appender(self, call: ReceivedCall) -> ChunkWriter | None:
        """Return what sends the next piece of a call's payload, if the client has all that came before."""
        if call.entry is None or call.done or call.has_end or call.early is not None:
            return None
        return self._out.call_appender(call.entry)

    def end_payload(self, call: ReceivedCall, payload: Any) -> None:
        """An event says that everything of a call's payload came: what follows is none of it."""
        self._finish_payload(call, payload)
        call.end_payload()

    def finish(self, call: ReceivedCall, body: Body) -> None:
        """*call* is done, and *body* is all of it. Raises RequestError when it cannot be read."""
        call.read_head(body)
        if call.streams:
            self._finish_payload(call, body.get(call.field))
            self._complete_earlier(call)
        elif not call.done:
            self._read(call, body)
        self._finish(call, whole=not call.cut)

    def close(self, whole: bool) -> None:
        """Nothing more will come; *whole*: the answer was not cut."""
        for call in self._all:
            if call.early is not None:
                self._finish_payload(call, None)
            self._finish(call, whole)
        self._closing = True
        for call in self._all:
            payload = call.placeholder or ("{}" if whole or call.whole else "")  # clients parse it
            if payload and call.is_held() and (self._out.legacy or not call.free_form):
                self._add(call, payload)
        self.advance()

    def _add(self, call: ReceivedCall, piece: str) -> None:
        call.add(piece)
        if call.entry is not None:
            for unsent in call.take_unsent():
                self._out.add_to_call(call.entry, unsent)

    def _finish_payload(self, call: ReceivedCall, payload: Any) -> None:
        """Everything of its payload came: send what was not streamed."""
        if call.ignored:
            return
        text = call.whole_payload(payload)
        rest = call.payload.rest_of(text) if text else ""
        if rest and self._may_grow(call):
            self._add(call, rest)
        elif rest != "":
            self._report.approximated("tool_calls", "the finished call differs from the streamed one")
        if text and not call.cut:  # else its item may still tell
            self._close(call)
            self.advance()

    def _may_grow(self, call: ReceivedCall) -> bool:
        """Whether more can be sent of a call: clients have read it when the next one begins."""
        if not (call.done or call.whole) or call.is_held():
            return True
        return self._latest is call and (call.free_form or not is_object(call.payload.whole()))

    def _close(self, call: ReceivedCall) -> None:
        """Nothing is missing of *call*: the turn is that of the next one."""
        if not call.whole:
            call.set_whole(True)
            self._open -= 1

    def _complete_earlier(self, call: ReceivedCall) -> None:
        """The one call may have its payload where it is repeated (W31)."""
        earlier = self._earlier(call) if call.payload else None
        if earlier is not None and earlier.is_held() and call.name in ("", earlier.name):
            self._add(earlier, call.payload.whole())

    def _read(self, call: ReceivedCall, body: Body) -> None:
        """Read a call that does not stream."""
        self._report.emulated("tool_calls", "the built-in call is returned as a function call")
        read = calls.read_call(body, "output")
        call.read_head({"name": read.name})
        call.add(read.payload)

    def _finish(self, call: ReceivedCall, whole: bool) -> None:
        if call.done:
            return
        call.finish()
        if not call.call_id:
            call.set_id(self._new_id("call"))
        if whole:
            self._close(call)
        elif call.whole:  # its arguments had an end, but it says itself that it has none
            call.set_whole(False)
            self._open += 1
        self.advance()

    def _take_turn(self, member: ReceivedCall) -> bool:
        """Let a call send what it has; return whether that was everything."""
        if not member.begun and (earlier := self._earlier(member)) is not None:
            if not (member.done or member.whole):
                return False  # it may be that one once more
            if member.repeats(earlier):  # a client would run it twice
                self._report.approximated("tool_calls", "the call came twice; it is passed on once")
                self._close(member)
                member.ignore()
                return True
        is_held = member.is_held() and not self._closing
        if member.name and member.call_id:
            self._send(member)
        elif member.done and not is_held:
            self.is_nameless = True
            self._report.dropped("tool_calls", "a call without a name cannot be made")
        return not is_held and (member.done or (member.begun and member.whole))

    def _earlier(self, call: ReceivedCall) -> ReceivedCall | None:
        """Return the call that this one has an id of."""
        earlier = self._by_id.get(call.call_id)
        if earlier is None and isinstance(call.namesake, ReceivedCall) and call.namesake.begun:
            earlier = call.namesake
        return None if earlier is call else earlier

    def _send(self, call: ReceivedCall) -> None:
        """Send the head of a call, and what came of it."""
        if call.begun:
            return
        if call.call_id in self._by_id:
            call.set_id(self._new_id("call"))  # two calls of one id: the second gets one of its own
        self._by_id[call.call_id] = self._latest = call
        entry = self._out.add_call(call.name, call.call_id, call.free_form, call.payload)
        call.begin(entry)
        if entry is not None:
            for piece in call.take_unsent():
                self._out.add_to_call(entry, piece)
