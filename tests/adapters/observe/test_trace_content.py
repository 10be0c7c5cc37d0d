"""What was said, in the conventions' form."""

from typing import Any

import pytest
from opentelemetry.util.genai.types import OutputMessage

from diglot.adapters.observe import trace_content

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CUSTOM = {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}}


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"role": "user", "content": "Hi"}, [("text", "Hi")]),
        ({"role": "user", "content": [{"type": "text", "text": "Hi"}, "x", {"type": "new"}]}, [("text", "Hi")]),
        ({"role": "assistant", "reasoning_content": "Hm", "content": None}, [("reasoning", "Hm")]),
        ({"role": "assistant", "refusal": "No"}, [("text", "No")]),
        ({"role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]}, [("text", "No")]),
        (
            {"role": "assistant", "tool_calls": [CALL, CUSTOM, {}]},
            [("tool_call", "f"), ("tool_call", "g"), ("tool_call", "None")],
        ),
        (
            {"role": "tool", "tool_call_id": "c1", "content": [{"text": "a"}, {"text": "b"}]},
            [("tool_call_response", "ab")],
        ),
        ({"role": "user", "content": [{"image_url": {"url": "https://x/y.png"}}]}, [("uri", "https://x/y.png")]),
        (
            {"role": "user", "content": [{"image_url": {"url": "data:image/png;base64,AAAA"}}]},
            [("uri", "data:image/png;base64")],
        ),
        ({"role": "user", "content": [{"file": {"file_id": "f1"}}, {"file": {"file_data": "AAAA"}}]}, [("file", "f1")]),
        ({}, []),
    ],
)
def test_messages(message: dict[str, Any], parts: list[tuple[str, str]]) -> None:
    """Each kind of content has its part; the data of images and files is left out."""
    (made,) = trace_content.messages([message])
    assert made.role == str(message.get("role"))
    fields = ("content", "name", "response", "uri", "file_id")
    shown = [
        (part.type, next(str(getattr(part, name)) for name in fields if hasattr(part, name))) for part in made.parts
    ]
    assert shown == parts


def test_what_is_no_message() -> None:
    """It is left out."""
    assert trace_content.messages("hi") == trace_content.messages(["hi"]) == trace_content.messages(None) == []


def test_choices() -> None:
    """Each is a message of the assistant."""
    choices = [{"message": {"content": "A"}, "finish_reason": "stop"}, {"message": None}, {"message": {}}]
    made = trace_content.choices(choices)
    assert [(type(one), len(one.parts), one.finish_reason) for one in made] == [
        (OutputMessage, 1, "stop"),
        (OutputMessage, 0, None),
    ]


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        ({"choices": [{"finish_reason": "stop"}, {"finish_reason": None}]}, ["stop"]),
        ({"status": "completed", "output": [{"type": "message"}]}, ["stop"]),
        ({"status": "completed", "output": [{"type": "function_call"}]}, ["tool_calls"]),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, ["length"]),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, ["content_filter"]),
        ({"status": "incomplete"}, ["length"]),
        ({"status": "failed"}, ["error"]),
        ({"object": "response.compaction"}, ["stop"]),
    ],
)
def test_finish_reasons(answer: dict[str, Any], reasons: list[str]) -> None:
    """In the words of chat, whichever API the client speaks."""
    assert trace_content.finish_reasons(answer) == reasons


def test_answers() -> None:
    """Those of either API, however they ended; nothing is said in one that is none."""
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A"}]}
    cut = {"output": [item], "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    for answer, reason in (
        ({"choices": [{"message": {"content": "A"}, "finish_reason": "stop"}]}, "stop"),
        ({"output": [item], "status": "completed"}, "stop"),
        ({"output": [item], "status": "failed", "error": {"message": "x"}}, "error"),
        (cut, "length"),
    ):
        (said,) = trace_content.answered(answer)
        assert ([part.type for part in said.parts], said.finish_reason) == (["text"], reason)
    assert trace_content.answered({"output": 5}) == []
