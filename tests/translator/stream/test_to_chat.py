import copy
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator import BadUpstream, Misuse, Profile, Report, TranslationError, answer
from diglot.translator.profiles import Terms
from diglot.translator.stream.to_chat import ToChat, Wanted
from diglot.translator.wire import sse

from chat_judges import judge_chunks, judge_completion
from event_streams import (
    PART_DONE,
    between,
    events_of,
    items_of,
    with_other_ids,
    with_output,
    without,
    without_fields,
)

Want = Callable[..., Wanted]
HI = {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}


def response(*output: Any, status: Any = "completed", **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m-1",
        "status": status,
        **more,
        "output": list(output),
    }


def ended(kind: str, given: Any = None) -> dict[str, Any]:
    return {"type": f"response.{kind}", "response": given}


def run(transducer: ToChat, *events: Any, clean: bool | None = None) -> list[dict[str, Any]]:
    """The chunks of a whole stream, which the judges have taken; the end of it is told if *clean* is given."""
    chunks = [chunk for event in events for chunk in ([] if transducer.ended else transducer.feed(event))]
    chunks += transducer.finish(clean) if clean is not None and not transducer.ended else []
    assert transducer.ended
    judge_chunks([*map(sse.data, chunks), sse.DONE])
    if "error" not in chunks[-1]:
        judge_completion(transducer.answer)
    return chunks


def outcome(transducer: ToChat) -> tuple[str | None, str | None]:
    (choice,) = transducer.answer["choices"]
    return choice["message"]["content"], choice["finish_reason"]


# --- the contract ----------------------------------------------------------------------------------------------------


def test_nothing_is_said_before_something_came(wanted: Want) -> None:
    """What goes before the first payload says nothing: an error may still become an HTTP error."""
    transducer = ToChat(wanted())
    for kind in ("created", "queued", "in_progress"):
        assert transducer.feed(ended(kind, response(status=kind))) == []
        assert transducer.feed(ended(kind)) == []
    assert transducer.feed({"type": "response.output_item.added", "output_index": 0, "item": HI}) == []
    assert transducer.feed({"type": "keepalive"}) == []
    assert not transducer.started
    chunks = transducer.feed({"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"})
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks] == ["", "Hi"]
    assert transducer.started
    assert not transducer.finishing
    assert transducer.answer["id"] == "chatcmpl-1"


def test_start_is_said_once(wanted: Want) -> None:
    """Ahead of the first event or with it, never twice."""
    transducer = ToChat(wanted())
    (chunk,) = transducer.start()
    assert chunk["choices"][0]["delta"]["role"] == "assistant"
    assert transducer.start() == []
    assert len(transducer.feed({"type": "response.output_text.delta", "delta": "Hi"})) == 1


@pytest.mark.parametrize(
    "verb", [lambda t: t.start(), lambda t: t.feed({}), lambda t: t.finish(), lambda t: t.fail(BadUpstream("late"))]
)
@pytest.mark.parametrize("end", [response(HI), {"type": "error", "message": "It broke."}])
def test_after_the_end_every_verb_is_misuse(wanted: Want, end: Any, verb: Callable[[ToChat], Any]) -> None:
    """The contract is broken by the calling code, and it is told."""
    transducer = ToChat(wanted())
    transducer.start()
    transducer.feed(end)
    with pytest.raises(Misuse, match="has ended"):
        verb(transducer)


def test_obfuscation_goes_on(wanted: Want) -> None:
    """In the chunk that comes of its event, if one does; an error is an error and nothing else."""
    transducer = ToChat(wanted())
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "Hi", "obfuscation": "abc"}
    assert [chunk.get("obfuscation") for chunk in transducer.feed(delta)] == [None, "abc"]
    assert "obfuscation" not in transducer.feed({**delta, "obfuscation": 5})[0]
    assert transducer.feed({**delta, "delta": ""}) == []
    (error,) = transducer.feed({"type": "error", "message": "No.", "obfuscation": "abc"})
    assert list(error) == ["error"]


# --- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "status", "message"),
    [
        ({"type": "error", "code": "rate_limit_exceeded", "message": "Slow down."}, 429, "Slow down."),
        ({"type": "error", "error": {"message": "It broke."}}, 500, "It broke."),
        ({"error": {"message": "Slow down.", "code": 429}}, 429, "Slow down."),
        ({"error": "It broke."}, 502, "It broke."),
        ({"detail": "Not found."}, 502, "Not found."),
        (ended("failed", response(status="failed", error={"code": "invalid_prompt", "message": "No."})), 400, "No."),
        (ended("failed"), 500, "failed"),
        (ended("completed", response(HI, status="failed")), 500, "failed"),
        (ended("completed", response(HI, error={"message": "It broke."})), 500, "It broke."),
        (ended("cancelled"), 400, "cancelled"),
        (response(HI, status="cancelled"), 400, "cancelled"),
        (response(status="queued"), 502, "not finished"),
        (response(HI, status="in_progress"), 502, "not finished"),
        (response(HI, status="expired"), 502, "not finished"),
        ({"object": "response"}, 502, "has no output"),
        (ended("completed"), 502, "has no output"),
        (response({"type": "shell_call"}), 502, "cannot be read"),
        (response({**CALL, "name": None}), 502, "without a name"),
    ],
)
def test_failures(wanted: Want, event: Any, status: int, message: str) -> None:
    """Before anything was said, they are raised; afterwards they are the end, and what was said stays."""
    with pytest.raises(BadUpstream, match=message) as raised:
        ToChat(wanted()).feed(event)
    assert raised.value.status == status
    if event == {"object": "response"} or event == ended("completed"):
        return
    transducer = ToChat(wanted())
    began = {"type": "response.output_text.delta", "item_id": "msg_1", "delta": "Hi"}
    chunks = run(transducer, began, event)
    assert message in chunks[-1]["error"]["message"]
    assert outcome(transducer) == ("Hi", None)
    assert transducer.failure is not None


def test_a_failure_says_what_waited(wanted: Want) -> None:
    """What arrived before is the client's."""
    transducer = ToChat(wanted("STOP"))
    transducer.start()
    transducer.feed({"type": "response.output_text.delta", "delta": "ST"})
    chunks = transducer.fail(BadUpstream("It broke."))
    assert chunks[0]["choices"][0]["delta"] == {"content": "ST"}
    assert chunks[1] == BadUpstream("It broke.").body()


@pytest.mark.parametrize("event", [None, "x", [], 5])
def test_what_is_no_event_breaks_the_answer(wanted: Want, event: Any) -> None:
    """What it said is lost, so the answer must not end well, however it ends."""
    for stops in ((), ("i",)):
        transducer = ToChat(wanted(*stops))
        transducer.start()
        assert transducer.feed(event) == []
        chunks = run_on(transducer, *events_of(response(HI)))
        assert "not an object" in chunks[-1]["error"]["message"]
    broken = ToChat(wanted())
    broken.feed(event)
    with pytest.raises(BadUpstream, match="not an object"):
        broken.feed(ended("completed"))


def run_on(transducer: ToChat, *events: Any) -> list[dict[str, Any]]:
    """The chunks from here to the end."""
    return [chunk for event in events for chunk in ([] if transducer.ended else transducer.feed(event))]


# --- endings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "reason", "reported"),
    [
        (response(HI), "stop", []),
        (response(HI, CALL), "tool_calls", []),
        (response(HI, status=None), "stop", ["defaulted"]),
        (response(HI, status="incomplete", incomplete_details={"reason": "max_output_tokens"}), "length", []),
        (response(HI, status="incomplete", incomplete_details={"reason": "content_filter"}), "content_filter", []),
        (response(HI, status="incomplete", incomplete_details={"reason": "steered"}), "stop", ["approximated"]),
        (
            response(HI, CALL, status="incomplete", incomplete_details={"reason": "steered"}),
            "tool_calls",
            ["approximated"],
        ),
        (
            response(
                HI, {**CALL, "status": "incomplete"}, status="incomplete", incomplete_details={"reason": "steered"}
            ),
            "length",
            ["approximated"],
        ),
        (response(HI, status="incomplete", incomplete_details={"reason": "timeout"}), "length", ["approximated"]),
        (response(HI, CALL, status="incomplete", incomplete_details={"reason": "timeout"}), "length", ["approximated"]),
        (response(HI, status="incomplete"), "length", []),
        (response(HI, status="incomplete", incomplete_details="content_filter"), "content_filter", []),
        (response(HI, incomplete_details={"reason": 5}), "length", []),
        (response(HI, {"type": "code_interpreter_call", "status": "incomplete"}), "stop", ["dropped"]),
        (response(HI, status="incomplete", incomplete_details={"reason": 5}), "length", []),
        (response(HI, incomplete_details={"reason": "max_output_tokens"}), "length", []),
        (response({**HI, "status": "incomplete"}), "length", []),
        (ended("completed", response(HI, status="incomplete")), "length", []),
        (ended("incomplete", response(HI)), "length", []),
        (ended("completed", response(HI, status="in_progress")), "stop", []),
        (ended("completed", {"output": [HI]}), "stop", []),
    ],
)
def test_endings(wanted: Want, end: Any, reason: str, reported: list[str]) -> None:
    """The worse of two words counts; an answer that was cut never reads as one that was not."""
    want = wanted()
    transducer = ToChat(want)
    run(transducer, end)
    assert outcome(transducer) == ("Hi", reason)
    assert [loss.kind for loss in want.terms.report] == reported
    assert not transducer.cut_short


def test_an_older_client_is_told_in_its_words(wanted: Want) -> None:
    """The answer is a `function_call`, and so is its reason."""
    transducer = ToChat(wanted(legacy=True))
    run(transducer, *events_of(response(CALL)))
    message = transducer.answer["choices"][0]["message"]
    assert message["function_call"] == {"name": "f", "arguments": "{}"}
    assert outcome(transducer)[1] == "function_call"


@pytest.mark.parametrize(
    ("events", "terminal_event", "clean", "ends_well"),
    [
        (events_of(response(HI))[:-1], True, True, True),
        (events_of(response(HI))[:-1], False, False, True),
        (events_of(response(HI))[:-1], True, False, False),
        (events_of(response(HI))[:-2], True, True, False),
        (events_of(response({**HI, "status": "incomplete"}))[:-1], True, True, False),
        ([*events_of(response(HI))[:-1], None], True, True, False),
    ],
)
def test_a_stream_without_an_end(
    wanted: Want, events: list[Any], terminal_event: bool, clean: bool, ends_well: bool
) -> None:
    """R2: it may count as whole, if all its items are."""
    want = wanted(profile=Profile(terminal_event=terminal_event))
    transducer = ToChat(want)
    run(transducer, *events, clean=clean)
    assert outcome(transducer) == ("Hi", "stop" if ends_well else None)
    assert [loss.kind for loss in want.terms.report] == (["defaulted"] if ends_well else [])


@pytest.mark.parametrize("clean", [True, False])
def test_a_stream_of_nothing(wanted: Want, clean: bool) -> None:
    """It is a failure, also after a keep-alive; what could not be read is told."""
    with pytest.raises(BadUpstream, match="before it began"):
        ToChat(wanted()).finish(clean)
    transducer = ToChat(wanted())
    transducer.garbled("dust")
    with pytest.raises(BadUpstream, match="sent dust"):
        transducer.finish(clean)
    transducer = ToChat(wanted())
    transducer.start()
    (chunk,) = transducer.finish(clean)
    assert "cut off" in chunk["error"]["message"]


# --- stop sequences --------------------------------------------------------------------------------------------------


def test_a_stop_sequence_ends_the_stream(wanted: Want) -> None:
    """At once, and the upstream works on in vain; nobody knows the usage."""
    text = {**HI, "content": [{"type": "output_text", "text": "one STOP two"}]}
    transducer = ToChat(wanted("STOP", include_usage=True))
    chunks = run(transducer, *events_of(response(text, CALL, usage={"input_tokens": 1, "output_tokens": 2})))
    assert outcome(transducer) == ("one ", "stop")
    assert transducer.cut_short
    assert chunks[-1]["choices"]
    assert transducer.answer["usage"] is None


def test_a_stop_sequence_in_a_finished_answer(wanted: Want) -> None:
    """It has usage; nothing behind it counts, and a call before it does."""
    text = {**HI, "content": [{"type": "output_text", "text": "one STOP two"}]}
    transducer = ToChat(wanted("STOP", include_usage=True))
    chunks = run(transducer, response(text, CALL, usage={"input_tokens": 1, "output_tokens": 2}))
    assert outcome(transducer) == ("one ", "stop")
    assert not transducer.cut_short
    assert chunks[-1]["usage"]["total_tokens"] == 3
    transducer = ToChat(wanted("STOP"))
    run(transducer, response(CALL, text))
    assert outcome(transducer) == ("one ", "tool_calls")


STOPPED_BEHIND_A_CALL = (
    {"type": "response.output_item.added", "output_index": 0, "item": {**CALL, "arguments": ""}},
    {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": '{"a"'},
    {"type": "response.output_text.delta", "output_index": 1, "delta": "one STOP"},
)
LATE = {"type": "response.output_item.done", "output_index": 2, "item": {**CALL, "id": "fc_2", "call_id": "c2"}}
REST = {"type": "response.function_call_arguments.done", "output_index": 0, "arguments": '{"a":1}'}


@pytest.mark.parametrize("late", [[], [LATE]])
def test_a_call_that_is_open_when_the_text_stops(wanted: Want, late: list[Any]) -> None:
    """It was announced, so it is waited for: half of it could not be made. What begins meanwhile is not said."""
    transducer = ToChat(wanted("STOP"))
    run(transducer, *STOPPED_BEHIND_A_CALL, *late, REST)
    assert outcome(transducer) == ("one ", "tool_calls")
    assert transducer.cut_short
    (call,) = transducer.answer["choices"][0]["message"]["tool_calls"]
    assert call["function"]["arguments"] == '{"a":1}'


def test_a_call_that_stays_open_when_the_text_stops(wanted: Want) -> None:
    """If it is cut, so is the answer."""
    transducer = ToChat(wanted("STOP"))
    half = {**CALL, "arguments": '{"a"', "status": "incomplete"}
    done = {"type": "response.output_item.done", "output_index": 0, "item": half}
    run(transducer, *STOPPED_BEHIND_A_CALL, done, ended("incomplete", response(half, status="incomplete")))
    assert outcome(transducer) == ("one ", "length")
    assert not transducer.cut_short


def test_a_call_that_turns_out_to_be_cut(wanted: Want) -> None:
    """Its arguments had an end, but the item says that this was not theirs."""
    transducer = ToChat(wanted())
    half = {**CALL, "arguments": '{"a"', "status": "incomplete"}
    events = (STOPPED_BEHIND_A_CALL[0], {**REST, "arguments": '{"a"'}, ended("completed", response(half)))
    run(transducer, *events)
    assert outcome(transducer) == (None, "length")


def test_nothing_is_no_answer_even_if_it_was_begun(wanted: Want) -> None:
    """To keep a connection alive changes no ending."""
    transducer = ToChat(wanted())
    chunks = [*transducer.start(), *transducer.feed(ended("completed", {"status": "completed"}))]
    assert "error" in chunks[-1]
    assert transducer.failure is not None


@pytest.mark.parametrize("kind", ["audio.delta", "audio.transcript.delta"])
def test_audio_is_reported(wanted: Want, kind: str) -> None:
    """It has no place in the answer."""
    want = wanted()
    run(ToChat(want), {"type": f"response.{kind}", "delta": "AAAA"}, ended("completed", response(HI)))
    assert [loss.path for loss in want.terms.report] == ["audio"]


def test_a_tool_of_the_server_that_never_ends_is_reported(wanted: Want) -> None:
    """What began says what there was."""
    want = wanted()
    begun = {"type": "response.output_item.added", "output_index": 0, "item": {"type": "web_search_call"}}
    text = {"type": "response.output_text.delta", "output_index": 1, "delta": "Hi"}
    run(ToChat(want), begun, text, ended("completed", response()))
    assert [str(loss) for loss in want.terms.report] == ["dropped message: chat has no 'web_search_call'"]


# --- whatever servers do ---------------------------------------------------------------------------------------------

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


def want(report: Report | None = None, *stops: str) -> Wanted:
    count = itertools.count(1)
    terms = Terms(Profile(), Report() if report is None else report)
    return Wanted("m", terms, False, False, stops, lambda prefix: f"{prefix}_x{next(count)}", lambda: 7.0)


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
