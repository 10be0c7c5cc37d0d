from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator.stream.to_chat.context import CompletionContext
from diglot.translator.stream.to_chat.events import EVENTS

from event_stage import CALL, Stage, message_of, read, stages


@pytest.fixture
def stage(make_context: Callable[..., CompletionContext]) -> Callable[..., Stage]:
    return stages(make_context)


@pytest.mark.parametrize("kind", ["response.created", "response.web_search_call.searching", "x", None, 5, ["x"]])
def test_what_is_not_about_items(stage: Callable[..., Stage], kind: Any) -> None:
    """Somebody else takes it, or nobody."""
    act = stage()
    assert not act.reader.read({"type": kind})
    assert act.output.is_empty()


@pytest.mark.parametrize("kind", sorted(EVENTS))
@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, {"type": ["x"]}])
def test_junk_in_any_event_is_no_accident(stage: Callable[..., Stage], kind: str, junk: Any) -> None:
    """A field may be anything at all."""
    names = ("delta", "text", "refusal", "part", "item", "item_id", "output_index", "content_index", "annotation")
    for name in (*names, "summary_index", "annotation_index", "arguments", "input", "logprobs"):
        act = stage()
        act.reader.read({"type": kind, "delta": "d", name: junk})
        message_of(act)


@pytest.mark.parametrize(
    "kind",
    ["output_text", "refusal", "reasoning_text", "reasoning_summary_text", "function_call_arguments"],
)
def test_a_delta_that_is_no_text(stage: Callable[..., Stage], kind: str) -> None:
    """What it said is lost, so the answer is broken."""
    act = stage()
    read(act, f"{kind}.delta", delta={"x": 1})
    assert act.output.broken == "The upstream sent a delta that is not text."


def test_every_kind_of_piece(stage: Callable[..., Stage]) -> None:
    """Each goes to its reader."""
    act = stage()
    text, thought = {"output_index": 0, "item_id": "m"}, {"output_index": 1, "item_id": "r"}
    read(act, "output_text.delta", **text, content_index=0, delta="a")
    read(act, "output_text.annotation.added", **text, content_index=0, annotation={"url": "u"})
    read(act, "output_text.done", **text, content_index=0, text="ab")
    read(act, "refusal.delta", **text, content_index=1, delta="n")
    read(act, "refusal.done", **text, content_index=1, refusal="no")
    read(act, "content_part.done", **text, content_index=2, part={"type": "output_text", "text": "c"})
    read(act, "content_part.done", **text, content_index=3, part={"type": "unknown", "text": "c"})
    read(act, "reasoning.delta", **thought, content_index=0, delta="h")
    read(act, "reasoning.done", **thought, content_index=0, text="hm")
    read(act, "content_part.done", **thought, content_index=1, part={"type": "reasoning_text", "text": "so"})
    other = {"output_index": 2, "item_id": "s"}
    read(act, "reasoning_summary_text.delta", **other, summary_index=0, delta="t")
    read(act, "reasoning_summary_text.done", **other, summary_index=0, text="th")
    read(act, "reasoning_summary_part.done", **other, summary_index=0, part={"type": "summary_text", "text": "thus"})
    assert not act.output.is_done()
    message = message_of(act)
    assert message.pop("annotations")[0]["url_citation"]["url"] == "u"
    assert message == {"content": "abc", "refusal": "no", "reasoning_content": "hm\n\nso\n\nthus"}


def test_calls_come_in_pieces(stage: Callable[..., Stage]) -> None:
    """Announced, or told only when they are done."""
    act = stage()
    read(act, "output_item.added", output_index=0, item={**CALL, "arguments": ""})
    read(act, "function_call_arguments.delta", output_index=0, item_id="fc_1", delta="")
    read(act, "function_call_arguments.delta", output_index=0, item_id="fc_1", delta="{")
    read(act, "function_call_arguments.done", output_index=0, item_id="fc_1", arguments="{}")
    read(act, "output_item.done", output_index=0, item=CALL)
    read(act, "custom_tool_call_input.delta", output_index=1, item_id="ctc_1", delta="i")
    read(act, "custom_tool_call_input.done", output_index=1, item_id="ctc_1", input="in")
    custom = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c2", "name": "g", "input": "in"}
    read(act, "output_item.added", output_index=1, item=custom)
    read(act, "output_item.done", output_index=1, item=custom)
    assert act.output.is_done()
    assert [call["id"] for call in message_of(act)["tool_calls"]] == ["c1", "c2"]
    assert not act.output.calls.is_nameless


def test_to_ask_what_grows_changes_nothing(stage: Callable[..., Stage]) -> None:
    """A piece that is no text does not begin a call, neither when it is heard nor when it is asked for."""
    act = stage()
    read(act, "function_call_arguments.delta", output_index=0, delta={"x": 1})
    assert act.reader.appender() is None
    assert act.output.is_empty()
