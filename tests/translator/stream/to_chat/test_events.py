from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.stream.to_chat.completion import Completion
from diglot.translator.stream.to_chat.events import EVENTS, EventReader

Stage = tuple[EventReader, Completion, Report]
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}


@pytest.fixture
def stage(new_id: Callable[[str], str], clock: Callable[[], float]) -> Callable[..., Stage]:
    def make(*stops: str) -> Stage:
        report = Report()
        out = Completion("m", False, False, report, new_id, clock)
        return EventReader(out, Context(Profile(), report), stops, new_id), out, report

    return make


def hear(listener: EventReader, kind: str, **fields: Any) -> None:
    assert listener.hear({"type": f"response.{kind}", **fields})


def message_of(listener: EventReader, out: Completion) -> dict[str, Any]:
    listener.flush(whole=True)
    message = out.answer["choices"][0]["message"]
    return {name: value for name, value in message.items() if value and name != "role"}


@pytest.mark.parametrize("kind", ["response.created", "response.web_search_call.searching", "x", None, 5, ["x"]])
def test_what_is_not_about_items(stage: Callable[..., Stage], kind: Any) -> None:
    """Somebody else takes it, or nobody."""
    listener, _, _ = stage()
    assert not listener.hear({"type": kind})
    assert listener.is_empty


@pytest.mark.parametrize("kind", sorted(EVENTS))
@pytest.mark.parametrize("junk", [None, 5, "x", [], {}, {"type": ["x"]}])
def test_junk_in_any_event_is_no_accident(stage: Callable[..., Stage], kind: str, junk: Any) -> None:
    """A field may be anything at all."""
    names = ("delta", "text", "refusal", "part", "item", "item_id", "output_index", "content_index", "annotation")
    for name in (*names, "summary_index", "annotation_index", "arguments", "input", "logprobs"):
        listener, out, _ = stage()
        listener.hear({"type": kind, "delta": "d", name: junk})
        message_of(listener, out)


@pytest.mark.parametrize(
    "kind",
    ["output_text", "refusal", "reasoning_text", "reasoning_summary_text", "function_call_arguments"],
)
def test_a_delta_that_is_no_text(stage: Callable[..., Stage], kind: str) -> None:
    """What it said is lost, so the answer is broken."""
    listener, _, _ = stage()
    hear(listener, f"{kind}.delta", delta={"x": 1})
    assert listener.broken == "The upstream sent a delta that is not text."


def test_every_kind_of_piece(stage: Callable[..., Stage]) -> None:
    """Each goes to its reader."""
    listener, out, _ = stage()
    message, thought = {"output_index": 0, "item_id": "m"}, {"output_index": 1, "item_id": "r"}
    hear(listener, "output_text.delta", **message, content_index=0, delta="a")
    hear(listener, "output_text.annotation.added", **message, content_index=0, annotation={"url": "u"})
    hear(listener, "output_text.done", **message, content_index=0, text="ab")
    hear(listener, "refusal.delta", **message, content_index=1, delta="n")
    hear(listener, "refusal.done", **message, content_index=1, refusal="no")
    hear(listener, "content_part.done", **message, content_index=2, part={"type": "output_text", "text": "c"})
    hear(listener, "content_part.done", **message, content_index=3, part={"type": "unknown", "text": "c"})
    hear(listener, "reasoning.delta", **thought, content_index=0, delta="h")
    hear(listener, "reasoning.done", **thought, content_index=0, text="hm")
    hear(listener, "content_part.done", **thought, content_index=1, part={"type": "reasoning_text", "text": "so"})
    other = {"output_index": 2, "item_id": "s"}
    hear(listener, "reasoning_summary_text.delta", **other, summary_index=0, delta="t")
    hear(listener, "reasoning_summary_text.done", **other, summary_index=0, text="th")
    hear(
        listener, "reasoning_summary_part.done", **other, summary_index=0, part={"type": "summary_text", "text": "thus"}
    )
    assert not listener.are_whole
    said = message_of(listener, out)
    assert said.pop("annotations")[0]["url_citation"]["url"] == "u"
    assert said == {"content": "abc", "refusal": "no", "reasoning_content": "hm\n\nso\n\nthus"}


def test_calls_come_in_pieces(stage: Callable[..., Stage]) -> None:
    """Announced, or told only when they are done."""
    listener, out, _ = stage()
    hear(listener, "output_item.added", output_index=0, item={**CALL, "arguments": ""})
    hear(listener, "function_call_arguments.delta", output_index=0, item_id="fc_1", delta="")
    hear(listener, "function_call_arguments.delta", output_index=0, item_id="fc_1", delta="{")
    hear(listener, "function_call_arguments.done", output_index=0, item_id="fc_1", arguments="{}")
    hear(listener, "output_item.done", output_index=0, item=CALL)
    hear(listener, "custom_tool_call_input.delta", output_index=1, item_id="ctc_1", delta="i")
    hear(listener, "custom_tool_call_input.done", output_index=1, item_id="ctc_1", input="in")
    custom = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c2", "name": "g", "input": "in"}
    hear(listener, "output_item.added", output_index=1, item=custom)
    hear(listener, "output_item.done", output_index=1, item=custom)
    assert listener.are_whole
    assert [call["id"] for call in message_of(listener, out)["tool_calls"]] == ["c1", "c2"]
    assert not listener.is_nameless


def test_an_item_ends_once(stage: Callable[..., Stage]) -> None:
    """What it says when it ends again is not said."""
    listener, out, report = stage()
    for text in ("a", "b"):
        part = {"type": "output_text", "text": text}
        hear(listener, "output_item.done", output_index=0, item={"type": "message", "id": "m", "content": [part]})
    assert message_of(listener, out) == {"content": "a"}
    assert [str(loss) for loss in report] == ["approximated message: an item ended more than once"]


def test_a_call_that_cannot_be_read(stage: Callable[..., Stage]) -> None:
    """The answer is broken."""
    listener, _, _ = stage()
    hear(listener, "output_item.done", output_index=0, item={"type": "shell_call", "call_id": "c"})
    assert listener.broken == "The upstream sent a tool call that cannot be read."


def test_what_is_too_deep(stage: Callable[..., Stage]) -> None:
    """It could not be encoded."""
    deep: Any = {}
    for _ in range(100):
        deep = {"a": deep}
    for kind, fields in (
        ("function_call_arguments.done", {"arguments": deep}),
        ("output_item.done", {"item": {**CALL, "arguments": deep}}),
    ):
        listener, _, _ = stage()
        hear(listener, kind, **fields)
        assert listener.broken == "The upstream sent a value that is nested too deeply."


def test_the_first_trouble_counts(stage: Callable[..., Stage]) -> None:
    """The others follow from it."""
    listener, _, _ = stage()
    listener.garbled("this")
    listener.garbled("that")
    assert listener.broken == "The upstream sent this."


@pytest.mark.parametrize(
    ("item", "image", "loss"),
    [
        ({"result": "QUJD"}, "data:image/png;base64,QUJD", "approximated images"),
        ({"result": "QUJD", "output_format": "webp"}, "data:image/webp;base64,QUJD", "approximated images"),
        ({"result": "QUJD", "output_format": "x;y"}, "data:image/png;base64,QUJD", "approximated images"),
        ({"result": None}, None, "dropped message: chat has no 'image_generation_call'"),
        ({"result": 5}, None, "dropped message: chat has no 'image_generation_call'"),
    ],
)
def test_images(stage: Callable[..., Stage], item: dict[str, Any], image: str | None, loss: str) -> None:
    """Some clients know them under a name of their own; told twice, it is one image."""
    listener, out, report = stage()
    hear(listener, "output_item.done", output_index=0, item={"type": "image_generation_call", "id": "ig", **item})
    listener.hear_output([{"type": "image_generation_call", "id": "ig", **item}], None)
    images = message_of(listener, out).get("images", [])
    assert [entry["image_url"]["url"] for entry in images] == ([image] if image else [])
    assert [str(entry).startswith(loss) for entry in report] == [True]


def test_what_the_server_ran_is_reported_once(stage: Callable[..., Stage]) -> None:
    """Once per kind, and it never breaks an answer."""
    listener, out, report = stage()
    kinds = ("web_search_call", "mcp_call", "web_search_call", "my:own", "bad type")
    for i, kind in enumerate(kinds):
        hear(listener, "output_item.added", output_index=i, item={"type": kind})
        hear(listener, "output_item.done", output_index=i, item={"type": kind})
    hear(listener, "output_item.done", item={})
    assert listener.are_whole
    assert message_of(listener, out) == {}
    words = ("'web_search_call'", "'mcp_call'", "'my:own'", "something without a proper name")
    assert [loss.why for loss in report] == [f"chat has no {word}" for word in words]


@pytest.mark.parametrize(
    ("output", "text", "content"),
    [
        ([{"type": "output_text", "text": "bare"}], None, "bare"),
        ([{"type": "message", "content": "Hi"}, "x", None], "other", "Hi"),
        ([], "text", "text"),
        (None, "text", "text"),
        ("x", "text", "text"),
        (None, "", None),
        (None, 5, None),
    ],
)
def test_a_whole_output(stage: Callable[..., Stage], output: Any, text: Any, content: str | None) -> None:
    """TokenOps: texts without a message around them, or one text for all of it."""
    listener, out, _ = stage()
    listener.hear_output(output, text)
    assert message_of(listener, out).get("content") == content


def test_a_whole_output_repeats_what_was_streamed(stage: Callable[..., Stage]) -> None:
    """R1: nothing is said twice, and what was streamed stays."""
    listener, out, _ = stage()
    hear(listener, "output_text.delta", output_index=0, item_id="m", content_index=0, delta="a")
    listener.hear_output([], "ab")
    listener.hear_output([{"type": "message", "id": "m", "content": "ab", "status": "incomplete"}], None)
    assert listener.is_cut
    assert message_of(listener, out) == {"content": "ab"}


def test_nothing_counts_behind_a_stop_sequence(stage: Callable[..., Stage]) -> None:
    """It ends the answer: calls behind it are not made."""
    listener, out, _ = stage("STOP")
    listener.hear_output([{"type": "message", "content": "one STOP"}, CALL], None)
    assert listener.stopped
    assert message_of(listener, out) == {"content": "one "}


def test_a_call_that_began_before_a_stop_sequence_is_told_to_its_end(stage: Callable[..., Stage]) -> None:
    """Its arguments may come in the whole output only; nobody makes some up."""
    listener, out, _ = stage("STOP")
    hear(listener, "output_item.added", output_index=0, item={**CALL, "arguments": ""})
    hear(listener, "output_text.delta", output_index=1, content_index=0, delta="one STOP")
    late = {**CALL, "id": "fc_2", "call_id": "c2"}
    listener.hear_output([{**CALL, "arguments": "[1]"}, {"type": "message", "content": "one STOP"}, late], None)
    (call,) = message_of(listener, out)["tool_calls"]
    assert call["function"]["arguments"] == "[1]"


def test_to_ask_what_grows_changes_nothing(stage: Callable[..., Stage]) -> None:
    """A piece that is no text does not begin a call, neither when it is heard nor when it is asked for."""
    listener, _, _ = stage()
    hear(listener, "function_call_arguments.delta", output_index=0, delta={"x": 1})
    assert listener.growing() is None
    assert listener.is_empty
