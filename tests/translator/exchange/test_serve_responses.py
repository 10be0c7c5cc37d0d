import gc
import json
import re
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import msgspec
import pytest

from diglot.translator import Profile, RequestError, ServeResponses, UpstreamError, preset

Serve = Callable[..., ServeResponses]
TOOL = {"type": "function", "name": "f"}


def body(**error: Any) -> bytes:
    return json.dumps({"error": {"message": "Bad.", **error}}).encode()


# --- the request -----------------------------------------------------------------------------------------------------


def test_an_exchange_has_the_chat_request_and_the_losses(serve: Serve) -> None:
    """What to send, and what was lost on the way."""
    exchange = serve({"client_metadata": {"a": "b"}})
    assert exchange.chat == {"model": "m", "messages": [{"role": "user", "content": "Go"}]}
    assert [loss.path for loss in exchange.report] == ["client_metadata"]
    assert exchange.profile == Profile()


@pytest.mark.parametrize(("stream", "streaming"), [(True, True), (False, False), (None, False)])
def test_only_the_body_decides_about_streaming(serve: Serve, stream: Any, streaming: bool) -> None:
    """`stream: true` and nothing else."""
    assert serve({"stream": stream}).streaming is streaming


def test_strict_is_handed_on(serve: Serve) -> None:
    """What would be lost is refused; what is only emulated is not."""
    with pytest.raises(RequestError):
        serve({"client_metadata": {"a": "b"}}, strict=True)
    assert serve({"metadata": {"a": "b"}}, strict=True).chat["model"] == "m"


@pytest.mark.parametrize(
    ("expose", "asked", "shown"),
    [
        ("auto", None, "content"),
        ("auto", {}, "content"),
        ("auto", {"summary": None}, "content"),
        ("auto", {"summary": "auto"}, "summary"),
        ("auto", {"generate_summary": "concise"}, "summary"),
        ("content", {"summary": "auto"}, "content"),
        ("summary", None, "summary"),
        ("both", None, "content summary"),
        ("off", {"summary": "auto"}, ""),
    ],
)
def test_where_thoughts_are_shown(serve: Serve, expose: Any, asked: Any, shown: str) -> None:
    """The profile decides, or the client by asking for a summary."""
    exchange = serve({"reasoning": asked}, Profile(reasoning_expose=expose))
    choice = {"message": {"reasoning_content": "hm", "content": "Hi"}, "finish_reason": "stop"}
    output = exchange.answer({"choices": [choice]})["output"]
    item = output[0] if len(output) == 2 else {}
    assert " ".join(name for name in ("content", "summary") if item.get(name)) == shown


# --- errors ----------------------------------------------------------------------------------------------------------

ITEMS = [
    {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "u"}]},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "message", "role": "assistant", "content": "A"},
    {"type": "function_call_output", "call_id": "c", "output": "x"},
]
ASKED = {"instructions": "Be brief.", "input": ITEMS, "tools": [{"type": "web_search"}, TOOL]}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("messages[0].content", "instructions"),
        ("messages[1].content[0].image_url.url", "input[0].content[0].image_url"),
        ("messages[2].tool_calls[0].id", "input[1].id"),
        ("messages[3]", "input[3]"),
        ("messages.1.content", "input[0].content"),
        ("messages[9].content", "input[9].content"),
        ("messages", "input"),
        ("tools[0].function.name", "tools[1].name"),
        ("tools[0].custom.format", "tools[1].format"),
        ("tools[7].function.name", "tools[7].function.name"),
        ("tools", "tools"),
        ("max_tokens", "max_output_tokens"),
        ("max_completion_tokens", "max_output_tokens"),
        ("response_format.json_schema.schema", "text.format.schema"),
        ("reasoning_effort", "reasoning.effort"),
        ("verbosity", "text.verbosity"),
        ("temperature", "temperature"),
        ("top_k", "top_k"),
        ("", ""),
        ("[0]", "[0]"),
    ],
)
def test_an_upstreams_path_is_told_in_the_clients_words(serve: Serve, theirs: str, ours: str) -> None:
    """Path and message name what the client sent (protocol 7.2)."""
    error = serve(ASKED).error(400, body(param=theirs, message=f"Invalid '{theirs}'."))
    assert (error.param, error.message) == (ours, f"Invalid '{ours}'.")


LESSONS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (
        "default",
        {"stream": True},
        {"message": "Unrecognized request argument supplied: stream_options"},
        {"stream_usage": False},
    ),
    ("default", {"stream": True}, {"message": "Bad.", "param": "stream_options"}, {"stream_usage": False}),
    (
        "openai",
        {"instructions": "x"},
        {"message": "'developer' is not one of ['system', 'user']"},
        {"developer_role": "system"},
    ),
    (
        "default",
        {"max_output_tokens": 50},
        {"message": "Unsupported parameter: 'max_tokens' is not supported with this model."},
        {"renamed": {}},
    ),
    (
        "openai",
        {"max_output_tokens": 50},
        {"message": "Bad.", "param": "max_completion_tokens", "code": "unknown_parameter"},
        {"renamed": {"max_completion_tokens": "max_tokens"}},
    ),
    (
        "openrouter",
        {"max_output_tokens": 50},
        {"message": "extra inputs are not permitted: max_tokens"},
        {"renamed": {"reasoning_effort": "reasoning.effort"}},
    ),
]


@pytest.mark.parametrize(("name", "asked", "error", "changes"), LESSONS)
@pytest.mark.parametrize("status", [400, 422])
def test_an_upstream_teaches(
    serve: Serve, status: int, name: str, asked: dict[str, Any], error: dict[str, Any], changes: dict[str, Any]
) -> None:
    """What was added here and is not known there is left out the next time."""
    exchange = serve(asked, preset(name))
    assert exchange.learned(status, body(**error)) == msgspec.structs.replace(preset(name), **changes)


@pytest.mark.parametrize(("name", "asked", "error", "changes"), LESSONS)
def test_a_lesson_is_learned_once(
    serve: Serve, name: str, asked: dict[str, Any], error: dict[str, Any], changes: dict[str, Any]
) -> None:
    """With the new profile the request no longer says it, and the same error teaches nothing, or the way back."""
    learned = serve(asked, preset(name)).learned(400, body(**error))
    assert learned is not None
    again = serve(asked, learned)
    assert again.chat != serve(asked, preset(name)).chat
    assert again.learned(400, body(**error)) is None


@pytest.mark.parametrize(
    ("status", "asked", "error"),
    [
        (
            400,
            {"max_output_tokens": 99999},
            {"message": "max_tokens is too large: 99999. This model supports at most 4096 completion tokens."},
        ),
        (400, {"max_output_tokens": 5}, {"message": "max_tokens must be at least 16", "param": "max_tokens"}),
        (400, {"max_output_tokens": 5}, {"message": "Unknown parameter: 'max_tokens_per_day'."}),
        (400, {"max_output_tokens": 5}, {"message": "Unsupported value: 'temperature'."}),
        (400, {}, {"message": "Unsupported parameter: 'max_tokens'."}),
        (400, {}, {"message": "Unknown argument: stream_options"}),
        (400, {"instructions": "x"}, {"message": "'developer' is not one of ['system', 'user']"}),
        (400, {"stream": True}, {"message": "The model does not exist."}),
        (401, {"stream": True}, {"message": "Unknown argument: stream_options"}),
        (500, {"stream": True}, {"message": "Unknown argument: stream_options"}),
        (200, {"stream": True}, {"message": "Unknown argument: stream_options"}),
    ],
)
def test_other_errors_teach_nothing(serve: Serve, status: int, asked: dict[str, Any], error: dict[str, Any]) -> None:
    """A limit, another field, what was not sent, or another status is no lesson."""
    assert serve(asked).learned(status, body(**error)) is None


# --- the transducer ---------------------------------------------------------------------------------------------------


def test_the_transducer_takes_decoded_chunks(serve: Serve) -> None:
    """Who has chunks already needs no bytes."""
    transducer = serve({"stream": True}).transducer()
    events = transducer.feed({"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]})
    events += transducer.finish()
    assert events[-1]["response"] == transducer.answer
    assert transducer.ended


# --- letting go of the request


@pytest.mark.parametrize("before", [0, 2])
def test_a_stream_without_its_request(serve: Serve, before: int) -> None:
    """Once the upstream has accepted it, a request is let go of: its stream is the same, byte for byte."""
    tools = [{**TOOL, "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}, {"type": "shell"}]
    asked = {"stream": True, "tools": tools, "metadata": {"a": "b"}, "instructions": "x", "truncation": "auto"}
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a":'}}
    deltas: list[Any] = [{"content": "Hi"}, {"tool_calls": [call]}]
    deltas.append({"tool_calls": [{"index": 0, "function": {"arguments": '"b"}'}}]})
    chunks = [{"model": "m", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
    pieces = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks] + [b"data: [DONE]\n\n"]

    def frames(*, is_released: bool) -> list[bytes]:
        exchange = serve(asked)
        stream = exchange.stream()
        made = [frame for piece in pieces[:before] for frame in stream.feed(piece)]
        if is_released:
            exchange.release()
            stream.release()
            assert exchange.request == {}
        made += [frame for piece in pieces[before:] for frame in stream.feed(piece)]
        assert stream.ended
        return [re.sub(rb"_\d+", b"", frame) for frame in made]

    assert frames(is_released=True) == frames(is_released=False)


def test_a_stream_holds_no_declarations_of_its_request(serve: Serve) -> None:
    """What nobody says again is gone; of what the answer repeats, there is only the JSON."""
    parameters = {"type": "object", "properties": {"a": {"type": "string"}}}
    exchange = serve({"stream": True, "tools": [{**TOOL, "parameters": parameters}]})
    stream = exchange.stream()
    held = [id(parameters), *map(id, parameters.values())]
    assert not set(held).isdisjoint(reached(stream))
    exchange.release()
    stream.release()
    assert set(held).isdisjoint(reached(stream))
    assert set(held).isdisjoint(reached(exchange))


def reached(value: Any) -> set[int]:
    """What *value* holds, directly or not; classes and functions are everybody's."""
    seen: set[int] = set()
    left = [value]
    while left:
        one = left.pop()
        if id(one) not in seen and not isinstance(one, (type, FunctionType, ModuleType)):
            seen.add(id(one))
            left += gc.get_referents(one)
    return seen


def test_an_error_without_its_request(serve: Serve) -> None:
    """It says what it said, but where it was in the request nobody knows any more; the losses stay, their values go."""
    exchange = serve({"truncation": "auto"})
    error = exchange.error(400, body(param="messages[0].content"))
    assert error.param == "input"
    exchange.release()
    assert exchange.error(400, body(param="messages[0].content")).param is None
    assert exchange.error(400, body()).message == "Bad."
    assert [(loss.path, loss.value) for loss in exchange.report] == [("truncation", None)]


def test_a_failure_without_its_request(serve: Serve) -> None:
    """What cannot be encoded strictly is encoded all the same, beside what is encoded already."""
    exchange = serve({"stream": True, "tools": [TOOL]})
    stream = exchange.stream()
    stream.release()
    stream.start()
    assert b'"name":"f"' in stream.fail(UpstreamError("half: \ud800"))[-1]


def test_the_name_that_was_asked_for(serve: Serve) -> None:
    """It stands in the answer and in every event; seals hold the name at the upstream."""
    exchange = serve({"model": "real", "stream": True}, answer_model="asked")
    assert exchange.chat["model"] == "real"
    chunk = {"model": "real-2026", "choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    message = {"role": "assistant", "content": "Hi"}
    assert exchange.answer({**chunk, "choices": [{"message": message, "finish_reason": "stop"}]})["model"] == "asked"
    stream = exchange.events()
    events = [*stream.feed(b"data: %b\n\n" % json.dumps(chunk).encode()), *stream.finish()]
    assert {event["response"]["model"] for event in events if "response" in event} == {"asked"}
    assert exchange._response_context.model == "real"
