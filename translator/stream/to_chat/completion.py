"""The chat completion as it grows: the only owner of chunk heads, indexes of calls, and the message that adds up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import TranslationError
from ...losses import Report
from ...parts import moderation, times, usage
from ...wire import json, sse
from ..growing import Grow, Members, Pieces, Said

Body = dict[str, Any]
_LONGEST = 1_024  # of what every chunk repeats
_TEXTS = ("content", "refusal", "reasoning_content")
_LISTS = ("annotations", "reasoning_details", "images")


class Completion:
    """Collects the message and, unless it is ``quiet``, chunks, which the transducer takes after every step.

    The rules of the chunks are G1-G15 (protocol 5.3). Lists inside of a delta other than `tool_calls` are sent when
    what they are about is over: the SDK adds to them only by an `index`, which what is sent first does not need.
    """

    def __init__(
        self,
        model: str,
        include_usage: bool,
        legacy: bool,
        report: Report,
        new_id: Callable[[str], str],
        clock: Callable[[], float],
    ) -> None:
        self.chunks: list[Body] = []
        self.quiet = self.apart = False
        self.collect: Callable[[], None] = _nothing
        """Called before the lists of the message are sent, to add what belongs to them."""
        self.started = False
        self.finish_reason: str | None = None
        self.caller_name: Callable[[str], str] = str
        """Turns the upstream's name of a tool into the client's."""
        self._include_usage = include_usage
        self._legacy = legacy
        self._report = report
        self._new_id = new_id
        self._clock = clock
        self._id = ""
        self._created = 0
        self._model = model
        self._about: Body = {}  # what is known of the whole, beside its usage
        self._usage: Body | None = None
        self._head: Body = {}
        self._content_is_null = True  # so far, in what was streamed
        self._texts = {name: Said() for name in _TEXTS}
        self.tokens = Members()
        """Those of the text, with their log-probabilities."""
        self._calls: list[_Call] = []
        self._lists: dict[str, list[Body]] = {}
        self._shown: dict[str, int] = {}  # how many members of each list were sent

    def take_chunks(self) -> list[Body]:
        chunks, self.chunks = self.chunks, []
        return json.deep_copy(chunks) if self.apart else chunks

    # what is said about the whole

    def learn(self, response: Body) -> None:
        """Take what a snapshot of the Response says about the whole; its name and time count until the start."""
        if not self.started:
            self._learn_origin(response)
        tier = response.get("service_tier")
        if isinstance(tier, str) and len(tier) <= _LONGEST:
            self._about["service_tier"] = tier
            if self.started:
                self._head["service_tier"] = tier
        if (moderated := moderation.to_chat(response.get("moderation"))) is not None:
            self._about["moderation"] = moderated
        metadata = response.get("metadata")
        if metadata and isinstance(metadata, dict) and not json.is_deep(metadata):
            self._about["metadata"] = metadata
        if (used := usage.to_chat(response.get("usage"))) is not None:
            self._usage = used

    def _learn_origin(self, response: Body) -> None:
        response_id, model, created = response.get("id"), response.get("model"), response.get("created_at")
        if response_id and isinstance(response_id, str) and len(response_id) <= _LONGEST:
            self._id = _derived(response_id)
        if model and isinstance(model, str) and len(model) <= _LONGEST:
            self._model = model
        self._created = times.seconds(created) or self._created

    # what is said

    def begin(self, content: str | None = None) -> None:
        """Send the chunk with the role, once; *content* is "" when text comes first."""
        if self.started:
            return
        self.started = True
        self._id = self._id or _derived(self._new_id("resp"))
        self._created = self._created or int(self._clock())
        self._head = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
        }
        if "service_tier" in self._about:
            self._head["service_tier"] = self._about["service_tier"]
        if self._include_usage:
            self._head["usage"] = None  # G8
        self._content_is_null = content is None
        self._say({"role": "assistant", "content": content, "refusal": None})

    def text(self, piece: str, tokens: list[Body] | None = None, kept: Pieces | None = None) -> None:
        """Say a piece of the text, with its log-probabilities if there are any; *kept* has it already."""
        if not self.started:
            self.begin("")
        self._texts["content"].add(piece, kept)
        if tokens:
            self.tokens.add(json.encode(tokens))
        if self.quiet:
            return
        choice = {
            "index": 0,
            "delta": {"content": piece} if piece else {},
            "logprobs": {"content": tokens, "refusal": None} if tokens else None,
            "finish_reason": None,
        }
        self.chunks.append({**self._head, "choices": [choice]})

    def say(self, field: str, piece: str, kept: Pieces | None = None) -> None:
        """Say a piece of the refusal or of the thoughts; *kept* has it already."""
        if field == "refusal" and not self._texts[field]:
            self.show_lists()
        self.begin()
        self._texts[field].add(piece, kept)
        self._say({field: piece})

    # what is said straight as frames (see fast_path.py)

    def growing(self, field: str, kept: Pieces) -> Grow | None:
        """Return what says another piece of the text that *kept* has, and gives the frame for it."""
        return self._grow(field, {field: ""}, kept)

    def growing_call(self, index: int) -> Grow | None:
        """Return what says another piece of a call's arguments or input and gives the frame for it."""
        call = self._calls[index]
        delta = {"function_call": {"arguments": ""}} if self._legacy else {"tool_calls": [call.next("")]}
        return self._grow("arguments" if self._legacy else call.field, delta, call.payload)

    def _grow(self, field: str, delta: Body, kept: Pieces) -> Grow | None:
        """Return what fills the hole that *field* is in *delta*; None if it has none."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        template = sse.with_hole(sse.data({**self._head, "choices": [choice]}), field)
        if template is None:
            return None
        add, encode = kept.add, json.encode_strict

        def grow(piece: str) -> bytes:
            add(piece)
            return template % encode(piece)

        return grow

    def call(self, name: str, call_id: str, free_form: bool, payload: Pieces) -> int | None:
        """Announce a call, of which *payload* has all that is said of it.

        Returns its index, or None where there is no room for it (legacy answers have one).
        """
        if self._legacy and self._calls:
            self._report.dropped("function_call", "an answer in the older form has one call")
            return None
        self.show_lists()
        self.begin()
        call = _Call(len(self._calls), self.caller_name(name), call_id, free_form, payload)
        self._calls.append(call)
        self._say({"function_call": call.older("")} if self._legacy else {"tool_calls": [call.first]})
        return call.index

    def call_piece(self, index: int, piece: str) -> None:
        """Say a piece of a call's arguments, or of its input."""
        call = self._calls[index]
        self._say({"function_call": {"arguments": piece}} if self._legacy else {"tool_calls": [call.next(piece)]})

    def add(self, name: str, entry: Body) -> None:
        """Add to one of the lists of the message."""
        known = self._lists.setdefault(name, [])
        known.append({**entry, "index": len(known)} if name in self._shown else entry)

    def show_lists(self) -> None:
        """Send what was added to the lists since they were sent last."""
        if delta := self._unsent():
            self.begin()
            self._say(delta)

    def _unsent(self) -> Body:
        self.collect()
        delta: Body = {}
        for name in _LISTS if self._lists else ():
            members = self._lists.get(name, ())
            if more := members[self._shown.get(name, 0) :]:
                delta[name] = list(more)
                self._shown[name] = len(members)
        return delta

    @property
    def has_free_form(self) -> bool:
        """Whether calls may have an input that is not JSON: in the older form all are functions."""
        return not self._legacy

    @property
    def used(self) -> int | None:
        """How many tokens the answer has, if that is known."""
        return self._usage["completion_tokens"] if self._usage else None

    @property
    def length(self) -> int:
        """How long the text is, in code points."""
        return len(self._texts["content"].whole())

    @property
    def call_reason(self) -> str | None:
        """The finish reason of an answer with calls; None if there are none."""
        if not self._calls:
            return None
        return "function_call" if self._legacy else "tool_calls"

    # how it ends

    def end(self, reason: str) -> None:
        """Say what is said at the end, in the order in which clients need it (G7, G12)."""
        self.begin(None if self._is_null else "")
        delta = self._unsent()
        if self._content_is_null and not (self._is_null or self._texts["content"]):
            delta["content"] = ""
        if delta:
            self._say(delta)
        self.finish_reason = reason
        self._say({}, reason)
        if "moderation" in self._about:
            self.chunks.append({**self._head, "choices": [], "moderation": self._about["moderation"]})
        if self._include_usage and self._usage is not None:
            self.chunks.append({**self._head, "choices": [], "usage": self._usage})

    def fail(self, error: TranslationError) -> None:
        """Say that the answer failed; what was said remains."""
        self.chunks.append(error.body())

    @property
    def answer(self) -> Body:
        """The chat completion as far as it has grown."""
        tokens = self.tokens.whole()
        choice = {
            "index": 0,
            "message": self._message(),
            "logprobs": {"content": tokens, "refusal": None} if tokens else None,
            "finish_reason": self.finish_reason,
        }
        return {
            "id": self._id,
            "object": "chat.completion",
            "created": self._created,
            "model": self._model,
            "choices": [choice],
            "usage": self._usage,
            **self._about,
        }

    def _message(self) -> Body:
        message: Body = {
            "role": "assistant",
            "content": None if self._is_null else self._texts["content"].whole(),
            "refusal": self._texts["refusal"].whole() or None,
        }
        if self._calls and self._legacy:
            message["function_call"] = self._calls[0].older(self._calls[0].payload.whole())
        elif self._calls:
            message["tool_calls"] = [call.whole() for call in self._calls]
        if self._texts["reasoning_content"]:
            message["reasoning_content"] = self._texts["reasoning_content"].whole()
        return {**message, **self._lists}

    @property
    def _is_null(self) -> bool:
        """Whether there is no text, but something else; an answer with nothing has an empty text."""
        return not self._texts["content"] and bool(self._calls or self._texts["refusal"])

    def _say(self, delta: Body, reason: str | None = None) -> None:
        if self.quiet:
            return
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        self.chunks.append({**self._head, "choices": [choice]})


def _nothing() -> None:
    """Nobody has anything to add."""


class _Call:
    """A member of `tool_calls`, or the one `function_call` of older answers."""

    def __init__(self, index: int, name: str, call_id: str, free_form: bool, payload: Pieces) -> None:
        self.index = index
        self.payload = payload
        self._name = name
        self._call_id = call_id
        self._kind = "custom" if free_form else "function"
        self.field = "input" if free_form else "arguments"

    def older(self, payload: str) -> Body:
        """The call as a `function_call`."""
        return {"name": self._name, "arguments": payload}

    @property
    def first(self) -> Body:
        """What the first delta of it says; later ones repeat none of this (G3, G4)."""
        return {"index": self.index, **self._with("")}

    def next(self, piece: str) -> Body:
        return {"index": self.index, self._kind: {self.field: piece}}

    def whole(self) -> Body:
        return self._with(self.payload.whole())

    def _with(self, payload: str) -> Body:
        return {"id": self._call_id, "type": self._kind, self._kind: {"name": self._name, self.field: payload}}


def _derived(response_id: str) -> str:
    return f"chatcmpl-{response_id.removeprefix('resp_')}"
