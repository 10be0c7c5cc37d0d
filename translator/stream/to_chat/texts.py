"""What a Response says and thinks: the events of messages and of reasoning (protocol 5.5, R5, R9)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, TypeGuard

from ...context import Context
from ...parts import annotations, logprobs, reasoning
from ...wire import json, validate
from ...wire.validate import list_index
from ..growing import Grow
from .item_index import Items
from .item_parts import TEXTS, Body, Item, Part, Tokens
from .turn_order import Line, Speech

_TOLD = {"output_text": "text", "text": "text", "refusal": "refusal"}  # the field of a part that has its text


class Messages:
    """Texts and refusals, and what is said about them."""

    def __init__(self, items: Items, speech: Speech, context: Context) -> None:
        self.line = Line(speech, context.report, context.profile.message_separator, "", self._has_begun)
        self._aside: Line | None = self.line
        self._items = items
        self._speech = speech
        self._report = context.report
        self._address: tuple[Any, ...] | None = None  # of the text that grows
        self._cited: dict[Part, None] = {}  # parts with citations that can be said
        self._early: dict[Part, None] = {}  # parts with citations whose turn has not come
        self._part: Part | None = None
        self._length: int | None = None  # of a text that was stopped

    def add(self, item: Item) -> None:
        """A message begins."""
        if (line := self._line_of(item)) is not None:
            line.add(item)

    def show_aside(self, thoughts: Line | None) -> None:
        """Commentary goes among the *thoughts*; if there are none, it is not shown."""
        self._aside = thoughts

    def _line_of(self, item: Item) -> Line | None:
        return self._aside if item.aside else self.line

    def _hear(self, part: Part, piece: str, tokens: Tokens) -> None:
        if (line := self._line_of(part.item)) is not None:
            line.hear(part, piece, tokens)

    def foresee(self, event: Body, body: Body) -> None:
        """A part is announced, perhaps with its text (W31)."""
        text, index = body.get(_TOLD[body["type"]]), list_index(event.get("content_index"))
        item = self._items.of(event, "message") if text else self._items.known(event, "message")
        if item is not None:
            item.begin_part(_field(item, TEXTS[body["type"]]), index)
            self._foresee(item, TEXTS[body["type"]], index, text)

    def foresee_all(self, item: Item, body: Body) -> None:
        """A message is announced, perhaps with its parts."""
        for index, part in self._parts(body):
            self._foresee(item, TEXTS[part["type"]], index, part.get(_TOLD[part["type"]]))

    def _foresee(self, item: Item, field: str, index: Any, text: Any) -> None:
        line = self._line_of(item)
        if text and line is not None:
            line.foresee(item.part(_field(item, field), index), text)

    def text(self, event: Body, delta: str) -> None:
        """Take a piece of text; nearly every event of a stream is one, so the next one of a text is quick."""
        address = (event.get("output_index"), event.get("item_id"), event.get("content_index"))
        part = self._part
        if part is None or address != self._address:
            item = self._items.of(event, "message")
            part = self._part = item.part(_field(item, "content"), list_index(address[2]))
            self._address = address
        given = event.get("logprobs")
        tokens = logprobs.to_chat(given) if given else []
        if self._speech.stops is None and delta and self.line.speaks(part):
            part.has_tokens = part.has_tokens or bool(tokens)
            part.text.add(delta)
            self._speech.out.text(delta, tokens, part.text)
        elif delta or tokens:
            self._hear(part, delta, tokens)

    def growing(self) -> Grow | None:
        """Return how the next piece of the text that grows is said, if nothing has to be looked for in it."""
        part = self._part
        if part is None or self._speech.stops is not None or not self.line.speaks(part):
            return None
        return self._speech.out.growing(part.field, part.text)

    def add_tokens(self, encoded: bytes) -> None:
        """Take the tokens of a piece of the text that grows; they were said."""
        assert self._part is not None
        self._part.has_tokens = True
        self._speech.out.tokens.add(encoded)

    def look_up(self) -> None:
        """Something else came: the next piece may belong elsewhere, whatever it says."""
        self._part = None

    def refusal(self, event: Body, delta: str) -> None:
        if delta:
            part = self._items.of(event, "message").part("refusal", list_index(event.get("content_index")))
            self._hear(part, delta, [])

    def told(self, event: Body, body: Body) -> None:
        """A part is whole."""
        text, kind = body.get(_TOLD[body["type"]]), TEXTS[body["type"]]
        item = self._items.of(event, "message", fits=lambda item: item.may_end_with(_field(item, kind), text))
        part = item.whole_part(_field(item, kind), list_index(event.get("content_index")), text)
        self._settle(part, body, text)

    def cite(self, event: Body) -> None:
        item = self._items.of(event, "message")
        part = item.whole_part(_field(item, "content"), list_index(event.get("content_index")))
        index = list_index(event.get("annotation_index"))
        if not isinstance(index, int) or index >= len(part.cited):
            part.cited.append(event.get("annotation"))
            self._note(part)

    def _note(self, part: Part) -> None:
        """*part* has citations that were not said yet."""
        if part.field != "content":
            self._report.dropped("annotations", "what cites is shown as reasoning", part.cited)
            return
        (self._cited if part.turn else self._early)[part] = None

    def _has_begun(self, part: Part) -> None:
        """Its turn has come."""
        if part in self._early:
            del self._early[part]
            self._cited[part] = None

    def whole(self, item: Item, body: Body) -> None:
        """A message is done."""
        told = [
            (i, part, _field(item, TEXTS[part["type"]]), part.get(_TOLD[part["type"]])) for i, part in self._parts(body)
        ]
        count: dict[str, int] = {}
        there: set[str] = set()
        for name in {field: None for _, _, field, _ in told} if item.parts else ():
            if self._adds_up(item, name, [text for _, _, field, text in told if field == name and _is_text(text)]):
                there.add(name)
        for index, part, field, text in told:
            n = count[field] = count.get(field, -1) + 1
            self._settle(item.nth_part(field, index, n, text), part, None if field in there else text)

    def _adds_up(self, item: Item, field: str, texts: list[str]) -> bool:
        """Whether *texts* are what came already, in other parts; what they have beyond that is said."""
        rest = item.beyond(field, "".join(texts))
        if rest and not item.fits(field, texts):
            last = item.last_part(field)
            self._settle(last, {}, last.text.whole() + rest)
        return rest == "" or (rest is not None and not item.fits(field, texts))

    def _settle(self, part: Part, body: Body, text: Any) -> None:
        twin = part.item.twin
        if twin is not None and twin.done and _is_text(text) and twin.has_heard(part.field, text) and not part.text:
            part.done = True  # transformers serve: a message that was whole comes once more behind a call
            self.line.advance()
            return
        line = self._line_of(part.item)
        if line is None:
            return
        cited = body.get("annotations")
        if isinstance(cited, list) and len(cited) > len(part.cited):
            part.cited = list(cited)
            self._note(part)
        line.settle(part, text, lambda: logprobs.to_chat(body.get("logprobs")))

    def _parts(self, body: Body) -> list[tuple[int, Body]]:
        """The parts of a message with their places; those that chat has no word for are reported."""
        if body.get("type") in TEXTS:
            return [(0, body)]  # a part without a message around it
        content = body.get("content")
        if _is_text(content):
            return [(0, {"type": "output_text", "text": content})]
        parts: list[tuple[int, Body]] = []
        for i, part in enumerate(content if isinstance(content, list) else []):
            kind = part.get("type") if isinstance(part, dict) else None
            if _is_text(kind) and kind in TEXTS:
                parts.append((i, part))
            else:
                self._report.dropped("content", f"chat has no part {validate.safe_token(kind)}", part)
        return parts

    def add_citations(self) -> None:
        """Add what the texts cite to the message, as far as the texts themselves were said."""
        ready = sorted(self._cited, key=lambda part: part.turn)
        self._cited.clear()
        if self._speech.stopped:
            ready += self._early
            self._early.clear()
        if ready and self._speech.stopped and self._length is None:
            self._length = self._speech.out.length  # it does not grow any more
        for part in ready:
            for cited in part.cited[part.citations :]:
                self._add_citation(part, cited)
            part.citations = len(part.cited)

    def _add_citation(self, part: Part, cited: Any) -> None:
        """Add a citation, unless it is about words behind the end of a text that was stopped."""
        length = self._length
        link = annotations.to_chat(cited, part.offset)
        if link is None:
            self._report.dropped("annotations", "chat knows citations of URLs only", cited)
        elif length is not None and (not part.turn or link["url_citation"]["end_index"] > length):
            self._report.dropped("annotations", "the words in question come after a stop sequence", cited)
        else:
            self._speech.out.add("annotations", link)


class Thoughts:
    """Reasoning: its content or its summary, whichever is wanted or comes first."""

    def __init__(self, items: Items, speech: Speech, context: Context, garbled: Callable[[str], None]) -> None:
        self.line = Line(speech, context.report, "\n\n", "\n\n")
        self._items = items
        self._out = speech.out
        self._order: deque[Item] = deque()  # items of which nothing sealed was said yet
        self._sealed: dict[Item, Body] = {}
        self._part: Part | None = None  # what the last piece belonged to
        self._count = 0
        self._wanted = context.profile.reasoning_expose
        self._garbled = garbled

    def add(self, item: Item) -> None:
        """A reasoning item begins."""
        self.line.add(item)
        self._order.append(item)

    def text(self, kind: str, event: Body, delta: str) -> None:
        """Take a piece of a thought; *kind* is `content` or `summary`."""
        self._part = None
        if delta and self._shows(item := self._items.of(event, "reasoning"), kind):
            self._part = item.part("reasoning_content", list_index(event.get(f"{kind}_index")))
            self.line.hear(self._part, delta, [])

    def growing(self) -> Grow | None:
        """Return how the next piece of the thought that grows is said."""
        part = self._part
        if part is None or not self.line.speaks(part):
            return None
        return self._out.growing("reasoning_content", part.text)

    def foresee(self, kind: str, event: Body, text: Any) -> None:
        """A part is announced, perhaps with its text (W31)."""
        item = self._items.of(event, "reasoning") if text else self._items.known(event, "reasoning")
        if item is not None:
            index = list_index(event.get(f"{kind}_index"))
            item.begin_part("reasoning_content", index)
            self._foresee(item, kind, index, text)

    def foresee_all(self, item: Item, body: Body) -> None:
        """A reasoning item is announced, perhaps with its parts."""
        for kind in ("content", "summary"):
            for index, part in enumerate(_list(body.get(kind))):
                self._foresee(item, kind, index, part.get("text") if isinstance(part, dict) else None)

    def _foresee(self, item: Item, kind: str, index: Any, text: Any) -> None:
        if text and _is_text(text) and self._shows(item, kind):
            self.line.foresee(item.part("reasoning_content", index), text)

    def told(self, kind: str, event: Body, text: Any) -> None:
        """A part is whole; one of which nothing is said, and nothing was, is none."""

        def fits(item: Item) -> bool:
            return item.may_end_with("reasoning_content", text)

        find = self._items.of if text else self._items.known
        item = find(event, "reasoning", fits=fits)
        if item is not None and (self._shows(item, kind) if text else item.shows == kind):
            part = item.whole_part("reasoning_content", list_index(event.get(f"{kind}_index")), text or None)
            self.line.settle(part, text or None, list)

    def _shows(self, item: Item, kind: str) -> bool:
        """Whether this kind of part is shown; where both may be, the item decides by what it says first."""
        if not item.shows and self._wanted in ("auto", "both", kind):
            item.shows = kind
        return item.shows == kind

    def whole(self, item: Item, body: Body) -> None:
        """A reasoning item is done. What only its server can read travels along, sealed."""
        for kind in ("content", "summary"):
            given = body.get(kind)
            told = [part.get("text") if isinstance(part, dict) else None for part in _list(given)]
            texts = [(i, text) for i, text in enumerate(told) if text and _is_text(text)]
            if not texts or not self._shows(item, kind):
                continue
            self._settle_all(item, texts)
        listed = item.listed or (item.twin is not None and item.twin.listed)
        if body.get("encrypted_content") and self._wanted != "off" and not listed:
            if json.is_deep(body):
                self._garbled("a value that is nested too deeply")
            else:
                item.listed = True
                self._sealed[item] = reasoning.to_details(body)

    def _settle_all(self, item: Item, texts: list[tuple[int, str]]) -> None:
        joined = "".join(text for _, text in texts)
        heard = next((one for one in (item, item.twin) if one is not None and one.parts), None)
        if heard is not None and heard.has_heard("reasoning_content", joined):
            return  # nothing is added twice
        for n, (index, text) in enumerate(texts):
            self.line.settle(item.nth_part("reasoning_content", index, n, text), text, list)

    def add_details(self) -> None:
        """Add what travels sealed to the message, in the order of the items."""
        while self._order and self._order[0].done:
            details = self._sealed.pop(self._order.popleft(), None)
            if details is not None:
                self._out.add("reasoning_details", {**details, "index": self._count})
                self._count += 1


def _field(item: Item, field: str) -> str:
    """Where a text of a message goes: commentary goes among the thoughts."""
    return "reasoning_content" if item.aside and field == "content" else field


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
