"""The fast path of finished answers: the bytes of a plain chat completion straight to those of a Response.

It takes one choice with a text, thoughts, calls of functions, and a good end. All others are left to the general path,
which gives the same bytes: a property test compares the two.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec

from .. import fields
from ..parts import endings, plain_usage, reasoning, times
from ..stream import logprobs
from ..stream.to_responses.response_context import ResponseContext
from ..wire import json
from .actions import Body

_Name = Annotated[str, msgspec.Meta(min_length=1)]


class _CalledFunction(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: _Name
    arguments: str | None = None


class _ToolCall(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: _Name
    function: _CalledFunction
    type: Literal["function"] | None = None
    index: int | None = None


class _Message(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCall] | None = None
    refusal: Literal[""] | None = None
    annotations: tuple[()] | None = None
    function_call: None = None
    audio: None = None


class _Choice(msgspec.Struct, gc=False):
    """The members of a choice that the general path reads, too; all others are ignored."""

    message: _Message
    finish_reason: str
    index: int | None = None
    delta: None = None
    text: None = None
    logprobs: None = None
    error: None = None
    usage: None = None
    x_groq: None = None


class _Groq(msgspec.Struct, gc=False):
    usage: None = None
    error: None = None


class _Completion(msgspec.Struct, gc=False):
    """The same of a completion."""

    choices: tuple[_Choice]
    created: int | float | None = None
    model: str | None = None
    service_tier: str | None = None
    usage: plain_usage.ChatUsage | None = None
    x_groq: _Groq | None = None
    error: None = None
    base_resp: None = None
    moderation: None = None
    citations: None = None
    search_results: None = None


_decode = msgspec.json.Decoder(_Completion).decode
_GOOD = frozenset(reason for reason, ending in endings.ENDINGS.items() if ending == endings.COMPLETED)

# What is made of it: structs take half the time of dicts, and have their fields in the order of the general path.


class _Text(msgspec.Struct, gc=False):
    type: str
    text: str


class _OutputText(_Text, gc=False):
    annotations: list[None] = []
    logprobs: list[None] = []


class _Item(msgspec.Struct, gc=False):
    id: str
    type: str


class _ReasoningItem(_Item, gc=False):
    status: str
    summary: list[_Text]
    content: list[_Text] | msgspec.UnsetType
    encrypted_content: str | msgspec.UnsetType | None


class _MessageItem(_Item, gc=False):
    role: str
    status: str
    content: list[_OutputText]


class _CallItem(_Item, gc=False):
    status: str
    call_id: str
    name: str
    namespace: str | msgspec.UnsetType
    arguments: str


class _Answer(msgspec.Struct, gc=False):
    """The members of a Response that its request does not decide: the first ones."""

    id: str
    object: str
    created_at: int
    completed_at: int
    status: str
    incomplete_details: None
    error: None
    model: str
    output: list[_Item]
    usage: dict[str, Any] | None
    service_tier: str


class CompletionFastPath:
    """Plain chat completions to Responses, for the answers to one request."""

    def __init__(self, about: ResponseContext) -> None:
        self._about = about
        self._has_markup = bool(about.context.profile.markup)
        self._repeated = b""

    @staticmethod
    def of(about: ResponseContext) -> CompletionFastPath | None:
        """Return the fast path; None if no answer to this request is plain."""
        if about.compacts or about.summary is not None or about.context.profile.cumulative_deltas:
            return None
        return CompletionFastPath(about)

    def take(self, data: bytes) -> Body | None:
        """Return the Response for a completion, or None: it was not taken, and must go the general path."""
        try:
            completion = _decode(data)
        except logprobs.NOT_READ:
            return None
        choice = completion.choices[0]
        message, reason = choice.message, choice.finish_reason
        if reason not in _GOOD or (reason in endings.CALLS and not message.tool_calls):
            return None
        calls = self._calls(message.tool_calls) if message.tool_calls else []
        if calls is None or (self._has_markup and message.content and not _has_no_tags(message.content)):
            return None
        answer = self._answer(completion, message, calls)
        end = self._repeated = self._repeated or self._encode_repeated()
        return Body(partial(self._whole, answer), json.encode(answer)[:-1] + end)

    def _encode_repeated(self) -> bytes:
        """What every answer to this request repeats of it, encoded once, to stand behind what is its own."""
        members = islice(self._about.blank.items(), len(_Answer.__struct_fields__), None)
        return b",%b" % json.encode(dict(members))[1:]

    def _whole(self, answer: _Answer) -> dict[str, Any]:
        return {**fields.own_answer(self._about.blank), **msgspec.to_builtins(answer)}

    def _answer(self, completion: _Completion, message: _Message, calls: list[_CallItem]) -> _Answer:
        """What is its own; ids are made in the order of their items."""
        about, blank, new_id = self._about, self._about.blank, self._about.new_id
        answer_id, created = new_id("resp"), times.seconds(completion.created)
        if created is None:
            created = int(about.clock())
        thoughts = message.reasoning_content or message.reasoning
        output: list[_Item] = []
        if thoughts and about.show_reasoning != "off":
            output.append(self._reasoning(thoughts, message))
        if message.content:
            parts = [_OutputText("output_text", message.content)]
            output.append(_MessageItem(new_id("msg"), "message", "assistant", "completed", parts))
        for call in calls:
            call.id = new_id("fc")
            output.append(call)
        return _Answer(
            answer_id,
            "response",
            created,
            int(about.clock()) or created,
            "completed",
            None,
            None,
            blank["model"] if about.keeps_model else completion.model or blank["model"],
            output,
            None if completion.usage is None else plain_usage.to_responses(completion.usage),
            blank["service_tier"] if completion.service_tier is None else completion.service_tier,
        )

    def _reasoning(self, text: str, message: _Message) -> _ReasoningItem:
        about, show = self._about, self._about.show_reasoning
        item_id = about.new_id("rs")
        summary = [] if show == "content" else [_Text("summary_text", text)]
        content = msgspec.UNSET if show == "summary" else [_Text("reasoning_text", text)]
        sealed: str | msgspec.UnsetType | None = msgspec.UNSET
        if about.seal_reasoning:
            state = {"text": text} if message.reasoning_content else {"text": text, "field": "reasoning"}
            sealed = reasoning.seal({**state, "model": about.model}, about.context.seals)
        return _ReasoningItem(item_id, "reasoning", "completed", summary, content, sealed)

    def _calls(self, calls: list[_ToolCall]) -> list[_CallItem] | None:
        """The items for calls, without their ids; None if one of them is no plain call of a function."""
        items: list[_CallItem] = []
        for call in calls:
            name, arguments = call.function.name, call.function.arguments or ""
            tool, namespace = self._about.catalog.declared_or_known(name), None
            if tool is not None:
                if tool.kind != "function":
                    return None
                name, namespace = tool.name, tool.namespace
            if not arguments.strip():
                arguments += "{}"  # clients parse it
            items.append(
                _CallItem("", "function_call", "completed", call.id, name, namespace or msgspec.UNSET, arguments)
            )
        return items if len({call.id for call in calls}) == len(calls) else None


def _has_no_tags(text: str) -> bool:
    """Whether a text is nothing but text, in whatever tags there may be something else."""
    return "<" not in text and not text.isspace()
