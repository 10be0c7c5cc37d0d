"""The events of messages: texts, refusals and their annotations (protocol 5.5, R5)."""

from __future__ import annotations

from typing import Any, TypeGuard

from ...context import Context
from ...parts import logprobs
from ...wire import validate
from ...wire.validate import list_index
from ..growing import ChunkWriter
from .item_index import Fits, ItemIndex
from .item_parts import TEXTS, Body, Names, ReceivedItem, names_of_event
from .received_part import ReceivedPart, Tokens
from .text_output import TextOutput
from .text_queue import TextQueue

_TEXT_FIELDS = {"output_text": "text", "text": "text", "refusal": "refusal"}  # the field of a part that has its text


class MessageReader:
    """Reads messages. If the content *has_format*, commentary goes to the queue *aside*; None: it is left out."""

    def __init__(
        self,
        items: ItemIndex,
        output: TextOutput,
        context: Context,
        aside: TextQueue | None = None,
        has_format: bool = False,
    ) -> None:
        self.queue: TextQueue = TextQueue(output, context.report, context.profile.message_separator, "")
        self._aside = aside
        self._has_format = has_format
        self._items = items
        self._output = output
        self._report = context.report
        self._item: ReceivedItem | None = None  # of the text that grows
        self._part: ReceivedPart | None = None
        self._address: tuple[Any, ...] | None = None

    def begin(self, body: Body, index: Any, names: Names) -> ReceivedItem:
        """Return a new message; its turn is behind those that are there."""
        item = ReceivedItem("message", self._has_format and body.get("phase") == "commentary")
        if item.is_commentary:
            self._report_commentary()
        if (queue := self._queue_of(item)) is not None:
            queue.add(item)
        self._items.add(item, index, names)
        return item

    def _report_commentary(self) -> None:
        """W35: who asks for a format reads the whole content as JSON."""
        if self._aside is not None:
            self._report.approximated("content", "commentary is shown as reasoning, because the content has a format")
        else:
            self._report.dropped("content", "commentary is left out, because the content has a format")

    def _queue_of(self, item: ReceivedItem) -> TextQueue | None:
        return self._aside if item.is_commentary else self.queue

    def _item_of(self, event: Body, fits: Fits | None = None) -> ReceivedItem:
        item = self._items.item_of(event, "message", fits)
        return item or self.begin({}, list_index(event.get("output_index")), names_of_event(event))

    # pieces

    def add_text(self, event: Body, delta: str) -> None:
        """Take a piece of text; nearly every event of a stream is one, so the next one of a text is quick."""
        address = (event.get("output_index"), event.get("item_id"), event.get("content_index"))
        item, part = self._item, self._part
        if item is None or part is None or address != self._address:
            item = self._item = self._item_of(event)
            part = self._part = item.part(_field(item, "content"), list_index(address[2]))
            self._address = address
        encoded = event.get("logprobs")
        tokens = logprobs.to_chat(encoded) if encoded else []
        if self._output.stops is None and delta and self.queue.is_current(item, part):
            if tokens:
                part.mark_tokens()
            part.text.add(delta)
            self._output.out.add_text(delta, tokens, part.text)
        elif delta or tokens:
            self._feed(item, part, delta, tokens)

    def add_refusal(self, event: Body, delta: str) -> None:
        """Take a piece of a refusal."""
        if delta:
            item = self._item_of(event)
            self._feed(item, item.part("refusal", list_index(event.get("content_index"))), delta, [])

    def appender(self) -> ChunkWriter | None:
        """Return what sends the next piece of the text that grows, if nothing has to be looked for in it."""
        item, part = self._item, self._part
        if item is None or part is None or self._output.stops is not None or not self.queue.is_current(item, part):
            return None
        return self._output.out.text_appender(part.field, part.text)

    def add_tokens(self, encoded: bytes) -> None:
        """Take the tokens of a piece of the text that grows, which was sent."""
        assert self._part is not None
        self._part.mark_tokens()
        self._output.out.tokens.add(encoded)

    def forget_address(self) -> None:
        """Something else came: the next piece may belong elsewhere, whatever it says."""
        self._part = None

    def _feed(self, item: ReceivedItem, part: ReceivedPart, piece: str, tokens: Tokens) -> None:
        if (queue := self._queue_of(item)) is not None:
            queue.feed(item, part, piece, tokens)

    # beginnings

    def announce_part(self, event: Body, body: Body) -> None:
        """A part is announced, perhaps with its text (W31)."""
        field, text = TEXTS[body["type"]], body.get(_TEXT_FIELDS[body["type"]])
        item = self._item_of(event) if text else self._items.item_of(event, "message")
        if item is not None:
            index = list_index(event.get("content_index"))
            item.announce_part(_field(item, field), index)
            self._announce_text(item, field, index, text)

    def announce(self, item: ReceivedItem, body: Body) -> None:
        """A message is announced, perhaps with its parts."""
        for index, part in self._parts(body):
            self._announce_text(item, TEXTS[part["type"]], index, part.get(_TEXT_FIELDS[part["type"]]))

    def _announce_text(self, item: ReceivedItem, field: str, index: Any, text: Any) -> None:
        queue = self._queue_of(item)
        if text and queue is not None:
            queue.announce(item, item.part(_field(item, field), index), text)

    # ends

    def finish_part(self, event: Body, body: Body) -> None:
        """A part is whole."""
        text, field = body.get(_TEXT_FIELDS[body["type"]]), TEXTS[body["type"]]
        item = self._item_of(event, fits=lambda item: item.may_end_with(_field(item, field), text))
        part = item.whole_part(_field(item, field), list_index(event.get("content_index")), text)
        self._finish_part(item, part, body, text)

    def cite(self, event: Body) -> None:
        """Take an annotation."""
        item = self._item_of(event)
        part = item.whole_part(_field(item, "content"), list_index(event.get("content_index")))
        index = list_index(event.get("annotation_index"))
        if not isinstance(index, int) or index >= len(part.annotations):
            part.annotations.append(event.get("annotation"))
            self._output.out.citations.add(part)

    def finish(self, item: ReceivedItem, body: Body) -> None:
        """A message is done, and *body* is all of it."""
        parts = self._parts(body)
        fields = [_field(item, TEXTS[part["type"]]) for _, part in parts]
        texts = [part.get(_TEXT_FIELDS[part["type"]]) for _, part in parts]
        joined = self._finish_joined(item, fields, texts) if item.parts else set()
        count: dict[str, int] = {}
        for (index, part), field, text in zip(parts, fields, texts, strict=True):
            n = count[field] = count.get(field, -1) + 1
            known = item.nth_part(field, index, n, text)
            self._finish_part(item, known, part, None if field in joined else text)

    def _finish_joined(self, item: ReceivedItem, fields: list[str], texts: list[Any]) -> set[str]:
        """Return the fields whose texts came in other parts; what they have beyond that is written."""
        by_field: dict[str, list[str]] = {field: [] for field in fields}
        for field, text in zip(fields, texts, strict=True):
            if _is_text(text):
                by_field[field].append(text)
        return {field for field, joined in by_field.items() if self._adds_up(item, field, joined)}

    def _adds_up(self, item: ReceivedItem, field: str, texts: list[str]) -> bool:
        """Whether *texts* came already, in other parts; what they have beyond that is written."""
        rest = item.beyond(field, "".join(texts))
        if rest and not item.fits(field, texts):
            last = item.last_part(field)
            self._finish_part(item, last, {}, last.text.whole() + rest)
        return rest == "" or (rest is not None and not item.fits(field, texts))

    def _finish_part(self, item: ReceivedItem, part: ReceivedPart, body: Body, text: Any) -> None:
        twin = item.namesake
        if twin is not None and twin.done and _is_text(text) and twin.has_text(part.field, text) and not part.text:
            part.finish()  # transformers serve: a message that was whole comes once more behind a call
            self.queue.advance()
            return
        queue = self._queue_of(item)
        if queue is None:
            return
        annotations = body.get("annotations")
        if isinstance(annotations, list) and len(annotations) > len(part.annotations):
            part.set_annotations(annotations)
            self._output.out.citations.add(part)
        queue.finish_part(item, part, text, body.get("logprobs"))

    def _parts(self, body: Body) -> list[tuple[int, Body]]:
        """Return the parts of a message with their places; those that chat has no word for are reported."""
        if body.get("type") in TEXTS:
            return [(0, body)]  # a part without a message around it
        content = body.get("content")
        if _is_text(content):
            return [(0, {"type": "output_text", "text": content})]
        parts: list[tuple[int, Body]] = []
        for i, part in enumerate(content if isinstance(content, list) else []):
            kind = part.get("type") if isinstance(part, dict) else None
            if isinstance(kind, str) and kind in TEXTS:
                parts.append((i, part))
            else:
                self._report.dropped("content", f"chat has no equivalent of {validate.safe_token(kind)}", part)
        return parts


def _field(item: ReceivedItem, field: str) -> str:
    """Where a text of a message goes: commentary goes into the reasoning."""
    return "reasoning_content" if item.is_commentary and field == "content" else field


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str)
