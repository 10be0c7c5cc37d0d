"""The fast path of finished answers: the bytes of a plain Response straight to a chat completion.

It takes texts, thoughts, calls of functions, and a good end. All others are left to the general path, which gives the
same completion: a property test compares the two.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from ..parts import names, plain_usage, reasoning, times
from ..stream import logprobs
from ..stream.to_chat.completion import LONGEST, derived_id
from ..stream.to_chat.context import CompletionContext
from .actions import Body

Message = dict[str, Any]
_Name = Annotated[str, msgspec.Meta(min_length=1)]
_Short = Annotated[str, msgspec.Meta(max_length=LONGEST)] | None


class _TextPart(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: str
    type: Literal["output_text"]
    annotations: tuple[()] | None = None
    logprobs: tuple[()] | None = None


class _MessageItem(msgspec.Struct, forbid_unknown_fields=True, gc=False, tag_field="type", tag="message"):
    content: list[_TextPart]
    id: _Name | None = None
    role: str | None = None
    status: Literal["completed"] | None = None
    phase: str | None = None


class _Thought(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: str
    type: str | None = None


class _ReasoningItem(msgspec.Struct, forbid_unknown_fields=True, gc=False, tag_field="type", tag="reasoning"):
    id: _Name | None = None
    summary: list[_Thought] | None = None
    content: list[_Thought] | None = None
    status: Literal["completed"] | None = None
    encrypted_content: str | None = None


class _CallItem(msgspec.Struct, forbid_unknown_fields=True, gc=False, tag_field="type", tag="function_call"):
    call_id: _Name
    name: _Name
    arguments: str | None = None
    id: _Name | None = None
    namespace: str | None = None
    status: Literal["completed"] | None = None


_Item = _MessageItem | _ReasoningItem | _CallItem


class _Response(msgspec.Struct, gc=False):
    """The members of a Response that the general path reads, too; all others are ignored."""

    object: Literal["response"]
    status: Literal["completed"]
    output: list[_Item]
    id: _Short = None
    model: _Short = None
    created_at: int | float | None = None
    service_tier: _Short = None
    metadata: dict[str, str] | None = None
    usage: plain_usage.ResponsesUsage | None = None
    error: None = None
    incomplete_details: None = None
    moderation: None = None
    type: None = None


class _Output(msgspec.Struct, gc=False):
    output: list[dict[str, Any]]


_decode = msgspec.json.Decoder(_Response).decode
_decode_output = msgspec.json.Decoder(_Output).decode


class ResponseFastPath:
    """Plain Responses to chat completions, for the answers to one request."""

    def __init__(self, context: CompletionContext) -> None:
        self._context = context
        profile = context.context.profile
        self._separator = profile.message_separator
        self._exposed = profile.reasoning_expose
        self._seals = context.context.seals
        self._limit = None if profile.reports_truncation else context.limit

    @staticmethod
    def of(context: CompletionContext) -> ResponseFastPath | None:
        """Return the fast path; None if no answer to this request is plain."""
        return None if context.legacy or context.stops else ResponseFastPath(context)

    def take(self, data: bytes) -> Body | None:
        """Return the completion for a Response, or None: it was not taken, and must go the general path."""
        try:
            finished = _decode(data)
            message = self._message(finished.output, data)
        except logprobs.NOT_READ:
            return None
        if message is None:
            return None
        used = plain_usage.to_chat(finished.usage) if finished.usage is not None else None
        reason = "tool_calls" if "tool_calls" in message else "stop"
        if reason == "stop" and self._limit is not None and used and used["completion_tokens"] >= self._limit:
            return None
        return Body.of(self._completion(finished, message, reason, used))

    def _completion(
        self, finished: _Response, message: Message, reason: str, used: dict[str, Any] | None
    ) -> dict[str, Any]:
        context = self._context
        completion: dict[str, Any] = {
            "id": context.own_id or derived_id(finished.id or context.new_id("resp")),
            "object": "chat.completion",
            "created": times.seconds(finished.created_at) or int(context.clock()),
            "model": context.model if context.keeps_model else finished.model or context.model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
            "usage": used,
        }
        if finished.service_tier is not None:
            completion["service_tier"] = finished.service_tier
        if finished.metadata:
            completion["metadata"] = finished.metadata
        return completion

    def _message(self, output: list[_Item], data: bytes) -> Message | None:
        """The message that the items make; None if one of them is not plain, or two may be one."""
        texts: list[str] = []
        thoughts: list[str] = []
        calls: list[dict[str, Any]] = []
        ids: list[str] = []
        is_sealed = False
        for item in output:
            if item.id is not None:
                ids.append(item.id)
            if isinstance(item, _CallItem):
                calls.append(self._call(item))
                ids += (item.call_id, f"call_id {item.call_id}")  # as the general path names them
            elif isinstance(item, _ReasoningItem):
                thoughts += self._thoughts(item)
                is_sealed = is_sealed or bool(item.encrypted_content)
            elif item.phase == "commentary" and self._context.has_format:
                return None
            else:
                texts.append("".join([part.text for part in item.content]))
        if not output or len(set(ids)) < len(ids):
            return None
        content = self._separator.join(filter(None, texts))
        message: Message = {"role": "assistant", "content": content or (None if calls else ""), "refusal": None}
        if calls:
            message["tool_calls"] = calls
        if thoughts:
            message["reasoning_content"] = "\n\n".join(thoughts)
        if is_sealed and self._exposed != "off":
            message["reasoning_details"] = self._details(data)
        return message

    def _details(self, data: bytes) -> list[dict[str, Any]]:
        """What brings back, as they are, the items in which only their server can read."""
        sealed = [item for item in _decode_output(data).output if item.get("encrypted_content")]
        return [{**reasoning.to_details(item, self._seals), "index": index} for index, item in enumerate(sealed)]

    def _call(self, item: _CallItem) -> dict[str, Any]:
        name = self._context.caller_name(names.flatten(item.name, item.namespace))
        function = {"name": name, "arguments": item.arguments or "{}"}  # clients parse it
        return {"id": item.call_id, "type": "function", "function": function}

    def _thoughts(self, item: _ReasoningItem) -> list[str]:
        """The texts that are shown of a reasoning item: those of its content, or else of its summary."""
        shown: list[str] = []
        if item.content and self._exposed in ("auto", "both", "content"):
            shown = [part.text for part in item.content if part.text]
        if item.summary and not shown and self._exposed in ("auto", "both", "summary"):
            shown = [part.text for part in item.summary if part.text]
        return shown
