import gc
from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Profile, ProtocolMisuse, ServeChat, UpstreamError
from diglot.translator.stream.to_chat.context import CompletionContext
from diglot.translator.stream.to_chat.transducer import ToChat

from event_streams import events_of
from transduced import response, run

MakeContext = Callable[..., CompletionContext]
HI = {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}


def ended(kind: str, given: Any = None) -> dict[str, Any]:
    return {"type": f"response.{kind}", "response": given}


def outcome(transducer: ToChat) -> tuple[str | None, str | None]:
    (choice,) = transducer.answer["choices"]
    return choice["message"]["content"], choice["finish_reason"]


# --- the contract ----------------------------------------------------------------------------------------------------


def test_nothing_is_said_before_something_came(make_context: MakeContext) -> None:
    """What goes before the first payload says nothing: an error may still become an HTTP error."""
    transducer = ToChat(make_context())
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


def test_start_is_said_once(make_context: MakeContext) -> None:
    """Ahead of the first event or with it, never twice."""
    transducer = ToChat(make_context())
    (chunk,) = transducer.start()
    assert chunk["choices"][0]["delta"]["role"] == "assistant"
    assert transducer.start() == []
    assert len(transducer.feed({"type": "response.output_text.delta", "delta": "Hi"})) == 1


@pytest.mark.parametrize(
    "verb", [lambda t: t.start(), lambda t: t.feed({}), lambda t: t.finish(), lambda t: t.fail(UpstreamError("late"))]
)
@pytest.mark.parametrize("end", [response(HI), {"type": "error", "message": "It broke."}])
def test_after_the_end_every_verb_is_misuse(make_context: MakeContext, end: Any, verb: Callable[[ToChat], Any]) -> None:
    """The contract is broken by the calling code, and it is told."""
    transducer = ToChat(make_context())
    transducer.start()
    transducer.feed(end)
    with pytest.raises(ProtocolMisuse, match="has ended"):
        verb(transducer)


def test_obfuscation_goes_on(make_context: MakeContext) -> None:
    """In the chunk that comes of its event, if one does; an error is an error and nothing else."""
    transducer = ToChat(make_context())
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
        (response(HI, status="failed"), 500, "failed"),
        (ended("completed", response(HI, error={"message": "It broke."})), 500, "It broke."),
        (ended("cancelled"), 400, "cancelled"),
        (response(HI, status="cancelled"), 400, "cancelled"),
        (response(status="queued"), 502, "not finished"),
        (response(HI, status="in_progress"), 502, "not finished"),
        (response(status="expired"), 502, "not finished"),
        (response(HI, status="errored out", error={"message": "It broke."}), 500, "It broke."),
        (response(HI, status="Failed"), 500, "failed"),
        ({"object": "response"}, 502, "has no output"),
        (ended("completed"), 502, "has no output"),
        (response({"type": "shell_call"}), 502, "cannot be read"),
        (response({**CALL, "name": None}), 502, "without a name"),
    ],
)
def test_failures(make_context: MakeContext, event: Any, status: int, message: str) -> None:
    """Before anything was said, they are raised; afterwards they are the end, and what was said stays."""
    with pytest.raises(UpstreamError, match=message) as raised:
        ToChat(make_context()).feed(event)
    assert raised.value.status == status
    if event == {"object": "response"} or event == ended("completed"):
        return
    transducer = ToChat(make_context())
    began = {"type": "response.output_text.delta", "item_id": "msg_1", "delta": "Hi"}
    chunks = run(transducer, began, event)
    assert message in chunks[-1]["error"]["message"]
    assert outcome(transducer) == ("Hi", None)
    assert transducer.failure is not None


REASON = {"type": "error", "error": {"code": "invalid_prompt", "message": "It was filtered."}}


@pytest.mark.parametrize(
    "failed", [ended("failed"), ended("completed", response(HI, status="failed", error={"code": None}))]
)
@pytest.mark.parametrize(
    "reason", [REASON, {"error": REASON["error"]}, ended("failed", response(error=REASON["error"]))]
)
@pytest.mark.parametrize("begun", [True, False])
def test_the_reason_comes_behind_the_failure(make_context: MakeContext, failed: Any, reason: Any, begun: bool) -> None:
    """W34: nothing but an error counts after it, and the stream is about to end."""
    transducer = ToChat(make_context())
    if begun:
        transducer.start()
    assert transducer.feed(failed) == []
    assert transducer.finishing
    assert transducer.failing
    assert transducer.feed({"type": "response.output_text.delta", "delta": "Hi"}) == []
    assert transducer.feed(ended("in_progress", response())) == []
    if begun:
        assert transducer.feed(reason)[0]["error"]["message"] == "It was filtered."
        assert not transducer.finishing
    else:
        with pytest.raises(UpstreamError, match="filtered") as raised:
            transducer.feed(reason)
        assert (raised.value.status, raised.value.code) == (400, "invalid_prompt")


@pytest.mark.parametrize("clean", [True, False])
def test_a_failure_without_a_reason(make_context: MakeContext, clean: bool) -> None:
    """It is one when the stream ends."""
    transducer = ToChat(make_context())
    transducer.feed(ended("failed"))
    with pytest.raises(UpstreamError, match="failed") as raised:
        transducer.finish(clean)
    assert raised.value.status == 500


@pytest.mark.parametrize(
    ("calls", "limit", "used", "finish"),
    [
        (['{"a":'], None, None, None),
        ([""], None, None, None),
        (['{"a":'], 5, 5, "length"),
        (['{"a":'], 5, 4, None),
        (['{"a":1}'], None, None, "tool_calls"),
        (['{"a":1}', ""], None, None, None),
    ],
)
def test_a_call_that_never_ended(
    make_context: MakeContext, calls: list[str], limit: int | None, used: int | None, finish: str | None
) -> None:
    """W32: half a call must not be run: it is cut where the answer says so, else an error."""
    transducer = ToChat(make_context()._replace(limit=limit))
    events = []
    for i, arguments in enumerate(calls):
        item = {"type": "function_call", "id": f"fc_{i}", "call_id": f"c{i}", "name": "f", "arguments": ""}
        delta = {"type": "response.function_call_arguments.delta", "item_id": f"fc_{i}", "delta": arguments}
        events += [{"type": "response.output_item.added", "output_index": i, "item": item}, delta]
    usage = None if used is None else {"input_tokens": 1, "output_tokens": used, "total_tokens": used + 1}
    chunks = run(transducer, *events, ended("completed", response(usage=usage)))
    assert outcome(transducer)[1] == finish
    assert ("error" in chunks[-1]) is (finish is None)


def test_a_failure_says_what_waited(make_context: MakeContext) -> None:
    """What arrived before is the client's."""
    transducer = ToChat(make_context("STOP"))
    transducer.start()
    transducer.feed({"type": "response.output_text.delta", "delta": "ST"})
    chunks = transducer.fail(UpstreamError("It broke."))
    assert chunks[0]["choices"][0]["delta"] == {"content": "ST"}
    assert chunks[1] == UpstreamError("It broke.").body()


@pytest.mark.parametrize("event", [None, "x", [], 5])
def test_what_is_no_event_breaks_the_answer(make_context: MakeContext, event: Any) -> None:
    """What it said is lost, so the answer must not end well, however it ends."""
    for stops in ((), ("i",)):
        transducer = ToChat(make_context(*stops))
        transducer.start()
        assert transducer.feed(event) == []
        chunks = run_on(transducer, *events_of(response(HI)))
        assert "not an object" in chunks[-1]["error"]["message"]
    broken = ToChat(make_context())
    broken.feed(event)
    with pytest.raises(UpstreamError, match="not an object"):
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
        (response(HI, status="COMPLETED"), "stop", []),
        (response(HI, status="success"), "stop", ["approximated"]),
        (response(HI, status="null"), "stop", ["defaulted"]),
        (response(HI, status="expired"), "stop", ["approximated"]),
        (response(HI, status="max_tokens"), "length", []),
        (ended("completed", response(HI, status="ok")), "stop", ["approximated"]),
        (response(HI, error={"code": None, "message": None}), "stop", []),
    ],
)
def test_endings(make_context: MakeContext, end: Any, reason: str, reported: list[str]) -> None:
    """The worse of two words counts; an answer that was cut never reads as one that was not."""
    context = make_context()
    transducer = ToChat(context)
    run(transducer, end)
    assert outcome(transducer) == ("Hi", reason)
    assert [loss.kind for loss in context.context.report] == reported
    assert not transducer.cut_short


def test_an_older_client_is_told_in_its_words(make_context: MakeContext) -> None:
    """The answer is a `function_call`, and so is its reason."""
    transducer = ToChat(make_context(legacy=True))
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
    make_context: MakeContext, events: list[Any], terminal_event: bool, clean: bool, ends_well: bool
) -> None:
    """R2: it may count as whole, if all its items are."""
    context = make_context(profile=Profile(terminal_event=terminal_event))
    transducer = ToChat(context)
    run(transducer, *events, clean=clean)
    assert outcome(transducer) == ("Hi", "stop" if ends_well else None)
    assert [loss.kind for loss in context.context.report] == (["defaulted"] if ends_well else [])


@pytest.mark.parametrize("clean", [True, False])
def test_a_stream_of_nothing(make_context: MakeContext, clean: bool) -> None:
    """It is a failure, also after a keep-alive; what could not be read is told."""
    with pytest.raises(UpstreamError, match="before it began"):
        ToChat(make_context()).finish(clean)
    transducer = ToChat(make_context())
    transducer.garbled("dust")
    with pytest.raises(UpstreamError, match="sent dust"):
        transducer.finish(clean)
    transducer = ToChat(make_context())
    transducer.start()
    (chunk,) = transducer.finish(clean)
    assert "cut off" in chunk["error"]["message"]


# --- stop sequences --------------------------------------------------------------------------------------------------


def test_a_stop_sequence_ends_the_stream(make_context: MakeContext) -> None:
    """At once, and the upstream works on in vain; nobody knows the usage."""
    text = {**HI, "content": [{"type": "output_text", "text": "one STOP two"}]}
    transducer = ToChat(make_context("STOP", include_usage=True))
    chunks = run(transducer, *events_of(response(text, CALL, usage={"input_tokens": 1, "output_tokens": 2})))
    assert outcome(transducer) == ("one ", "stop")
    assert transducer.cut_short
    assert chunks[-1]["choices"]
    assert transducer.answer["usage"] is None


def test_a_stop_sequence_in_a_finished_answer(make_context: MakeContext) -> None:
    """It has usage; nothing behind it counts, and a call before it does."""
    text = {**HI, "content": [{"type": "output_text", "text": "one STOP two"}]}
    transducer = ToChat(make_context("STOP", include_usage=True))
    chunks = run(transducer, response(text, CALL, usage={"input_tokens": 1, "output_tokens": 2}))
    assert outcome(transducer) == ("one ", "stop")
    assert not transducer.cut_short
    assert chunks[-1]["usage"]["total_tokens"] == 3
    transducer = ToChat(make_context("STOP"))
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
def test_a_call_that_is_open_when_the_text_stops(make_context: MakeContext, late: list[Any]) -> None:
    """It was announced, so it is waited for: half of it could not be made. What begins meanwhile is not said."""
    transducer = ToChat(make_context("STOP"))
    run(transducer, *STOPPED_BEHIND_A_CALL, *late, REST)
    assert outcome(transducer) == ("one ", "tool_calls")
    assert transducer.cut_short
    (call,) = transducer.answer["choices"][0]["message"]["tool_calls"]
    assert call["function"]["arguments"] == '{"a":1}'


def test_a_call_that_stays_open_when_the_text_stops(make_context: MakeContext) -> None:
    """If it is cut, so is the answer."""
    transducer = ToChat(make_context("STOP"))
    half = {**CALL, "arguments": '{"a"', "status": "incomplete"}
    done = {"type": "response.output_item.done", "output_index": 0, "item": half}
    run(transducer, *STOPPED_BEHIND_A_CALL, done, ended("incomplete", response(half, status="incomplete")))
    assert outcome(transducer) == ("one ", "length")
    assert not transducer.cut_short


def test_a_call_that_turns_out_to_be_cut(make_context: MakeContext) -> None:
    """Its arguments had an end, but the item says that this was not theirs."""
    transducer = ToChat(make_context())
    half = {**CALL, "arguments": '{"a"', "status": "incomplete"}
    events = (STOPPED_BEHIND_A_CALL[0], {**REST, "arguments": '{"a"'}, ended("completed", response(half)))
    run(transducer, *events)
    assert outcome(transducer) == (None, "length")


def test_nothing_is_no_answer_even_if_it_was_begun(make_context: MakeContext) -> None:
    """To keep a connection alive changes no ending."""
    transducer = ToChat(make_context())
    chunks = [*transducer.start(), *transducer.feed(ended("completed", {"status": "completed"}))]
    assert "error" in chunks[-1]
    assert transducer.failure is not None


@pytest.mark.parametrize("kind", ["audio.delta", "audio.transcript.delta"])
def test_audio_is_reported(make_context: MakeContext, kind: str) -> None:
    """It has no place in the answer."""
    context = make_context()
    run(ToChat(context), {"type": f"response.{kind}", "delta": "AAAA"}, ended("completed", response(HI)))
    assert [loss.path for loss in context.context.report] == ["audio"]


def test_a_tool_of_the_server_that_never_ends_is_reported(make_context: MakeContext) -> None:
    """What began says what there was."""
    context = make_context()
    begun = {"type": "response.output_item.added", "output_index": 0, "item": {"type": "web_search_call"}}
    text = {"type": "response.output_text.delta", "output_index": 1, "delta": "Hi"}
    run(ToChat(context), begun, text, ended("completed", response()))
    assert [str(loss) for loss in context.context.report] == [
        "dropped message: chat has no equivalent of 'web_search_call'"
    ]


# --- memory ----------------------------------------------------------------------------------------------------------

CITED = {"type": "output_text", "text": "Hi", "annotations": [{"type": "url_citation", "url": "u"}]}
MIXED = response(
    {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "x"},
    {"type": "message", "id": "m", "content": [CITED]},
    {"type": "function_call", "id": "f", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call", "id": "g", "call_id": "d", "name": "g", "arguments": "{}"},
)
EVENTS = [
    {"type": "response.created", "response": response()},
    {"type": "response.output_text.delta", "item_id": "m", "output_index": 1, "content_index": 0, "delta": "H"},
    {"type": "response.output_text.delta", "item_id": "m", "output_index": 1, "content_index": 0, "delta": "i"},
    *({"type": "response.output_item.done", "output_index": i, "item": item} for i, item in enumerate(MIXED["output"])),
    {"type": "response.completed", "response": MIXED},
]


def answer_whole(exchange: ServeChat) -> None:
    exchange.answer(MIXED)


def feed_events(exchange: ServeChat, count: int = len(EVENTS)) -> None:
    transducer = exchange.transducer()
    for event in EVENTS[:count]:
        transducer.feed(event)


@pytest.mark.parametrize(
    "convert",
    [
        answer_whole,
        feed_events,
        lambda exchange: feed_events(exchange, 3),
    ],
)
@pytest.mark.parametrize("stop", [None, "Bye"])
def test_nothing_is_left_for_the_collector(convert: Callable[[ServeChat], None], stop: str | None) -> None:
    """An answer is gone when nobody holds it, finished or not: the collector of cycles finds nothing."""
    exchange = ServeChat({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stop": stop})
    convert(exchange)
    gc.collect()
    gc.disable()
    try:
        convert(exchange)
        assert gc.collect() == 0
    finally:
        gc.enable()
