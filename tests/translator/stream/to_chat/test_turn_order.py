from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Report
from diglot.translator.stream.to_chat.completion import Completion
from diglot.translator.stream.to_chat.item_parts import ReceivedItem, ReceivedPart
from diglot.translator.stream.to_chat.turn_order import TextOutput, TurnQueue

REPORTED = ["approximated content: what the upstream streamed differs from its finished text"]
Stage = tuple[Completion, TextOutput, TurnQueue, Report]


@pytest.fixture
def stage(new_id: Callable[[str], str], clock: Callable[[], float]) -> Callable[..., Stage]:
    """A completion, and a line of items that speak in it."""

    def make(*stops: str, between_parts: str = "") -> Stage:
        report = Report()
        out = Completion("m", False, False, report, new_id, clock)
        speech = TextOutput(out, stops)
        return out, speech, TurnQueue(speech, report, "|", between_parts), report

    return make


def said(out: Completion) -> dict[str, Any]:
    message = out.answer["choices"][0]["message"]
    return {name: text for name, text in message.items() if text and name != "role"}


def added(line: TurnQueue, count: int = 1) -> list[ReceivedItem]:
    items = [ReceivedItem("message") for _ in range(count)]
    for item in items:
        line.add(item)
    return items


def done(line: TurnQueue, *finished: ReceivedItem | ReceivedPart) -> None:
    for one in finished:
        one.done = True
    line.advance()


NO_TOKENS: Callable[[], list[Any]] = list


# --- turns -----------------------------------------------------------------------------------------------------------


def test_items_take_turns(stage: Callable[..., Stage]) -> None:
    """What comes of the second waits until the first is done; a separator stands between their texts."""
    out, _, line, _ = stage()
    one, two = added(line, 2)
    first, second = one.part("content", 0), two.part("content", 0)
    line.hear(second, "b1", [])
    line.hear(first, "a1", [])
    line.hear(second, "b2", [])
    assert said(out) == {"content": "a1"}
    assert line.speaks(first)
    assert not line.speaks(second)
    done(line, one)
    assert said(out) == {"content": "a1|b1b2"}
    assert (first.offset, second.offset) == (0, 3)
    assert line.speaks(second)
    done(line, two)
    assert not line.speaks(second)


def test_parts_take_turns(stage: Callable[..., Stage]) -> None:
    """The parts of an item too, with nothing between them."""
    out, _, line, _ = stage()
    (item,) = added(line)
    first, second = item.part("content", 0), item.part("content", 1)
    line.hear(first, "a", [])
    line.hear(second, "b", [])
    assert said(out) == {"content": "a"}
    done(line, first)
    assert said(out) == {"content": "ab"}
    assert second.offset == 1


def test_separators_are_lazy(stage: Callable[..., Stage]) -> None:
    """They stand before text that follows text of the same field, and nowhere else."""
    out, _, line, _ = stage(between_parts="-")
    items = added(line, 4)
    line.hear(items[0].part("refusal", 0), "no", [])
    line.hear(items[1].part("content", 0), "a", [])
    line.hear(items[3].part("content", 0), "b", [])
    line.hear(items[3].part("refusal", 1), "never", [])
    line.close()
    assert said(out) == {"content": "a|b", "refusal": "no|never"}
    assert all(item.done for item in items)


def test_a_separator_between_parts(stage: Callable[..., Stage]) -> None:
    """As thoughts have it."""
    out, _, line, _ = stage(between_parts="-")
    (item,) = added(line)
    for index, text in enumerate("abc"):
        line.settle(item.part("reasoning_content", index), text, NO_TOKENS)
    assert said(out) == {"reasoning_content": "a-b-c"}


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
    out, _, line, report = stage()
    (item,) = added(line)
    part = item.part("content", 0)
    for piece in pieces:
        line.hear(part, piece, [])
    line.settle(part, whole, NO_TOKENS)
    assert said(out).get("content", "") == text
    assert [str(loss) for loss in report] == reported
    assert part.done


def test_a_whole_text_may_grow_once_more(stage: Callable[..., Stage]) -> None:
    """Several events tell the whole of a text; the longest counts, until another text follows."""
    out, _, line, report = stage()
    one, two = added(line, 2)
    part = one.part("content", 0)
    line.settle(part, "He", NO_TOKENS)
    line.settle(part, "Hello", NO_TOKENS)
    done(line, one)
    line.settle(part, "Hello!", NO_TOKENS)
    line.hear(two.part("content", 0), "b", [])
    line.settle(part, "Hello! You", NO_TOKENS)
    assert said(out) == {"content": "Hello!|b"}
    assert [str(loss) for loss in report] == REPORTED


@pytest.mark.parametrize("finish", ["part", "item"])
def test_what_comes_after_the_end_is_not_said(stage: Callable[..., Stage], finish: str) -> None:
    """It is reported."""
    out, _, line, report = stage()
    (item,) = added(line)
    part = item.part("content", 0)
    line.hear(part, "a", [])
    done(line, part if finish == "part" else item)
    line.hear(part, "b", [])
    assert said(out) == {"content": "a"}
    assert [str(loss) for loss in report] == REPORTED


def test_tokens_of_the_whole_count_if_no_others_came(stage: Callable[..., Stage]) -> None:
    """Otherwise they would be there twice."""
    out, _, line, _ = stage()
    (item,) = added(line)
    first, second = item.part("content", 0), item.part("content", 1)
    line.hear(first, "a", [{"token": "a"}])
    line.settle(first, "a", lambda: [{"token": "again"}])
    line.hear(second, "b", [])
    line.settle(second, "b", lambda: [{"token": "b"}])
    line.settle(second, "b", lambda: [{"token": "again"}])
    assert [token["token"] for token in out.answer["choices"][0]["logprobs"]["content"]] == ["a", "b"]


# --- stop sequences --------------------------------------------------------------------------------------------------


def test_a_stop_sequence_ends_all_speech(stage: Callable[..., Stage]) -> None:
    """Also when it lies across pieces and parts; refusals and thoughts end with the text."""
    out, speech, line, _ = stage("STOP")
    (item,) = added(line)
    line.settle(item.part("content", 0), "one ST", NO_TOKENS)
    assert said(out) == {"content": "one "}
    line.hear(item.part("content", 1), "OP two", [])
    assert speech.stopped
    line.hear(item.part("refusal", 2), "no", [])
    line.close()
    speech.pause("content", "|")
    speech.pause("refusal", "|")
    speech.release()
    assert said(out) == {"content": "one "}


def test_no_stop_sequence_reaches_over_messages(stage: Callable[..., Stage]) -> None:
    """Neither is a separator one, for nobody wrote it."""
    out, speech, line, _ = stage("ab", "|")
    one, two = added(line, 2)
    line.hear(one.part("content", 0), "xa", [])
    assert said(out) == {"content": "x"}
    done(line, one)
    line.hear(two.part("content", 0), "b", [])
    assert said(out) == {"content": "xa|b"}
    assert not speech.stopped


def test_what_was_held_back_is_released_at_the_end(stage: Callable[..., Stage]) -> None:
    """It did not become a stop sequence."""
    out, speech, line, _ = stage("STOP")
    (item,) = added(line)
    line.hear(item.part("content", 0), "ST", [])
    assert said(out) == {}
    speech.release()
    assert said(out) == {"content": "ST"}


def test_stop_sequences_are_of_texts_only(stage: Callable[..., Stage]) -> None:
    """A model may think of one."""
    out, speech, _, _ = stage("STOP")
    speech.say("reasoning_content", "STOP", [])
    speech.pause("reasoning_content", "\n")
    assert said(out) == {"reasoning_content": "STOP\n"}


def test_without_a_separator_nothing_stands_between(stage: Callable[..., Stage]) -> None:
    """But stop sequences do not reach over it all the same."""
    out, speech, _, _ = stage("ab")
    speech.say("content", "a", [])
    speech.pause("content", "")
    speech.say("content", "b", [])
    assert said(out) == {"content": "ab"}
    assert not speech.stopped
