"""What was said, in the form of OpenTelemetry's conventions: messages of `parts`, made from the chat side.

It is made only if OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT asks for it. Data of images and files is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from opentelemetry.util.genai.types import (
    FilePart,
    InputMessage,
    MessagePart,
    OutputMessage,
    ReasoningPart,
    TextPart,
    ToolCallRequestPart,
    ToolCallResponsePart,
    UriPart,
)

from ...translator import TranslationError, chat_answer

_REASONING = ("reasoning_content", "reasoning")
_ENDS = {"max_output_tokens": "length"}


def messages(sent: Any) -> list[InputMessage]:
    """Return the messages of a chat request."""
    return [InputMessage(str(message.get("role")), [*_parts(message)]) for message in _objects(sent)]


def choices(received: Any) -> list[OutputMessage]:
    """Return the choices of a chat completion."""
    return [
        OutputMessage("assistant", [*_parts(message)], finish_reason=_text(choice.get("finish_reason")))
        for choice in _objects(received)
        for message in _objects([choice.get("message")])
    ]


def answered(answer: dict[str, Any]) -> list[OutputMessage]:
    """Return what an answer of either API says, however it ended."""
    if "choices" in answer:
        return choices(answer["choices"])
    plain = {"id": answer.get("id"), "model": answer.get("model"), "output": answer.get("output")}
    try:  # without what the answer repeats of the request: that may be encoded
        chat, _ = chat_answer({**plain, "status": "completed"})
    except TranslationError:
        return []
    return [replace(message, finish_reason=finish_reasons(answer)[0]) for message in choices(chat.get("choices"))]


def finish_reasons(answer: dict[str, Any]) -> list[str]:
    """Return why an answer of either API ended, in the words of chat."""
    if "choices" in answer:
        return [reason for choice in answer["choices"] if (reason := _text(choice.get("finish_reason")))]
    if answer.get("status") == "incomplete":
        reason = _text((answer.get("incomplete_details") or {}).get("reason")) or "length"
        return [_ENDS.get(reason, reason)]
    if answer.get("status") == "failed":
        return ["error"]
    has_calls = any(str(item.get("type")).endswith("_call") for item in _objects(answer.get("output")))
    return ["tool_calls" if has_calls else "stop"]


def _parts(message: dict[str, Any]) -> Iterator[MessagePart]:
    if reasoning := next((text for name in _REASONING if (text := _text(message.get(name)))), None):
        yield ReasoningPart(reasoning)
    if message.get("role") == "tool":
        yield ToolCallResponsePart(_content_text(message.get("content")), _text(message.get("tool_call_id")))
        return
    yield from _content(message.get("content"))
    if refusal := _text(message.get("refusal")):
        yield TextPart(refusal)
    for call in _objects(message.get("tool_calls")):
        written = call.get("function") or call.get("custom") or {}
        arguments = written.get("arguments", written.get("input"))
        yield ToolCallRequestPart(_text(arguments), str(written.get("name")), _text(call.get("id")))


def _content(content: Any) -> Iterator[MessagePart]:
    if text := _text(content):
        yield TextPart(text)
    for part in _objects(content):
        if text := _text(part.get("text")) or _text(part.get("refusal")):
            yield TextPart(text)
        elif url := _text((part.get("image_url") or {}).get("url")):
            yield UriPart(None, "image", url if not url.startswith("data:") else url.partition(",")[0])
        elif file := _text((part.get("file") or {}).get("file_id")):
            yield FilePart(None, "document", file)


def _content_text(content: Any) -> str:
    return "".join(part.content for part in _content(content) if isinstance(part, TextPart))


def _objects(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
