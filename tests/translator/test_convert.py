"""Requests and finished answers in the other dialect, as users call it."""

import contextlib
import copy
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion
from openai.types.responses import Response, ResponseOutputMessage

import diglot
from diglot import Profile, RequestError, TranslationError, UntranslatableError, UpstreamError, preset

MESSAGE = {"role": "assistant", "content": "Hi"}
COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "m",
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
}
ITEM = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": []}
TEXT = {"type": "output_text", "text": "Hi", "annotations": []}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_700_000_000,
    "model": "m",
    "status": "completed",
    "output": [{**ITEM, "content": [TEXT]}],
}
RESPONSES_REQUEST: dict[str, Any] = {"model": "m", "input": [{"role": "user", "content": "Go"}], "truncation": "auto"}
CHAT_REQUEST: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Go"}], "seed": 1, "stop": "x"}
Convert = Callable[..., tuple[Any, list[diglot.Loss]]]
GRID: list[tuple[Convert, dict[str, Any]]] = [
    (diglot.chat_request, RESPONSES_REQUEST),
    (diglot.responses_request, CHAT_REQUEST),
    (diglot.responses_answer, COMPLETION),
    (diglot.chat_answer, RESPONSE),
]
grid = pytest.mark.parametrize(("function", "body"), GRID, ids=[function.__name__ for function, _ in GRID])


@grid
def test_convert_sees_from_its_fields_what_a_body_is(function: Convert, body: dict[str, Any]) -> None:
    """It does what the function of the right name does."""
    assert diglot.convert(body) == function(body)
    assert diglot.convert(body, profile="openai") == function(body, profile=preset("openai"))


@grid
def test_the_same_input_gives_the_same_bytes(function: Convert, body: dict[str, Any]) -> None:
    """What comes out is the caller's own; what went in is as it was."""
    before = copy.deepcopy(body)
    first, _ = function(body)
    kept = copy.deepcopy(first)
    for value in first.values():
        if isinstance(value, list):
            value.clear()
        elif isinstance(value, dict):
            value["spoilt"] = True
    assert body == before
    assert function(body)[0] == kept


def test_losses() -> None:
    """They come with the result, those of requests and those of answers."""
    assert [loss.path for loss in diglot.chat_request(RESPONSES_REQUEST)[1]] == ["truncation"]
    assert [loss.path for loss in diglot.responses_request(CHAT_REQUEST)[1]] == ["seed", "stop"]
    two = {**COMPLETION, "choices": [*COMPLETION["choices"], {"index": 1, "message": MESSAGE}]}
    assert [loss.path for loss in diglot.responses_answer(two, request=RESPONSES_REQUEST)[1]] == ["choices"]


@pytest.mark.parametrize(
    ("body", "settings"),
    [
        (RESPONSES_REQUEST, {}),
        (CHAT_REQUEST, {}),
        ({**COMPLETION, "choices": [*COMPLETION["choices"], {"index": 1, "message": MESSAGE}]}, {}),
        ({**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "new"}}, {}),
    ],
)
def test_strict(body: dict[str, Any], settings: dict[str, Any]) -> None:
    """Whatever would be dropped or approximated is refused, with all such losses."""
    with pytest.raises(UntranslatableError) as caught:
        diglot.convert(body, strict=True)
    assert caught.value.losses == tuple(diglot.convert(body)[1])


def test_strict_takes_what_loses_nothing() -> None:
    """It comes out as it does otherwise."""
    for body in (COMPLETION, RESPONSE, {"model": "m", "input": "Go"}):
        assert diglot.convert(body, strict=True) == diglot.convert(body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ([], RequestError),
        (None, RequestError),
        ({}, RequestError),
        ({"messages": 1}, RequestError),
        ({"choices": 1}, UpstreamError),
        ({"output": 1}, UpstreamError),
    ],
)
def test_what_is_neither_is_refused(body: Any, error: type[TranslationError]) -> None:
    """The error is one of our own tree."""
    with pytest.raises(error):
        diglot.convert(body)


@pytest.mark.parametrize("function", [diglot.responses_answer, diglot.chat_answer])
@pytest.mark.parametrize("body", [[], None, 1, "text"])
def test_what_is_no_object_is_no_answer(function: Convert, body: Any) -> None:
    """It is JSON, but not in the dialect of the upstream."""
    with pytest.raises(UpstreamError):
        function(body)


@pytest.mark.parametrize("function", [function for function, _ in GRID])
def test_what_is_no_json_is_refused_by_name(function: Convert) -> None:
    """It is a mistake of the calling code."""
    with pytest.raises(TypeError, match="object is not JSON"):
        function(object())


def test_an_answer_repeats_its_request() -> None:
    """And the tools that it declares say which item a call becomes."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"input": "x"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    completion = {**COMPLETION, "choices": [{"message": message, "finish_reason": "tool_calls"}]}
    request = {"model": "m", "input": "Go", "temperature": 0.5, "tools": [{"type": "custom", "name": "f"}]}
    answer, _ = diglot.responses_answer(completion, request=request)
    assert answer["temperature"] == 0.5
    assert answer["output"][0]["type"] == "custom_tool_call"
    assert answer["output"][0]["input"] == "x"
    assert diglot.responses_answer(completion)[0]["output"][0]["type"] == "function_call"
    with pytest.raises(RequestError):
        diglot.responses_answer(completion, request={"model": "m"})


def test_the_request_of_a_chat_answer() -> None:
    """Its stop sequences are supported."""
    answer, _ = diglot.chat_answer(RESPONSE, request={**CHAT_REQUEST, "stop": "i"})
    assert answer["choices"][0]["message"]["content"] == "H"


def test_ids_and_times() -> None:
    """They are hashes and the upstream's own, unless they are handed in."""
    made, _ = diglot.responses_answer(COMPLETION)
    other, _ = diglot.responses_answer({**COMPLETION, "id": "chatcmpl-2"})
    assert made["id"] != other["id"]
    assert made["created_at"] == made["completed_at"] == 1_700_000_000
    own, _ = diglot.responses_answer(COMPLETION, new_id=lambda prefix: f"{prefix}_own", clock=lambda: 1_800_000_000.0)
    assert (own["id"], own["output"][0]["id"], own["completed_at"]) == ("resp_own", "msg_own", 1_800_000_000)


def test_models_that_nobody_knows() -> None:
    """Answers need none."""
    assert diglot.convert({**RESPONSE, "model": None})[0]["model"] == "unknown"
    assert diglot.convert({**COMPLETION, "model": 5})[0]["model"] == "unknown"


def test_objects_of_the_sdk() -> None:
    """They are read, also inside of a body, as programs append them to their input."""
    completion, finished = ChatCompletion.construct(**COMPLETION), Response.construct(**RESPONSE)
    assert diglot.responses_answer(completion) == diglot.responses_answer(COMPLETION)
    assert diglot.chat_answer(finished) == diglot.chat_answer(RESPONSE)
    item = ResponseOutputMessage.construct(**RESPONSE["output"][0])
    body, _ = diglot.chat_request({"model": "m", "input": [{"role": "user", "content": "Go"}, item]})
    assert body["messages"][1] == {"role": "assistant", "content": "Hi"}
    assert diglot.ServeResponses({"model": "m", "input": "Go"}).answer(completion)["output"]
    assert diglot.ServeChat(CHAT_REQUEST).answer(finished)["choices"]


def test_mappings_for_a_live_call() -> None:
    """A request need not be a dict."""
    assert diglot.ServeResponses(MappingProxyType(RESPONSES_REQUEST)).chat["messages"]
    assert diglot.ServeChat(MappingProxyType(CHAT_REQUEST)).responses["input"]


def test_profiles_are_names_or_profiles() -> None:
    """Anything else is a mistake."""
    with pytest.raises(ValueError, match="unknown profile"):
        diglot.chat_request(RESPONSES_REQUEST, profile="opnai")
    assert diglot.chat_request(RESPONSES_REQUEST, profile=Profile()) == diglot.chat_request(RESPONSES_REQUEST)


NAMES = st.sampled_from(
    "model input messages choices output message delta role content type text error id status".split()
)
WORDS = st.sampled_from("user assistant message function_call output_text stop completed m".split())
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5),
    max_leaves=20,
)


@given(ANY_JSON, st.sampled_from([*[function for function, _ in GRID], diglot.convert]), st.booleans())
def test_any_json_is_converted_or_refused(body: Any, function: Convert, strict: bool) -> None:
    """The error is one of our own tree, and what went in is as it was."""
    before = repr(body)
    with contextlib.suppress(TranslationError):
        made, losses = function(body, strict=strict)
        assert isinstance(made, dict)
        assert all(isinstance(loss, diglot.Loss) for loss in losses)
    assert repr(body) == before


@given(st.lists(ANY_JSON, max_size=4), st.sampled_from([diglot.responses_stream, diglot.chat_stream]))
def test_any_stream_is_converted_or_refused(chunks: list[Any], function: Callable[..., Any]) -> None:
    """So are its events."""
    with contextlib.suppress(TranslationError):
        assert all(isinstance(event, dict) for event in function(chunks))
