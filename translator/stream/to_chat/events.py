"""What events say of the items of a Response, whole or in pieces: each goes to the reader of its kind (5.5, R4-R9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...context import Context
from ...errors import RequestError, UpstreamError
from ...parts import upstream_errors
from ...wire import json, validate
from ..growing import Grow
from .calls import Call, Calls
from .completion import Body, Completion
from .item_index import Finished, Fits, Items
from .item_parts import TEXTS, Item, kind_of, names_of_item
from .texts import Messages, Thoughts
from .turn_order import Speech


class Listener:
    """Hears items; what they say comes out of *out*, texts up to one of the *stops*."""

    def __init__(
        self,
        out: Completion,
        context: Context,
        stops: tuple[str, ...],
        new_id: Callable[[str], str],
        formatted: bool = False,
    ) -> None:
        self.broken: str | None = None
        """What could not be read, if there was anything."""
        self.error: UpstreamError | None = None
        """The upstream's own error, if an item has one."""
        self.last: Body | None = None
        """The event that was heard last."""
        self._out = out
        self._report = context.report
        self._speech = Speech(out, stops)
        self._items = Items(self._make)
        self._messages = Messages(self._items, self._speech, context)
        self._thoughts = Thoughts(self._items, self._speech, context, self.garbled)
        self._formatted = formatted
        self._shows_thoughts = context.profile.reasoning_expose != "off"
        self._messages.show_aside(self._thoughts.line if self._shows_thoughts else None)
        out.collect = self._collect
        self._calls = Calls(out, context.report, new_id)

    @property
    def stopped(self) -> bool:
        """Whether a stop sequence came."""
        return self._speech.stopped

    @property
    def is_empty(self) -> bool:
        return not self._items.all

    @property
    def are_whole(self) -> bool:
        """Whether every item is done, and there is one."""
        return bool(self._items.all) and all(item.done for item in self._items.all)

    @property
    def is_cut(self) -> bool:
        """Whether an item says that it is not all that it should have been."""
        return any(item.cut for item in self._items.all)

    @property
    def has_whole_calls(self) -> bool:
        """Whether no call stops in the middle of its arguments."""
        return self._calls.are_whole

    @property
    def calls_have_ends(self) -> bool:
        """Whether every call was told to its end."""
        return self._calls.have_ends

    @property
    def is_nameless(self) -> bool:
        """Whether there is a call of which nobody said what is called."""
        return self._calls.nameless

    def garbled(self, what: str) -> None:
        """Something cannot be read: what it said is lost."""
        self.broken = self.broken or f"The upstream sent {what}."

    def hear(self, event: Body) -> bool:
        """Take an event; return whether it is one of those that are about items."""
        self.last = event
        kind = event.get("type")
        take = EVENTS.get(kind) if isinstance(kind, str) else None
        if take is not Listener._text:
            self._messages.look_up()
        if take is not None:
            take(self, event)
        return take is not None

    def growing(self) -> Grow | None:
        """Return how another piece of what the last event was about is said; None where that takes a look at it."""
        event = self.last or {}
        kind = event.get("type")
        find = GROWING.get(kind) if isinstance(kind, str) else None
        return find(self, event) if find else None

    def add_tokens(self, encoded: bytes) -> None:
        """Take the tokens, as JSON, of another piece of the text that grows."""
        self._messages.add_tokens(encoded)

    def _growing_text(self, event: Body) -> Grow | None:
        return self._messages.growing()

    def _growing_thought(self, event: Body) -> Grow | None:
        return self._thoughts.growing()

    def _growing_payload(self, event: Body) -> Grow | None:
        delta = event.get("delta")
        return self._calls.growing(self._call_of(event)) if delta and isinstance(delta, str) else None

    def hear_output(self, output: Any, text: Any) -> None:
        """Take a whole output, or the text that stands for it: say what was not streamed."""
        given = output if isinstance(output, list) else []
        bodies = [body for body in given if isinstance(body, dict)]
        if len(bodies) < len(given):
            self._report.dropped("message", f"chat has no {validate.safe_token(None)}")
        if not bodies and self.is_empty and text and isinstance(text, str):
            bodies = [{"type": "output_text", "text": text}]
        known = self._items.matched([Finished(kind_of(body), names_of_item(body), _all_of(body)) for body in bodies])
        for body, item in zip(bodies, known, strict=True):
            if item is not None or not self.stopped:  # what began before a stop sequence is told to its end
                self._whole_item(body, item, None)

    def flush(self, whole: bool) -> None:
        """Nothing more will come: say all that waited; *whole*: the answer was not cut."""
        self._thoughts.line.close()
        self._messages.line.close()
        self._speech.release()
        self._calls.close(whole)
        for item in self._items.all:
            if not (item.done or item.kind in _SAID):
                self._report.dropped(
                    "message", f"chat has no {validate.safe_token(item.kind)}"
                )  # it began and never ended

    def _collect(self) -> None:
        self._messages.add_citations()
        self._thoughts.add_details()

    # events

    def _delta(self, event: Body) -> str:
        delta = event.get("delta")
        if isinstance(delta, str):
            return delta
        self.garbled("a delta that is not text")
        return ""

    def _text(self, event: Body) -> None:
        delta = event.get("delta")
        if isinstance(delta, str):
            self._messages.text(event, delta)
        else:
            self._messages.look_up()  # nothing grows at the place that it names
            self._delta(event)

    def _refusal(self, event: Body) -> None:
        self._messages.refusal(event, self._delta(event))

    def _text_done(self, event: Body) -> None:
        self._messages.told(event, {**event, "type": "output_text"})

    def _refusal_done(self, event: Body) -> None:
        self._messages.told(event, {**event, "type": "refusal"})

    def _annotation(self, event: Body) -> None:
        self._messages.cite(event)

    def _content(self, event: Body) -> None:
        self._thoughts.text("content", event, self._delta(event))

    def _content_done(self, event: Body) -> None:
        self._thoughts.told("content", event, event.get("text"))

    def _summary(self, event: Body) -> None:
        self._thoughts.text("summary", event, self._delta(event))

    def _summary_done(self, event: Body) -> None:
        self._thoughts.told("summary", event, event.get("text"))

    def _part_added(self, event: Body) -> None:
        kind, part = self._part_of(event)
        if kind in TEXTS:
            self._messages.foresee(event, part)
        elif kind in _THOUGHTS:
            self._thoughts.foresee(_THOUGHTS[kind], event, part.get("text"))

    def _part_done(self, event: Body) -> None:
        kind, part = self._part_of(event)
        if kind in TEXTS:
            self._messages.told(event, part)
        elif kind in _THOUGHTS:
            self._thoughts.told(_THOUGHTS[kind], event, part.get("text"))

    def _part_of(self, event: Body) -> tuple[str, Body]:
        """Return the type of a part, and the part; what is in a reasoning item is a thought, whatever it is called."""
        part = event.get("part")
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(kind, str):
            return "", {}
        if kind in TEXTS and self._items.is_named(event, "reasoning") and not self._items.is_named(event, "message"):
            kind = "reasoning_text"
        return kind, part

    def _call_delta(self, event: Body) -> None:
        if piece := self._delta(event):
            self._calls.hear(self._call_of(event), piece)

    def _call_done(self, event: Body) -> None:
        if json.is_deep(event):
            self.garbled(_DEEP)
            return
        payload = event.get("input") if event.get("arguments") is None else event["arguments"]
        call = self._call_of(event, lambda item: item.begins(payload))
        self._calls.settle(call, payload)

    def _call_of(self, event: Body, fits: Fits | None = None) -> Call:
        free_form = event["type"].startswith("response.custom")
        call = self._items.of(event, "call", "custom_tool_call" if free_form else "function_call", fits)
        assert isinstance(call, Call)
        return call

    def _item_added(self, event: Body) -> None:
        body = event.get("item")
        if not isinstance(body, dict):
            return
        kind, index = kind_of(body), validate.list_index(event.get("output_index"))
        names = names_of_item(body)
        item = self._items.announced(kind, index, names)
        if item is None and kind == "call" and self._items.is_over(kind, index, names):
            self._report.approximated("tool_calls", "a call began again after its end")  # it would be made twice
            return
        if item is None:
            item = self._items.begin(kind, body, index, names)
        item.announced = True
        if isinstance(item, Call):
            self._items.name(item, names)
            self._calls.announce(item, body)
        elif kind == "message":
            self._messages.foresee_all(item, body)
        elif kind == "reasoning":
            self._thoughts.foresee_all(item, body)

    def _item_done(self, event: Body) -> None:
        body, index = event.get("item"), validate.list_index(event.get("output_index"))
        if isinstance(body, dict):
            names, text = names_of_item(body, event.get("item_id")), _all_of(body)
            item = self._items.find(kind_of(body), index, names, lambda item: item.begins(text))
            if item is None or not item.done:
                self._whole_item(body, item, index)
            else:
                self._report.approximated("message", "an item ended more than once")  # the answer may repeat it yet

    def _audio(self, event: Body) -> None:
        self._report.dropped("audio", "what a Response says aloud stays behind")

    # whole items

    def _make(self, kind: str, body: Body) -> Item:
        """Return a new item; it stands behind those of its kind."""
        if kind == "call":
            return (self._calls.ignore if self.stopped else self._calls.add)(Call(str(body.get("type"))))
        item = Item(kind)
        if kind == "message":
            item.aside = self._formatted and body.get("phase") == "commentary"
            if item.aside:
                self._report_aside()
            self._messages.add(item)
        elif kind == "reasoning":
            self._thoughts.add(item)
        return item

    def _report_aside(self) -> None:
        """W35: who asks for a format reads the whole content as JSON."""
        if self._shows_thoughts:
            self._report.approximated("content", "commentary is shown as reasoning: the content has a format")
        else:
            self._report.dropped("content", "commentary is not shown: the content has a format")

    def _whole_item(self, body: Body, item: Item | None, index: Any) -> None:
        """An item is done: say what was not streamed of it."""
        kind, names = kind_of(body), names_of_item(body)
        if item is None:
            item = self._items.begin(kind, body, index, names)
        self._items.name(item, names)
        if kind in _SAID:  # tools that the server runs may fail
            item.cut = body.get("status") == "incomplete"
            self.error = self.error or upstream_errors.of_item(body)
        WHOLE.get(kind, Listener._whole_other)(self, item, body)
        item.done = True
        self._messages.line.advance()
        self._thoughts.line.advance()
        if kind == "reasoning" and item.listed:
            self._out.show_lists()

    def _whole_message(self, item: Item, body: Body) -> None:
        self._messages.whole(item, body)

    def _whole_reasoning(self, item: Item, body: Body) -> None:
        self._thoughts.whole(item, body)

    def _whole_call(self, item: Item, body: Body) -> None:
        assert isinstance(item, Call)
        if json.is_deep(body):
            self.garbled(_DEEP)
            return
        try:
            self._calls.finish(item, body)
        except RequestError:
            self.garbled("a tool call that cannot be read")

    def _whole_other(self, item: Item, body: Body) -> None:
        self._report.dropped("message", f"chat has no {validate.safe_token(body.get('type'))}")

    def _whole_image(self, item: Item, body: Body) -> None:
        result, form = body.get("result"), body.get("output_format")
        if not (result and isinstance(result, str)):
            self._whole_other(item, body)
            return
        url = f"data:image/{form if form in ('jpeg', 'webp') else 'png'};base64,{result}"
        if not item.listed:
            item.listed = True
            self._out.add("images", {"type": "image_url", "image_url": {"url": url}})
        self._report.approximated("images", "chat has no images in answers; some clients know `images`")


def _all_of(body: Body) -> str | None:
    """All that an item says, as `Item.heard` has it: what tells it from others where names do not."""
    for field in ("arguments", "input", "text", "refusal", "content", "summary"):
        told = body.get(field)
        if isinstance(told, list):
            parts = [part for part in told if isinstance(part, dict)]
            told = "".join(t for part in parts if isinstance(t := part.get("text", part.get("refusal")), str))
        if told and isinstance(told, str):
            return told
    return None


_SAID = ("message", "reasoning", "call")  # what makes up the answer
_DEEP = "a value that is nested too deeply"
_THOUGHTS = {"reasoning_text": "content", "summary_text": "summary"}

WHOLE: dict[str, Callable[[Listener, Any, Body], None]] = {
    "message": Listener._whole_message,
    "reasoning": Listener._whole_reasoning,
    "call": Listener._whole_call,
    "image_generation_call": Listener._whole_image,
}

EVENTS: dict[str, Callable[[Listener, Body], None]] = {
    "response.output_item.added": Listener._item_added,
    "response.output_item.done": Listener._item_done,
    **dict.fromkeys(
        ("response.content_part.added", "response.reasoning_summary_part.added", "response.reasoning_part.added"),
        Listener._part_added,
    ),
    **dict.fromkeys(
        ("response.content_part.done", "response.reasoning_summary_part.done", "response.reasoning_part.done"),
        Listener._part_done,
    ),
    "response.output_text.delta": Listener._text,
    "response.output_text.done": Listener._text_done,
    "response.output_text.annotation.added": Listener._annotation,
    "response.refusal.delta": Listener._refusal,
    "response.refusal.done": Listener._refusal_done,
    **dict.fromkeys(("response.reasoning_text.delta", "response.reasoning.delta"), Listener._content),  # R9
    **dict.fromkeys(("response.reasoning_text.done", "response.reasoning.done"), Listener._content_done),
    "response.reasoning_summary_text.delta": Listener._summary,
    "response.reasoning_summary_text.done": Listener._summary_done,
    "response.function_call_arguments.delta": Listener._call_delta,
    "response.function_call_arguments.done": Listener._call_done,
    "response.custom_tool_call_input.delta": Listener._call_delta,
    "response.custom_tool_call_input.done": Listener._call_done,
    **dict.fromkeys(("response.audio.delta", "response.audio.transcript.delta"), Listener._audio),
}

GROWING: dict[str, Callable[[Listener, Body], Grow | None]] = {
    "response.output_text.delta": Listener._growing_text,
    **dict.fromkeys(
        ("response.reasoning_text.delta", "response.reasoning.delta", "response.reasoning_summary_text.delta"),
        Listener._growing_thought,
    ),
    **dict.fromkeys(
        ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"), Listener._growing_payload
    ),
}
