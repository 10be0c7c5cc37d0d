"""The growing chat completion: the only owner of chunk heads, call indexes and the accumulated message."""

from __future__ import annotations

from typing import Any

from ...errors import TranslationError
from ...parts import moderation, times, usage
from ...wire import json, sse
from ...wire.template import HOLE, FrameTemplate
from ..growing import ChunkWriter, JoinedText, JsonListBuffer, TextBuffer
from .call_entry import CallEntry, FunctionCallEntry, ToolCallEntry
from .citations import Citations
from .context import CompletionContext
from .sealed_reasoning import SealedReasoning

Body = dict[str, Any]
LONGEST = 1_024
"""How many characters something may have that every chunk repeats."""
_LISTS = ("annotations", "reasoning_details", "images")


class Completion:
    """Collects the message and, unless *quiet*, the chunks, which the transducer takes after every step.

    The rules of the chunks are G1-G15 (protocol 5.3). Lists in a delta, other than `tool_calls`, are sent once the
    content that they belong to is complete: the SDK adds to them only by `index`, which a list sent once does not need.
    Unless *apart*, chunks share objects with each other and with the answer.
    """

    def __init__(self, context: CompletionContext, quiet: bool = False, apart: bool = False) -> None:
        self.started: bool = False
        self.stopped: bool = False
        """Whether a stop sequence ended the text: nothing more is written."""
        self.legacy: bool = context.legacy
        """Whether the answer has the older form, in which all calls are functions, and have JSON."""
        self.finish_reason: str | None = None
        self.tokens: JsonListBuffer = JsonListBuffer()
        """Those of the text, with their log-probabilities."""
        self.citations: Citations = Citations(context.context.report)
        self.sealed: SealedReasoning = SealedReasoning()
        self._include_usage = context.include_usage
        self._report = context.context.report
        self._new_id = context.new_id
        self._clock = context.clock
        self._caller_name = context.caller_name
        self._quiet = quiet
        self._apart = apart
        self._chunks: list[Body] = []
        self._own_id = self._id = context.own_id
        self._created = 0
        self._model = context.model
        self._keeps_model = context.keeps_model
        self._about: Body = {}  # what is known of the whole, beside its usage
        self._usage: Body | None = None
        self._head: Body = {}
        self._content_is_null = True  # so far, in what was streamed
        self._texts: dict[str, JoinedText] = {}
        self._calls: list[CallEntry] = []
        self._lists: dict[str, list[Body]] = {}
        self._sent: dict[str, int] = {}  # how many members of each list were sent

    def take_chunks(self) -> list[Body]:
        """Return the chunks since the last time."""
        chunks, self._chunks = self._chunks, []
        return json.deep_copy(chunks) if self._apart else chunks

    def read_snapshot(self, snapshot: Body) -> None:
        """Take what a snapshot of the Response says about the whole; its name and time count until the start."""
        if not self.started:
            self._read_origin(snapshot)
        tier = snapshot.get("service_tier")
        if isinstance(tier, str) and len(tier) <= LONGEST:
            self._about["service_tier"] = tier
            if self.started:
                self._head["service_tier"] = tier
        if (moderated := moderation.to_chat(snapshot.get("moderation"))) is not None:
            self._about["moderation"] = moderated
        metadata = snapshot.get("metadata")
        if metadata and isinstance(metadata, dict) and not json.is_deep(metadata):
            self._about["metadata"] = metadata
        if (used := usage.to_chat(snapshot.get("usage"))) is not None:
            self._usage = used

    def _read_origin(self, snapshot: Body) -> None:
        response_id, model, created = snapshot.get("id"), snapshot.get("model"), snapshot.get("created_at")
        if response_id and isinstance(response_id, str) and len(response_id) <= LONGEST:
            self._id = self._own_id or derived_id(response_id)
        if not self._keeps_model and model and isinstance(model, str) and len(model) <= LONGEST:
            self._model = model
        self._created = times.seconds(created) or self._created

    def begin(self, content: str | None = None) -> None:
        """Send the chunk with the role, once; *content* is "" when text comes first."""
        if self.started:
            return
        self.started = True
        self._id = self._id or derived_id(self._new_id("resp"))
        self._created = self._created or int(self._clock())
        if self._quiet:
            return
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
        self._send({"role": "assistant", "content": content, "refusal": None})

    def add_text(self, piece: str, tokens: list[Body] | None = None, buffer: TextBuffer | None = None) -> None:
        """Send a piece of the text, with its log-probabilities if there are any; *buffer* has it already."""
        if not self.started:
            self.begin("")
        if "content" not in self._texts:
            self._texts["content"] = JoinedText()
        self._texts["content"].add(piece, buffer)
        if tokens:
            self.tokens.add(json.encode(tokens))
        if self._quiet:
            return
        choice = {
            "index": 0,
            "delta": {"content": piece} if piece else {},
            "logprobs": {"content": tokens, "refusal": None} if tokens else None,
            "finish_reason": None,
        }
        self._chunks.append({**self._head, "choices": [choice]})

    def add_piece(self, field: str, piece: str, buffer: TextBuffer | None = None) -> None:
        """Send a piece of the refusal or of the reasoning; *buffer* has it already."""
        if field not in self._texts:
            if field == "refusal":
                self.send_lists()
            self._texts[field] = JoinedText()
        if not self.started:
            self.begin()
        self._texts[field].add(piece, buffer)
        if not self._quiet:
            self._send({field: piece})

    def stop(self) -> None:
        """A stop sequence ended the text."""
        self.stopped = True
        self.citations.end_text(len(self._whole("content")))

    def add_call(self, name: str, call_id: str, free_form: bool, payload: TextBuffer) -> CallEntry | None:
        """Send the head of a call, of which *payload* has all that is sent.

        Returns the call as the client has it, or None where there is no room for it (legacy answers have one).
        """
        if self.legacy and self._calls:
            self._report.dropped("function_call", "an answer with `function_call` has only one call")
            return None
        self.send_lists()
        if not self.started:
            self.begin()
        name = self._caller_name(name)
        entry: CallEntry
        if self.legacy:
            entry = FunctionCallEntry(name, payload)
        else:
            entry = ToolCallEntry(len(self._calls), name, call_id, free_form, payload)
        self._calls.append(entry)
        if not self._quiet:
            self._send(entry.first_delta())
        return entry

    def add_to_call(self, entry: CallEntry, piece: str) -> None:
        """Send a piece of a call's arguments, or of its input."""
        if not self._quiet:
            self._send(entry.delta(piece))

    def add_to_list(self, name: str, member: Body) -> None:
        """Add to one of the lists of the message."""
        known = self._lists.setdefault(name, [])
        known.append({**member, "index": len(known)} if name in self._sent else member)

    def send_lists(self) -> None:
        """Send what was added to the lists since they were sent last."""
        if delta := self._unsent():
            self.begin()
            self._send(delta)

    def _unsent(self) -> Body:
        for link in self.citations.take():
            self.add_to_list("annotations", link)
        for details in self.sealed.take():
            self.add_to_list("reasoning_details", details)
        delta: Body = {}
        for name in _LISTS if self._lists else ():
            members = self._lists.get(name, ())
            if more := members[self._sent.get(name, 0) :]:
                delta[name] = list(more)
                self._sent[name] = len(members)
        return delta

    def text_appender(self, field: str, buffer: TextBuffer) -> ChunkWriter | None:
        """Return what sends another piece of the text that *buffer* has, and gives the frame for it."""
        return self._appender({field: HOLE}, buffer)

    def call_appender(self, entry: CallEntry) -> ChunkWriter | None:
        """Return what sends another piece of a call's arguments or input, and gives the frame for it."""
        return self._appender(entry.delta(HOLE), entry.payload)

    def _appender(self, delta: Body, buffer: TextBuffer) -> ChunkWriter | None:
        """Return what fills the hole in *delta*; None if there is no template with it."""
        choice = {"index": 0, "delta": delta, "logprobs": HOLE, "finish_reason": None}
        template = FrameTemplate.of({**self._head, "choices": [choice]}, sse.data)
        if template is None:
            return None
        add, encode, fill = buffer.add, json.encode_strict, template.fill

        def append(piece: str, end: bytes = b"", logprobs: bytes = b"null") -> bytes:
            add(piece)
            return fill((encode(piece), logprobs, end))

        return append

    @property
    def used(self) -> int | None:
        """How many tokens the answer has, if that is known."""
        return self._usage["completion_tokens"] if self._usage else None

    @property
    def call_reason(self) -> str | None:
        """The finish reason of an answer with calls; None if there are none."""
        if not self._calls:
            return None
        return "function_call" if self.legacy else "tool_calls"

    def end(self, reason: str) -> None:
        """Send what is sent at the end, in the order in which clients need it (G7, G12)."""
        has_content = self._has("content")
        is_null = not has_content and bool(self._calls or self._has("refusal"))
        self.begin(None if is_null else "")
        delta = self._unsent()
        self.finish_reason = reason
        if self._quiet:
            return
        if self._content_is_null and not (is_null or has_content):
            delta["content"] = ""
        if delta:
            self._send(delta)
        self._send({}, reason)
        if "moderation" in self._about:
            self._chunks.append({**self._head, "choices": [], "moderation": self._about["moderation"]})
        if self._include_usage and self._usage is not None:
            self._chunks.append({**self._head, "choices": [], "usage": self._usage})

    def fail(self, error: TranslationError) -> None:
        """Send that the answer failed; what was sent remains."""
        self._chunks.append(error.body())

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
        content, refusal = self._whole("content"), self._whole("refusal")
        message: Body = {
            "role": "assistant",
            # without text, null beside something else; an answer with nothing has an empty text
            "content": content or (None if self._calls or refusal else ""),
            "refusal": refusal or None,
        }
        if self._calls and self.legacy:
            message["function_call"] = self._calls[0].whole()
        elif self._calls:
            message["tool_calls"] = [call.whole() for call in self._calls]
        if reasoning := self._whole("reasoning_content"):
            message["reasoning_content"] = reasoning
        return {**message, **self._lists}

    def _has(self, field: str) -> bool:
        return field in self._texts and bool(self._texts[field])

    def _whole(self, field: str) -> str:
        """Return a text of the message as far as it came."""
        return self._texts[field].whole() if field in self._texts else ""

    def _send(self, delta: Body, reason: str | None = None) -> None:
        if self._quiet:
            return
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        self._chunks.append({**self._head, "choices": [choice]})


def derived_id(response_id: str) -> str:
    """Return the id of the completion for the id of a Response."""
    return f"chatcmpl-{response_id.removeprefix('resp_')}"
