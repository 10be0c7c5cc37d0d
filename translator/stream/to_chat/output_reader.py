"""The items of a Response, of any kind: each goes to the reader of its kind (protocol 5.5, R4-R9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import RequestError, UpstreamError
from ...parts import upstream_errors
from ...wire import json, validate
from .calls import CallReader
from .completion import Body, Completion
from .context import CompletionContext
from .item_index import FinishedItem, ItemIndex
from .item_parts import Names, ReceivedItem, kind_of, names_of_item
from .reasoning import ReasoningReader
from .received_call import ReceivedCall
from .text_output import TextOutput
from .texts import MessageReader

TOO_DEEP = "a value that is nested too deeply"
_CHAT_KINDS = ("message", "reasoning", "call")  # what makes up the answer


class OutputReader:
    """Reads items as they begin and when they are done, into *out*."""

    def __init__(self, out: Completion, context: CompletionContext) -> None:
        self.broken: str | None = None
        """What could not be read, if there was anything."""
        self.error: UpstreamError | None = None
        """The upstream's own error, if an item has one."""
        inner = context.context
        text_output = TextOutput(out, context.stops)
        self.items: ItemIndex = ItemIndex()
        self.reasoning: ReasoningReader = ReasoningReader(self.items, text_output, inner)
        aside = self.reasoning.queue if inner.profile.reasoning_expose != "off" else None
        self.messages: MessageReader = MessageReader(self.items, text_output, inner, aside, context.has_format)
        self.calls: CallReader = CallReader(self.items, out, inner.report, context.new_id)
        self._out = out
        self._report = inner.report
        self._text_output = text_output

    # how it stands

    def is_empty(self) -> bool:
        return not self.items.all

    def is_done(self) -> bool:
        """Whether every item is done, and there is one."""
        return bool(self.items.all) and all(item.done for item in self.items.all)

    def is_cut(self) -> bool:
        """Whether an item says that it is not all that it should have been."""
        return True in [item.cut for item in self.items.all]

    def mark_broken(self, what: str) -> None:
        """Something cannot be read: what it said is lost."""
        self.broken = self.broken or f"The upstream sent {what}."

    # items

    def announce(self, body: Body, index: Any) -> None:
        """An item begins."""
        kind, names = kind_of(body), names_of_item(body)
        item = self.items.find_announced(kind, index, names)
        if item is None and kind == "call" and self.items.is_over(kind, index, names):
            self._report.approximated(
                "tool_calls", "a call was announced again after its end"
            )  # it would be made twice
            return
        if item is None:
            item = self._begin(kind, body, index, names)
        item.announce()
        if isinstance(item, ReceivedCall):
            self.items.add_names(item, names)
            self.calls.announce(item, body)
        elif kind == "message":
            self.messages.announce(item, body)
        elif kind == "reasoning":
            self.reasoning.announce(item, body)

    def finish(self, body: Body, index: Any, item_id: Any) -> None:
        """An item is done."""
        kind, text = kind_of(body), _text_of(body)
        item = self.items.find(kind, index, names_of_item(body, item_id), lambda item: item.begins(text))
        if item is None or not item.done:
            self._finish(kind, body, item, index)
        else:
            self._report.approximated("message", "an item ended more than once")  # the answer may repeat it yet

    def read_output(self, output: Any, text: Any) -> None:
        """Take a whole output, or the text that stands for it: send what was not streamed."""
        members = output if isinstance(output, list) else []
        bodies = [body for body in members if isinstance(body, dict)]
        if len(bodies) < len(members):
            self._report.dropped("message", f"chat has no equivalent of {validate.safe_token(None)}")
        if not bodies and not self.items.all and text and isinstance(text, str):
            bodies = [{"type": "output_text", "text": text}]
        known: list[ReceivedItem | None] = [None] * len(bodies)
        if self.items.all:
            known = self.items.match(
                [FinishedItem(kind_of(body), names_of_item(body), _text_of(body)) for body in bodies]
            )
        for body, item in zip(bodies, known, strict=True):
            if item is not None or not self._out.stopped:  # what began before a stop sequence is read to its end
                self._finish(kind_of(body), body, item, None)

    def flush(self, whole: bool) -> None:
        """Nothing more will come: send all that waited; *whole*: the answer was not cut."""
        self.reasoning.queue.close()
        self.messages.queue.close()
        self._text_output.release()
        self.calls.close(whole)
        for item in self.items.all:
            if not (item.done or item.kind in _CHAT_KINDS):
                self._report.dropped(
                    "message", f"chat has no equivalent of {validate.safe_token(item.kind)}"
                )  # it began and never ended

    def _begin(self, kind: str, body: Body, index: Any, names: Names) -> ReceivedItem:
        """Return a new item; it stands behind those of its kind."""
        if kind == "call":
            return self.calls.begin(body, index, names)
        if kind == "message":
            return self.messages.begin(body, index, names)
        if kind == "reasoning":
            return self.reasoning.begin(index, names)
        item = ReceivedItem(kind)
        self.items.add(item, index, names)
        return item

    # whole items

    def _finish(self, kind: str, body: Body, item: ReceivedItem | None, index: Any) -> None:
        """An item is done: send what was not streamed of it."""
        names = names_of_item(body)
        if item is None:
            item = self._begin(kind, body, index, names)
        else:
            self.items.add_names(item, names)
        if kind in _CHAT_KINDS:  # tools that the server runs may fail
            item.set_cut(body.get("status") == "incomplete")
            self.error = self.error or upstream_errors.of_item(body)
        FINISHERS.get(kind, OutputReader._finish_other)(self, item, body)
        item.finish()
        self.messages.queue.advance()
        self.reasoning.queue.advance()
        if kind == "reasoning" and item.listed:
            self._out.send_lists()

    def _finish_message(self, item: ReceivedItem, body: Body) -> None:
        self.messages.finish(item, body)

    def _finish_reasoning(self, item: ReceivedItem, body: Body) -> None:
        if not self.reasoning.finish(item, body):
            self.mark_broken(TOO_DEEP)

    def _finish_call(self, item: ReceivedItem, body: Body) -> None:
        assert isinstance(item, ReceivedCall)
        if json.is_deep(body):
            self.mark_broken(TOO_DEEP)
            return
        try:
            self.calls.finish(item, body)
        except RequestError:
            self.mark_broken("a tool call that cannot be read")

    def _finish_other(self, item: ReceivedItem, body: Body) -> None:
        self._report.dropped("message", f"chat has no equivalent of {validate.safe_token(body.get('type'))}")

    def _finish_image(self, item: ReceivedItem, body: Body) -> None:
        result, form = body.get("result"), body.get("output_format")
        if not (result and isinstance(result, str)):
            self._finish_other(item, body)
            return
        url = f"data:image/{form if form in ('jpeg', 'webp') else 'png'};base64,{result}"
        if not item.listed:
            item.mark_listed()
            self._out.add_to_list("images", {"type": "image_url", "image_url": {"url": url}})
        self._report.approximated("images", "chat answers have no images; some clients read `images`")


def _text_of(body: Body) -> str | None:
    """Return all of an item, as `ReceivedItem.received_text` has it: what tells it from others where names do not."""
    for field in ("arguments", "input", "text", "refusal", "content", "summary"):
        text = body.get(field)
        if isinstance(text, list):
            parts = [part for part in text if isinstance(part, dict)]
            text = "".join([t for part in parts if isinstance(t := part.get("text", part.get("refusal")), str)])
        if text and isinstance(text, str):
            return text
    return None


FINISHERS: dict[str, Callable[[OutputReader, ReceivedItem, Body], None]] = {
    "message": OutputReader._finish_message,
    "reasoning": OutputReader._finish_reasoning,
    "call": OutputReader._finish_call,
    "image_generation_call": OutputReader._finish_image,
}
