from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Report
from diglot.translator.stream.to_chat.completion import Completion
from diglot.translator.stream.to_chat.context import CompletionContext
from diglot.translator.stream.to_chat.item_parts import ReceivedItem
from diglot.translator.stream.to_chat.received_part import ReceivedPart
from diglot.translator.stream.to_chat.text_output import TextOutput
from diglot.translator.stream.to_chat.text_queue import TextQueue

REPORTED = ["approximated content: the finished text differs from the streamed one"]
Stage = tuple[Completion, TextQueue, Report]


@pytest.fixture
def stage(make_context: Callable[..., CompletionContext]) -> Callable[..., Stage]:
    """A completion, and a queue of items that are written to it."""

    def make(*stops: str, between_parts: str = "") -> Stage:
        context = make_context(*stops)
        out, report = Completion(context), context.context.report
        return out, TextQueue(TextOutput(out, stops), report, "|", between_parts), report

    return make


def texts_of(out: Completion) -> dict[str, Any]:
    message = out.answer["choices"][0]["message"]
    return {name: text for name, text in message.items() if text and name != "role"}


def added(queue: TextQueue, count: int = 1) -> list[ReceivedItem]:
    items = [ReceivedItem("message") for _ in range(count)]
    for item in items:
        queue.add(item)
    return items


def finish(queue: TextQueue, *ends: ReceivedItem | ReceivedPart) -> None:
    for one in ends:
        one.finish()
    queue.advance()


# --- turns -----------------------------------------------------------------------------------------------------------


def test_items_take_turns(stage: Callable[..., Stage]) -> None:
    """What comes of the second waits until the first is done; a separator stands between their texts."""
    out, queue, _ = stage()
    one, two = added(queue, 2)
    first, second = one.part("content", 0), two.part("content", 0)
    queue.feed(two, second, "b1", [])
    queue.feed(one, first, "a1", [])
    queue.feed(two, second, "b2", [])
    assert texts_of(out) == {"content": "a1"}
    assert queue.is_current(one, first)
    assert not queue.is_current(two, second)
    finish(queue, one)
    assert texts_of(out) == {"content": "a1|b1b2"}
    assert (first.offset, second.offset) == (0, 3)
    assert queue.is_current(two, second)
    finish(queue, two)
    assert not queue.is_current(two, second)


def test_parts_take_turns(stage: Callable[..., Stage]) -> None:
    """The parts of an item too, with nothing between them."""
    out, queue, _ = stage()
    (item,) = added(queue)
    first, second = item.part("content", 0), item.part("content", 1)
    queue.feed(item, first, "a", [])
    queue.feed(item, second, "b", [])
    assert texts_of(out) == {"content": "a"}
    finish(queue, first)
    assert texts_of(out) == {"content": "ab"}
    assert second.offset == 1


def test_separators_are_lazy(stage: Callable[..., Stage]) -> None:
    """They stand before text that follows text of the same field, and nowhere else."""
    out, queue, _ = stage(between_parts="-")
    items = added(queue, 4)
    queue.feed(items[0], items[0].part("refusal", 0), "no", [])
    queue.feed(items[1], items[1].part("content", 0), "a", [])
    queue.feed(items[3], items[3].part("content", 0), "b", [])
    queue.feed(items[3], items[3].part("refusal", 1), "never", [])
    queue.close()
    assert texts_of(out) == {"content": "a|b", "refusal": "no|never"}
    assert all(item.done for item in items)


def test_a_separator_between_parts(stage: Callable[..., Stage]) -> None:
    """As thoughts have it."""
    out, queue, _ = stage(between_parts="-")
    (item,) = added(queue)
    for index, text in enumerate("abc"):
        queue.finish_part(item, item.part("reasoning_content", index), text)
    assert texts_of(out) == {"reasoning_content": "a-b-c"}


# --- repair ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces", "whole", "text", "reported"),
    [
        (["He", "llo"], "Hello", "Hello", []),
        (["He"], "Hello", "Hello", []),
        ([], "Hello", "Hello", []),
        ([], "", "", []),
        (["Hello"], None, "Hello", []),
        (["Hello"], 5, "Hello", []),
        (["Hello"], "Hell", "Hello", REPORTED),
        (["Hello"], "Bye", "Hello", REPORTED),
    ],
)
def test_what_was_not_streamed_is_said(
    stage: Callable[..., Stage], pieces: list[str], whole: Any, text: str, reported: list[str]
) -> None:
    """What contradicts cannot be taken back."""
    out, queue, report = stage()
    (item,) = added(queue)
    part = item.part("content", 0)
    for piece in pieces:
        queue.feed(item, part, piece, [])
    queue.finish_part(item, part, whole)
    assert texts_of(out).get("content", "") == text
    assert [str(loss) for loss in report] == reported
    assert part.done


def test_a_whole_text_may_grow_once_more(stage: Callable[..., Stage]) -> None:
    """Several events tell the whole of a text; the longest counts, until another text follows."""
    out, queue, report = stage()
    one, two = added(queue, 2)
    part = one.part("content", 0)
    queue.finish_part(one, part, "He")
    queue.finish_part(one, part, "Hello")
    finish(queue, one)
    queue.finish_part(one, part, "Hello!")
    queue.feed(two, two.part("content", 0), "b", [])
    queue.finish_part(one, part, "Hello! You")
    assert texts_of(out) == {"content": "Hello!|b"}
    assert [str(loss) for loss in report] == REPORTED


@pytest.mark.parametrize("ends", ["part", "item"])
def test_what_comes_after_the_end_is_not_said(stage: Callable[..., Stage], ends: str) -> None:
    """It is reported."""
    out, queue, report = stage()
    (item,) = added(queue)
    part = item.part("content", 0)
    queue.feed(item, part, "a", [])
    finish(queue, part if ends == "part" else item)
    queue.feed(item, part, "b", [])
    assert texts_of(out) == {"content": "a"}
    assert [str(loss) for loss in report] == REPORTED


def test_tokens_of_the_whole_count_if_no_others_came(stage: Callable[..., Stage]) -> None:
    """Otherwise they would be there twice."""
    out, queue, _ = stage()
    (item,) = added(queue)
    first, second = item.part("content", 0), item.part("content", 1)
    queue.feed(item, first, "a", [{"token": "a"}])
    queue.finish_part(item, first, "a", [{"token": "again"}])
    queue.feed(item, second, "b", [])
    queue.finish_part(item, second, "b", [{"token": "b"}])
    queue.finish_part(item, second, "b", [{"token": "again"}])
    assert [token["token"] for token in out.answer["choices"][0]["logprobs"]["content"]] == ["a", "b"]
