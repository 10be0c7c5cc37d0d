"""The kinds of output items, and the order of events inside each (protocol 5.2, I6-I13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..parts import calls, reasoning
from ..parts.tools import Tool
from ..wire import json
from .jsonstring import InputDecoder
from .output import Body, Item, Output


class Message(Item):
    """Text and refusals; each kind is a part of its own."""

    prefix = "msg"

    def open(self, out: Output) -> None:
        self._out = out
        self._pieces: list[str] = []
        self._part: Body | None = None
        out.announce(self, {"type": "message", "role": "assistant", "status": "in_progress", "content": []})

    def text(self, piece: str, logprobs: list[Body]) -> None:
        part = self._open_part("output_text")
        self._pieces.append(piece)
        if logprobs:
            part["logprobs"] += logprobs
        self._out.say_of(self, "response.output_text.delta", content_index=self._at, delta=piece, logprobs=logprobs)

    def refusal(self, piece: str) -> None:
        self._open_part("refusal")
        self._pieces.append(piece)
        self._out.say_of(self, "response.refusal.delta", content_index=self._at, delta=piece)

    def annotation(self, annotation: Body) -> None:
        part = self._open_part("output_text")
        index = len(part["annotations"])
        part["annotations"].append(annotation)
        self._out.say_of(
            self,
            "response.output_text.annotation.added",
            content_index=self._at,
            annotation_index=index,
            annotation=annotation,
        )

    @property
    def _at(self) -> int:
        return len(self.body["content"]) - 1

    def _open_part(self, kind: str) -> Body:
        if self._part is not None and self._part["type"] == kind:
            return self._part
        self._close_part()
        part: Body = {"type": kind, "refusal": ""}
        if kind == "output_text":
            part = {"type": kind, "text": "", "annotations": [], "logprobs": []}
        self._part = part
        self.body["content"].append(part)
        fresh = {key: [] if isinstance(value, list) else value for key, value in part.items()}
        self._out.say_of(self, "response.content_part.added", content_index=self._at, part=fresh)
        return part

    def _close_part(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        text = "".join(self._pieces)
        self._pieces = []
        if part["type"] == "output_text":
            part["text"] = text
            self._out.say_of(
                self, "response.output_text.done", content_index=self._at, text=text, logprobs=part["logprobs"]
            )
        else:
            part["refusal"] = text
            self._out.say_of(self, "response.refusal.done", content_index=self._at, refusal=text)
        self._out.say_of(self, "response.content_part.done", content_index=self._at, part=part)

    def close(self, status: str) -> None:
        self._close_part()
        self.body["status"] = status
        self._out.conclude(self)


class Compaction(Message):
    """A summary: nothing of its text is shown, it is sealed (protocol 2.7)."""

    prefix = "cmp"

    def open(self, out: Output) -> None:
        self._out = out
        self._pieces = []
        out.announce(self, {"type": "compaction", "encrypted_content": ""})
        out.say_of(self, "response.compaction.compacting")

    def text(self, piece: str, logprobs: list[Body]) -> None:
        self._pieces.append(piece)

    def refusal(self, piece: str) -> None:
        self._pieces.append(piece)

    def annotation(self, annotation: Body) -> None:
        """A summary cites nothing."""

    def close(self, status: str) -> None:
        self.body["encrypted_content"] = reasoning.seal({"summary": "".join(self._pieces)})
        self._out.conclude(self)


class Reasoning(Item):
    """Thoughts, shown as content, as a summary, as both or not at all; and what the provider wants back, sealed."""

    prefix = "rs"

    def __init__(self, show: str, seal: Callable[[Body], str | None]) -> None:
        super().__init__()
        self._show = show
        self._seal = seal
        self._pieces: list[str] = []
        self._details: dict[str, reasoning.Details] = {}
        self._given: Body = {}

    def open(self, out: Output) -> None:
        self._out = out
        body: Body = {"type": "reasoning", "status": "in_progress", "summary": []}
        if self._show in ("content", "both"):
            body["content"] = []
        out.announce(self, body)

    def text(self, piece: str) -> None:
        if not self._pieces:
            self._open_parts()
        self._pieces.append(piece)
        if self._show in ("summary", "both"):
            self._out.say_of(self, "response.reasoning_summary_text.delta", summary_index=0, delta=piece)
        if self._show in ("content", "both"):
            self._out.say_of(self, "response.reasoning_text.delta", content_index=0, delta=piece)

    def details(self, name: str, entries: Any) -> None:
        self._details.setdefault(name, reasoning.Details()).add(entries)

    def came_as(self, field: str) -> None:
        """Remember under which name the text came, for it goes back under the same."""
        self._given["field"] = field

    def sign(self, call_id: str, signature: Body) -> None:
        self._given.setdefault("calls", {})[call_id] = signature

    def _open_parts(self) -> None:
        if self._show in ("summary", "both"):
            part = {"type": "summary_text", "text": ""}
            self._out.say_of(self, "response.reasoning_summary_part.added", summary_index=0, part=part)
        if self._show in ("content", "both"):
            part = {"type": "reasoning_text", "text": ""}
            self._out.say_of(self, "response.content_part.added", content_index=0, part=part)

    def close(self, status: str) -> None:
        text = "".join(self._pieces)
        if text and self._show in ("summary", "both"):
            self._close_summary({"type": "summary_text", "text": text})
        if text and self._show in ("content", "both"):
            self._close_content({"type": "reasoning_text", "text": text})
        details = {name: entries.joined() for name, entries in self._details.items()}
        sealed = self._seal({"text": text, **self._given, **details})
        if sealed is not None:
            self.body["encrypted_content"] = sealed
        self.body["status"] = status
        self._out.conclude(self)

    def _close_summary(self, part: Body) -> None:
        self.body["summary"].append(part)
        self._out.say_of(self, "response.reasoning_summary_text.done", summary_index=0, text=part["text"])
        self._out.say_of(self, "response.reasoning_summary_part.done", summary_index=0, part=part)

    def _close_content(self, part: Body) -> None:
        self.body["content"].append(part)
        self._out.say_of(self, "response.reasoning_text.done", content_index=0, text=part["text"])
        self._out.say_of(self, "response.content_part.done", content_index=0, part=part)


class Call(Item):
    """A tool call. It opens when its name and its id are known; what kind of item it is, the declared tools say."""

    prefix = "fc"

    def __init__(self, tool_named: Callable[[str], Tool | None], new_call_id: Callable[[], str]) -> None:
        super().__init__()
        self.name = ""
        self.call_id = ""
        self._tool_named = tool_named
        self._new_call_id = new_call_id
        self._tool: Tool | None = None
        self._pieces: list[str] = []
        self._is_whole: bool | None = None  # None: not looked at since the last piece
        self._free_form = False  # native: the fragments are the input itself
        self._input: list[str] = []
        self._decoder: InputDecoder | None = None

    def head(self, name: str, call_id: str, free_form: bool) -> None:
        """Learn who is called; the first word counts (D10, D12)."""
        self.name = self.name or name
        self.call_id = self.call_id or call_id
        self._free_form = self._free_form or (free_form and not self.live)

    def is_ready(self) -> bool:
        return bool(self.name and self.call_id)

    def settle(self) -> None:
        """No more of its head will come: D11, some servers send no id."""
        self.call_id = self.call_id or self._new_call_id()

    def is_whole(self) -> bool:
        """Whether the arguments are whole; of free-form input nobody knows."""
        if self._free_form and self._decoder is None:
            return False
        end = self._pieces[-1].rstrip() if self._pieces else ""
        if self._is_whole is None and end and not end.endswith("}"):
            self._is_whole = False  # cheap, and nearly always so
        if self._is_whole is None:
            try:
                self._is_whole = isinstance(json.decode("".join(self._pieces)), dict)
            except ValueError:
                self._is_whole = False
        return self._is_whole

    def is_complete(self) -> bool:
        """Whether the arguments do not stop in the middle; none are complete, of free-form input nobody knows."""
        return self.is_whole() or not "".join(self._pieces).strip() or (self._free_form and self._decoder is None)

    def has_open_input(self) -> bool:
        """Whether the input of a wrapped free-form tool began and has no end."""
        return self._decoder is not None and self._decoder.is_open

    def open(self, out: Output) -> None:
        self._out = out
        self._tool = self._tool_named(self.name)
        kind = self._tool.kind if self._tool else "function"
        if self._free_form or kind == "custom":
            self._decoder = None if self._free_form else InputDecoder()
            self.prefix, self._free_form = "ctc", True
            out.announce(self, self._fields("custom_tool_call", input=""))
        elif kind == "function":
            out.announce(self, self._fields("function_call", arguments=""))
        # a built-in tool's item is announced when its arguments can be read
        if heard := "".join(self._pieces):
            self._say(heard)

    def _fields(self, kind: str, **fields: Any) -> Body:
        body: Body = {"type": kind, "status": "in_progress", "call_id": self.call_id}
        body["name"] = self._tool.name if self._tool else self.name
        if self._tool and self._tool.namespace:
            body["namespace"] = self._tool.namespace
        return {**body, **fields}

    def hear(self, piece: str) -> None:
        """Take a piece of the arguments; it becomes an event now, or when the item opens."""
        self._pieces.append(piece)
        self._is_whole = None
        if self.live:
            self._say(piece)

    def _say(self, piece: str) -> None:
        if self._free_form:
            self._say_input(self._decoder.feed(piece) if self._decoder else piece)
        elif self.body:
            self._out.say_of(self, "response.function_call_arguments.delta", delta=piece)

    def _say_input(self, piece: str) -> None:
        if piece:
            self._input.append(piece)
            self._out.say_of(self, "response.custom_tool_call_input.delta", delta=piece)

    def close(self, status: str) -> None:
        if self._free_form:
            self._close_custom()
        elif self.body:
            self._close_function("".join(self._pieces))
        else:
            self._close_native("".join(self._pieces), status)
        self.body["status"] = status
        self._out.conclude(self)

    def _close_custom(self) -> None:
        if self._decoder:
            self._say_input(self._decoder.flush())
        self.body["input"] = "".join(self._input)
        self._out.say_of(self, "response.custom_tool_call_input.done", input=self.body["input"])

    def _close_function(self, arguments: str) -> None:
        if not arguments.strip():
            arguments += "{}"  # clients parse it
            self._out.say_of(self, "response.function_call_arguments.delta", delta="{}")
        self.body["arguments"] = arguments
        self._out.say_of(self, "response.function_call_arguments.done", arguments=arguments, name=self.body["name"])

    def _close_native(self, arguments: str, status: str) -> None:
        kind = self._tool.kind if self._tool else "function"
        fields = calls.to_responses(kind, arguments)
        cut_patch = status == "incomplete" and kind == "apply_patch"  # such an item cannot be incomplete
        if fields is None or cut_patch:  # not in the tool's form: the client tells the model
            self._out.announce(self, self._fields("function_call", arguments=""))
            if arguments:
                self._out.say_of(self, "response.function_call_arguments.delta", delta=arguments)
            self._close_function(arguments)
            return
        self.prefix = calls.PREFIXES[fields["type"]]
        empty = {"arguments": {}} if "arguments" in fields else {}
        self._out.announce(self, {"status": "in_progress", "call_id": self.call_id, **fields, **empty})
        self.body.update(fields)
