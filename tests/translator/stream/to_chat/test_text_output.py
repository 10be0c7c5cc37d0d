from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator.stream.to_chat.completion import Completion
from diglot.translator.stream.to_chat.context import CompletionContext
from diglot.translator.stream.to_chat.item_parts import ReceivedItem
from diglot.translator.stream.to_chat.text_output import TextOutput
from diglot.translator.stream.to_chat.text_queue import TextQueue

Stage = tuple[Completion, TextOutput, TextQueue]


@pytest.fixture
def stage(make_context: Callable[..., CompletionContext]) -> Callable[..., Stage]:
    """A completion, the way of texts into it, and a queue of items that are written."""

    def make(*stops: str) -> Stage:
        context = make_context(*stops)
        out = Completion(context)
        output = TextOutput(out, stops)
        return out, output, TextQueue(output, context.context.report, "|", "")

    return make


def texts_of(out: Completion) -> dict[str, Any]:
    message = out.answer["choices"][0]["message"]
    return {name: text for name, text in message.items() if text and name != "role"}


def add(queue: TextQueue) -> ReceivedItem:
    item = ReceivedItem("message")
    queue.add(item)
    return item


def test_a_stop_sequence_ends_all_speech(stage: Callable[..., Stage]) -> None:
    """Also when it lies across pieces and parts; refusals and thoughts end with the text."""
    out, output, queue = stage("STOP")
    item = add(queue)
    queue.finish_part(item, item.part("content", 0), "one ST")
    assert texts_of(out) == {"content": "one "}
    queue.feed(item, item.part("content", 1), "OP two", [])
    assert out.stopped
    queue.feed(item, item.part("refusal", 2), "no", [])
    queue.close()
    output.separate("content", "|")
    output.separate("refusal", "|")
    output.release()
    assert texts_of(out) == {"content": "one "}


def test_no_stop_sequence_reaches_over_messages(stage: Callable[..., Stage]) -> None:
    """Neither is a separator one, for nobody wrote it."""
    out, _, queue = stage("ab", "|")
    one, two = add(queue), add(queue)
    queue.feed(one, one.part("content", 0), "xa", [])
    assert texts_of(out) == {"content": "x"}
    one.finish()
    queue.advance()
    queue.feed(two, two.part("content", 0), "b", [])
    assert texts_of(out) == {"content": "xa|b"}
    assert not out.stopped


def test_what_was_held_back_is_released_at_the_end(stage: Callable[..., Stage]) -> None:
    """It did not become a stop sequence."""
    out, output, queue = stage("STOP")
    item = add(queue)
    queue.feed(item, item.part("content", 0), "ST", [])
    assert texts_of(out) == {}
    output.release()
    assert texts_of(out) == {"content": "ST"}


def test_stop_sequences_are_of_texts_only(stage: Callable[..., Stage]) -> None:
    """A model may think of one."""
    out, output, _ = stage("STOP")
    output.write("reasoning_content", "STOP", [])
    output.separate("reasoning_content", "\n")
    assert texts_of(out) == {"reasoning_content": "STOP\n"}


def test_without_a_separator_nothing_stands_between(stage: Callable[..., Stage]) -> None:
    """But stop sequences do not reach over it all the same."""
    out, output, _ = stage("ab")
    output.write("content", "a", [])
    output.separate("content", "")
    output.write("content", "b", [])
    assert texts_of(out) == {"content": "ab"}
    assert not out.stopped
