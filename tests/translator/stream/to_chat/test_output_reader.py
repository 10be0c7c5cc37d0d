from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator.stream.to_chat.context import CompletionContext

from event_stage import CALL, Stage, message_of, read, stages


@pytest.fixture
def stage(make_context: Callable[..., CompletionContext]) -> Callable[..., Stage]:
    return stages(make_context)


def test_an_item_ends_once(stage: Callable[..., Stage]) -> None:
    """What it says when it ends again is not said."""
    act = stage()
    for text in ("a", "b"):
        part = {"type": "output_text", "text": text}
        read(act, "output_item.done", output_index=0, item={"type": "message", "id": "m", "content": [part]})
    assert message_of(act) == {"content": "a"}
    assert [str(loss) for loss in act.report] == ["approximated message: an item ended more than once"]


def test_a_call_that_cannot_be_read(stage: Callable[..., Stage]) -> None:
    """The answer is broken."""
    act = stage()
    read(act, "output_item.done", output_index=0, item={"type": "shell_call", "call_id": "c"})
    assert act.output.broken == "The upstream sent a tool call that cannot be read."


def test_what_is_too_deep(stage: Callable[..., Stage]) -> None:
    """It could not be encoded."""
    deep: Any = {}
    for _ in range(100):
        deep = {"a": deep}
    for kind, fields in (
        ("function_call_arguments.done", {"arguments": deep}),
        ("output_item.done", {"item": {**CALL, "arguments": deep}}),
        ("output_item.done", {"item": {"type": "reasoning", "encrypted_content": "x", "more": deep}}),
    ):
        act = stage()
        read(act, kind, **fields)
        assert act.output.broken == "The upstream sent a value that is nested too deeply."


def test_the_first_trouble_counts(stage: Callable[..., Stage]) -> None:
    """The others follow from it."""
    act = stage()
    act.output.mark_broken("this")
    act.output.mark_broken("that")
    assert act.output.broken == "The upstream sent this."


@pytest.mark.parametrize(
    ("item", "image", "loss"),
    [
        ({"result": "QUJD"}, "data:image/png;base64,QUJD", "approximated images"),
        ({"result": "QUJD", "output_format": "webp"}, "data:image/webp;base64,QUJD", "approximated images"),
        ({"result": "QUJD", "output_format": "x;y"}, "data:image/png;base64,QUJD", "approximated images"),
        ({"result": None}, None, "dropped message: chat has no equivalent of 'image_generation_call'"),
        ({"result": 5}, None, "dropped message: chat has no equivalent of 'image_generation_call'"),
    ],
)
def test_images(stage: Callable[..., Stage], item: dict[str, Any], image: str | None, loss: str) -> None:
    """Some clients know them under a name of their own; told twice, it is one image."""
    act = stage()
    read(act, "output_item.done", output_index=0, item={"type": "image_generation_call", "id": "ig", **item})
    act.output.read_output([{"type": "image_generation_call", "id": "ig", **item}], None)
    images = message_of(act).get("images", [])
    assert [entry["image_url"]["url"] for entry in images] == ([image] if image else [])
    assert [str(entry).startswith(loss) for entry in act.report] == [True]


def test_what_the_server_ran_is_reported_once(stage: Callable[..., Stage]) -> None:
    """Once per kind, and it never breaks an answer."""
    act = stage()
    kinds = ("web_search_call", "mcp_call", "web_search_call", "my:own", "bad type")
    for i, kind in enumerate(kinds):
        read(act, "output_item.added", output_index=i, item={"type": kind})
        read(act, "output_item.done", output_index=i, item={"type": kind})
    read(act, "output_item.done", item={})
    assert act.output.is_done()
    assert message_of(act) == {}
    words = ("'web_search_call'", "'mcp_call'", "'my:own'", "something without a valid name")
    assert [loss.why for loss in act.report] == [f"chat has no equivalent of {word}" for word in words]


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
    act = stage()
    act.output.read_output(output, text)
    assert message_of(act).get("content") == content


def test_a_whole_output_repeats_what_was_streamed(stage: Callable[..., Stage]) -> None:
    """R1: nothing is said twice, and what was streamed stays."""
    act = stage()
    read(act, "output_text.delta", output_index=0, item_id="m", content_index=0, delta="a")
    act.output.read_output([], "ab")
    act.output.read_output([{"type": "message", "id": "m", "content": "ab", "status": "incomplete"}], None)
    assert act.output.is_cut()
    assert message_of(act) == {"content": "ab"}


def test_nothing_counts_behind_a_stop_sequence(stage: Callable[..., Stage]) -> None:
    """It ends the answer: calls behind it are not made."""
    act = stage("STOP")
    act.output.read_output([{"type": "message", "content": "one STOP"}, CALL], None)
    assert act.out.stopped
    assert message_of(act) == {"content": "one "}


def test_a_call_that_began_before_a_stop_sequence_is_told_to_its_end(stage: Callable[..., Stage]) -> None:
    """Its arguments may come in the whole output only; nobody makes some up."""
    act = stage("STOP")
    read(act, "output_item.added", output_index=0, item={**CALL, "arguments": ""})
    read(act, "output_text.delta", output_index=1, content_index=0, delta="one STOP")
    late = {**CALL, "id": "fc_2", "call_id": "c2"}
    act.output.read_output([{**CALL, "arguments": "[1]"}, {"type": "message", "content": "one STOP"}, late], None)
    (call,) = message_of(act)["tool_calls"]
    assert call["function"]["arguments"] == "[1]"
