from typing import Any

import pytest
from stories import grown, output

from diglot.translator import PLAIN
from diglot.translator.parts import reasoning
from diglot.translator.stream.to_responses.items import Compaction, Message, Reasoning


def test_text_and_refusals_are_parts_of_their_own() -> None:
    """Each kind opens a part, one at a time, with its deltas in between (I6-I8)."""
    message = Message()

    def grow(m: Message) -> None:
        m.add_text("a", [])
        m.add_text("b", [])
        m.add_refusal("no")
        m.add_text("c", [])

    assert grown(message, grow) == [
        ("output_item.added",),
        ("content_part.added", 0),
        ("output_text.delta", "a", 0),
        ("output_text.delta", "b", 0),
        ("output_text.done", "ab", 0),
        ("content_part.done", 0),
        ("content_part.added", 1),
        ("refusal.delta", "no", 1),
        ("refusal.done", "no", 1),
        ("content_part.done", 1),
        ("content_part.added", 2),
        ("output_text.delta", "c", 2),
        ("output_text.done", "c", 2),
        ("content_part.done", 2),
        ("output_item.done",),
    ]
    assert [part.get("text", part.get("refusal")) for part in message.body["content"]] == ["ab", "no", "c"]


def test_logprobs_and_annotations_belong_to_their_part() -> None:
    """They are counted from 0 in every part (I13), and what was announced before stays as it was."""
    out, message = output(), Message()
    out.add(message)
    token = {"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": []}
    message.add_text("a", [token])
    message.add_annotation({"url": "u"})
    message.add_annotation({"url": "v"})
    message.add_refusal("no")
    message.add_annotation({"url": "w"})
    events = out.take_events()
    assert [event.get("annotation_index") for event in events if "annotation" in event] == [0, 1, 0]
    assert next(event["part"] for event in events if "part" in event) == {
        "type": "output_text",
        "text": "",
        "annotations": [],
        "logprobs": [],
    }
    part = message.body["content"][0]
    assert (part["logprobs"], [a["url"] for a in part["annotations"]]) == ([token], ["u", "v"])


def test_an_empty_message_has_no_parts() -> None:
    """It opens and closes, and nothing is made up."""
    message = Message()
    assert grown(message, lambda m: None, "incomplete") == [("output_item.added",), ("output_item.done",)]
    assert (message.body["content"], message.body["status"]) == ([], "incomplete")


def test_a_summary_is_sealed() -> None:
    """Texts and refusals are in the envelope; citations say nothing, and no delta shows it."""
    item = Compaction(PLAIN)

    def grow(c: Compaction) -> None:
        c.add_text("a", [])
        c.add_refusal("b")
        c.add_annotation({"url": "u"})

    assert grown(item, grow) == [("output_item.added",), ("compaction.compacting",), ("output_item.done",)]
    assert reasoning.unseal(item.body["encrypted_content"]) == {"summary": "ab"}
    assert "status" not in item.body


SUMMARY = [
    ("reasoning_summary_part.added", 0),
    ("reasoning_summary_text.delta", "a", 0),
    ("reasoning_summary_text.delta", "b", 0),
    ("reasoning_summary_text.done", "ab", 0),
    ("reasoning_summary_part.done", 0),
]
CONTENT = [
    ("content_part.added", 0),
    ("reasoning_text.delta", "a", 0),
    ("reasoning_text.delta", "b", 0),
    ("reasoning_text.done", "ab", 0),
    ("content_part.done", 0),
]


@pytest.mark.parametrize(
    ("show", "content", "summary"),
    [("content", True, False), ("summary", False, True), ("both", True, True), ("off", False, False)],
)
def test_where_thoughts_are_shown(show: str, content: bool, summary: bool) -> None:
    """In the content, in a summary, in both or nowhere; each with its own order of events (I11)."""
    item = Reasoning(show, lambda fields: None)
    events = grown(item, lambda r: (r.add_text("a"), r.add_text("b")))
    assert [event for event in events if event in SUMMARY] == SUMMARY * summary
    assert [event for event in events if event in CONTENT] == CONTENT * content
    assert len(events) == 2 + len(SUMMARY) * summary + len(CONTENT) * content
    assert item.body["summary"] == [{"type": "summary_text", "text": "ab"}] * summary
    assert item.body.get("content") == ([{"type": "reasoning_text", "text": "ab"}] if content else None)
    assert "encrypted_content" not in item.body


def test_what_goes_back_unread_is_sealed() -> None:
    """Text, name of the field, signatures and structures, each as it came."""
    sealed: list[Any] = []
    item = Reasoning("off", lambda fields: sealed.append(fields) or "sealed")

    def grow(r: Reasoning) -> None:
        r.add_text("a")
        r.keep("field", "reasoning")
        r.sign("c", {"google": 1})
        r.sign("d", {"google": 2})
        r.add_details("reasoning_details", [{"index": 0, "type": "t", "text": "a"}])
        r.add_details("reasoning_details", [{"index": 0, "type": "t", "text": "b"}])

    grown(item, grow)
    assert sealed == [
        {
            "text": "a",
            "field": "reasoning",
            "calls": {"c": {"google": 1}, "d": {"google": 2}},
            "reasoning_details": [{"index": 0, "type": "t", "text": "ab"}],
        }
    ]
    assert item.body["encrypted_content"] == "sealed"
