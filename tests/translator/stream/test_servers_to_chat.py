"""Whatever Responses servers do: the answer is the same, however it is streamed."""

import copy
import itertools
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from diglot.translator import Profile, Report, TranslationError, answer
from diglot.translator.context import Context
from diglot.translator.stream.to_chat.context import CompletionContext
from diglot.translator.stream.to_chat.transducer import ToChat

from event_streams import (
    PART_DONE,
    between,
    events_of,
    items_of,
    with_counted_parts,
    with_empty_ends,
    with_items_at_once,
    with_other_ids,
    with_output,
    with_parts_at_once,
    with_parts_at_zero,
    with_places,
    with_repeated_calls,
    without,
    without_fields,
)
from transduced import response, run

TEXT = st.text("ab \u00e9\U0001f600", max_size=9)
PARTS = st.one_of(
    st.builds(lambda t: {"type": "output_text", "text": t, "annotations": [], "logprobs": []}, TEXT),
    st.builds(lambda t: {"type": "refusal", "refusal": t}, TEXT),
)
SUMMARIES = st.lists(st.builds(lambda t: {"type": "summary_text", "text": t}, TEXT), max_size=3)
ITEMS = st.one_of(
    st.builds(lambda p: {"type": "message", "role": "assistant", "content": p}, st.lists(PARTS, max_size=3)),
    st.builds(lambda p: {"type": "reasoning", "summary": p}, SUMMARIES),
    st.builds(lambda p: {"type": "reasoning", "summary": p, "encrypted_content": "x"}, SUMMARIES),
    st.builds(lambda a: {"type": "function_call", "name": "f", "arguments": a}, st.sampled_from(["", "{}", '{"a":1}'])),
    st.builds(lambda i: {"type": "custom_tool_call", "name": "g", "input": i}, TEXT),
    st.just({"type": "web_search_call"}),
)


def numbered(items: list[dict[str, Any]]) -> dict[str, Any]:
    named = [{"id": f"id_{i}", "status": "completed", **item} for i, item in enumerate(items)]
    return response(*({**item, "call_id": f"c_{i}"} if "name" in item else item for i, item in enumerate(named)))


RESPONSES = st.lists(ITEMS, max_size=4).map(numbered)


def want(report: Report | None = None, *stops: str) -> CompletionContext:
    count = itertools.count(1)
    context = Context(Profile(), Report() if report is None else report)
    return CompletionContext("m", context, False, False, stops, lambda prefix: f"{prefix}_x{next(count)}", lambda: 7.0)


def at_once(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return with_items_at_once(events, events[-1]["response"])


ODDITIES: list[Callable[[list[dict[str, Any]]], list[dict[str, Any]]]] = [
    lambda events: events,
    lambda events: without(events, *PART_DONE),
    lambda events: without(events, "output_item.done"),
    lambda events: without(events, "output_item.done", *PART_DONE),
    lambda events: without(events, ".delta"),
    lambda events: without(events, ".added"),
    lambda events: without(events, ".delta", ".added", *PART_DONE),
    lambda events: events[:1] + events[-1:],
    lambda events: without_fields(events, "output_index"),
    lambda events: without_fields(events, "item_id"),
    with_other_ids,
    lambda events: with_output(events, []),
    with_counted_parts,
    lambda events: with_counted_parts(without(events, "output_item.done")),
    lambda events: with_output(with_counted_parts(events), []),
    with_parts_at_zero,
    lambda events: with_places(events, "done", plus=1),
    lambda events: with_places(with_counted_parts(events), "done", plus=1),
    lambda events: with_places(events, "done", plus=-1),
    lambda events: with_places(events, "delta", times=0),
    lambda events: with_places(without_fields(events, "item_id"), "delta", times=0),
    lambda events: with_output(with_places(events, "delta", "done", times=0), []),
    at_once,
    lambda events: without(at_once(events), ".delta"),
    lambda events: without(at_once(events), ".delta", ".done"),
    lambda events: without(at_once(events), *PART_DONE),
    with_parts_at_once,
    lambda events: without(with_parts_at_once(events), ".delta"),
    lambda events: without(with_parts_at_once(events), ".delta", *PART_DONE),
    with_empty_ends,
    lambda events: without(with_empty_ends(events), ".delta"),
    lambda events: with_output(with_empty_ends(events), []),
]


@given(RESPONSES, st.sampled_from(ODDITIES), st.integers(1, 5))
def test_streamed_and_whole_answers_are_the_same(
    whole: dict[str, Any], odd: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], size: int
) -> None:
    """Whatever a server leaves out (R1, R4, R5, R8); and nothing that came is changed."""
    events = odd(events_of(whole, size))
    before = copy.deepcopy(events)
    transducer, report = ToChat(want(report := Report())), report
    run(transducer, *events)
    assert events == before
    expected = answer.to_chat(whole, want())
    assert without_details(transducer.answer) == without_details(expected)
    assert not [loss for loss in report if loss.kind == "approximated"]


@given(RESPONSES, st.booleans())
def test_calls_that_come_twice_are_made_once(whole: dict[str, Any], streamed: bool) -> None:
    """W33: in the finished output, and in the events."""
    twice = with_repeated_calls(whole)
    transducer = ToChat(want())
    run(transducer, *(events_of(twice) if streamed else between(twice, [])))
    assert transducer.answer == answer.to_chat(whole, want())


def without_details(body: dict[str, Any]) -> dict[str, Any]:
    """Sealed items have the ids that came with them."""
    (choice,) = body["choices"]
    message = {name: value for name, value in choice["message"].items() if name != "reasoning_details"}
    return {**body, "choices": [{**choice, "message": message}]}


@given(RESPONSES, st.randoms(use_true_random=False), st.booleans())
def test_interleaved_items_are_the_same_answer(whole: dict[str, Any], chance: Any, bare: bool) -> None:
    """As long as they begin in their order."""
    queues = items_of(whole)
    events = [queue.pop(0) for queue in queues]
    while queues := [queue for queue in queues if queue]:
        events.append(chance.choice(queues).pop(0))
    transducer = ToChat(want())
    run(transducer, *between(whole, without(events, *PART_DONE) if bare else events))
    assert transducer.answer == answer.to_chat(whole, want())


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["completed", "message"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "text", "id", "content", "output", "status", "error", "name"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


@given(RESPONSES, st.data())
def test_damaged_streams_are_answers_or_errors(whole: dict[str, Any], data: st.DataObject) -> None:
    """Whatever is lost, repeated, moved or of another type: nothing but our own errors comes out."""
    events: list[Any] = events_of(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(events) - 1))
        event = events.pop(at)
        how = data.draw(st.sampled_from(["lose", "repeat", "move", "spoil", "spoil"]))
        if how == "repeat":
            events[at:at] = [event, event]
        elif how == "move":
            events.insert(data.draw(st.integers(0, len(events))), event)
        elif how == "spoil":
            names = [name for name in event if name != "type"] if isinstance(event, dict) else []
            spoilt = {**event, data.draw(st.sampled_from(names)): data.draw(JSON)} if names else data.draw(JSON)
            events.insert(at, spoilt)
        events = events or [None]
    transducer = ToChat(want(None, *data.draw(st.sampled_from([(), ("a ",)]))))
    try:
        run(transducer, *events, clean=data.draw(st.booleans()))
    except TranslationError:
        assert not transducer.started
