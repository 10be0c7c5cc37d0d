"""What refusals teach (spelling at chat upstreams: test_serve_responses.py)."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from diglot.translator import Profile, ServeChat, ServeResponses
from diglot.translator.exchange import refusals

Serve = Callable[..., ServeChat]


@pytest.fixture
def serve_chat(new_id: Callable[[str], str], clock: Callable[[], float]) -> Serve:
    """Begin an exchange with a Responses upstream."""

    def make(profile: Profile | None = None, **more: Any) -> ServeChat:
        body = {"model": "m", "messages": [{"role": "user", "content": "Go"}], **more}
        return ServeChat(body, profile=profile, new_id=new_id, clock=clock)

    return make


def refusal(message: str = "Bad.", **error: Any) -> bytes:
    return json.dumps({"error": {"message": message, **error}}).encode()


@pytest.mark.parametrize(
    "body",
    [
        refusal("Unsupported parameter: 'store'", param="store", code="unsupported_parameter"),
        refusal("Unknown parameter: 'store'."),
        refusal("Bad.", param="store", code="unknown_parameter"),
        b'{"detail":"Unsupported parameter: store"}',
        b'{"detail":[{"type":"extra_forbidden","loc":["body","store"],"msg":"Extra inputs are not permitted"}]}',
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_what_was_added_is_left_out(serve_chat: Serve, status: int, body: bytes) -> None:
    """`store` is sent on our own; an upstream that does not know it gets it no more."""
    learned = serve_chat().learned(status, body)
    assert learned is not None
    assert learned.responses_unsupported == {"store"}
    assert "store" not in serve_chat(learned).request


def test_lessons_add_up(serve_chat: Serve) -> None:
    """What was unsupported before stays so."""
    learned = serve_chat(Profile(responses_unsupported=frozenset({"user"}))).learned(400, refusal("Unknown: store"))
    assert learned is not None
    assert learned.responses_unsupported == {"user", "store"}


@pytest.mark.parametrize(
    ("status", "body", "more"),
    [
        (500, refusal("Unknown parameter: 'store'."), {}),
        (400, refusal("The item store is unknown.", param="input[0].store"), {}),
        (400, refusal("'store' must be true."), {}),
        (400, refusal("Unknown parameter: 'input[0].store'"), {}),
        (400, refusal("Unknown parameter: 'storey'."), {}),
        (400, refusal("Unknown parameter: 'store'."), {"store": False}),
        (400, refusal("Unknown parameter: 'include'."), {"logprobs": True}),
        (400, refusal("Unknown parameter: 'tools[0].strict'."), {"temperature": 1}),
    ],
)
def test_nothing_is_learned(serve_chat: Serve, status: int, body: bytes, more: dict[str, Any]) -> None:
    """Neither from other refusals nor about what the client asked for itself."""
    assert serve_chat(**more).learned(status, body) is None


def test_null_asks_for_nothing(serve_chat: Serve) -> None:
    """`store: null` is no wish."""
    assert serve_chat(store=None).learned(400, refusal("Unknown parameter: 'store'.")) is not None


def test_it_is_not_learned_twice(serve_chat: Serve) -> None:
    """What is no longer sent cannot be the reason."""
    profile = Profile(responses_unsupported=frozenset({"store"}))
    assert serve_chat(profile).learned(400, refusal("Unknown parameter: 'store'.")) is None


BELOW = "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 8 instead."


@pytest.mark.parametrize(
    "body",
    [
        refusal(BELOW, param="max_output_tokens", code="integer_below_min_value"),
        refusal("It must be at least 16.", param="max_output_tokens"),
        refusal("The minimum of max_output_tokens is too high: minimum value of 16"),
    ],
)
def test_the_least_limit(serve_chat: Serve, body: bytes) -> None:
    """OpenAI's API has a floor: a smaller limit becomes that one, and it is said that it did."""
    learned = serve_chat(max_tokens=8).learned(400, body)
    assert learned is not None
    again = serve_chat(learned, max_tokens=8)
    assert (again.request["max_output_tokens"], [loss.kind for loss in again.report]) == (16, ["approximated"])
    assert again.learned(400, body) is None


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (refusal(BELOW), {}),
        (refusal(BELOW), {"max_tokens": 20}),
        (refusal("temperature must be at least 16"), {"max_tokens": 8}),
        (refusal("max_output_tokens must be at least 9000"), {"max_tokens": 8}),
        (refusal("max_output_tokens is wrong"), {"max_tokens": 8}),
    ],
)
def test_no_least_limit(serve_chat: Serve, body: bytes, more: dict[str, Any]) -> None:
    """Only a limit that was too small can be raised, and not by much."""
    assert serve_chat(**more).learned(400, body) is None


# --- chat upstreams


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
LOOP = [{"role": "user", "content": "Go"}, THOUGHT, CALL, OUTPUT]
BROKEN = [{"role": "user", "content": "Go"}, {**CALL, "arguments": '{"a": '}, OUTPUT]
LATE = [
    {"role": "user", "content": "Go"},
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "On"},
]


@pytest.fixture
def serve(new_id: Callable[[str], str], clock: Callable[[], float]) -> Callable[..., ServeResponses]:
    """Begin an exchange with a chat upstream."""

    def make(profile: Profile | None = None, **more: Any) -> ServeResponses:
        body = {"model": "m", "input": "Go", **more}
        return ServeResponses(body, profile=profile, new_id=new_id, clock=clock)

    return make


@pytest.mark.parametrize(
    ("asked", "message", "changes"),
    [
        ({"input": LOOP}, "property 'reasoning_content' is unsupported", {"reasoning_replay": "never"}),
        ({"input": LOOP}, "Unknown field: reasoning_content", {"reasoning_replay": "never"}),
        ({"input": LOOP}, "reasoning_content is missing in assistant tool call", {"reasoning_replay": "always"}),
        (
            {"input": LOOP},
            "The `reasoning_content` in the thinking mode must be passed back to the API.",
            {"reasoning_replay": "always"},
        ),
        ({"input": LATE}, "System message must be at the beginning.", {"system_messages": "one"}),
        ({"input": LATE}, "system messages are only allowed at the start", {"system_messages": "one"}),
        ({"input": LATE}, "Only one system message is allowed", {"system_messages": "one"}),
        ({"input": BROKEN}, "Expecting ',' delimiter: line 1 column 7 (char 6)", {"object_arguments": True}),
        ({"input": BROKEN}, "Can only get item pairs from a mapping.", {"object_arguments": True}),
        ({"input": BROKEN}, "Failed to parse tool call arguments as JSON", {"object_arguments": True}),
        ({"top_p": 0.5}, "Argument not supported on this model: topP", {"unsupported": {"top_p"}}),
        (
            {"temperature": 0.2},
            "invalid temperature: only 1 is allowed for this model",
            {"unsupported": {"temperature"}},
        ),
        (
            {"temperature": 0.2, "top_p": 0.5},
            "`temperature` and `top_p` cannot both be specified for this model.",
            {"unsupported": {"temperature", "top_p"}},
        ),
        (
            {"reasoning": {"effort": "high"}},
            "Unrecognized request argument supplied: reasoning_effort",
            {"unsupported": {"reasoning_effort"}},
        ),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_chat_upstream_teaches(
    serve: Callable[..., ServeResponses], status: int, asked: dict[str, Any], message: str, changes: dict[str, Any]
) -> None:
    """One setting changes, and the next request is another one."""
    profile = Profile(unsupported=frozenset())
    learned = serve(profile, **asked).learned(status, refusal(message))
    assert learned is not None
    assert {name: getattr(learned, name) for name in changes} == changes
    assert learned == msgspec.structs.replace(profile, **changes)
    if changes != {"reasoning_replay": "always"}:  # here all of it was sent before
        assert serve(learned, **asked).chat != serve(profile, **asked).chat
        assert serve(learned, **asked).learned(status, refusal(message)) is None


@pytest.mark.parametrize(
    ("status", "asked", "message"),
    [
        (500, {"input": LOOP}, "property 'reasoning_content' is unsupported"),
        (400, {}, "property 'reasoning_content' is unsupported"),
        (400, {"input": LOOP}, "reasoning_content is too long"),
        (400, {}, "System message must be at the beginning."),
        (400, {"input": LATE}, "The system is down."),
        (400, {"input": LOOP}, "Failed to parse tool call arguments as JSON"),
        (400, {"input": BROKEN}, "No such model."),
        (404, {"input": BROKEN}, "Failed to parse tool call arguments as JSON"),
        (400, {"temperature": 3}, "temperature must be between 0 and 2"),
        (400, {"temperature": 3}, "Unsupported temperature 3: it must be at most 2"),
        (400, {"temperature": 3}, "temperature is a strange thing"),
        (400, {}, "Unsupported parameter: 'temperature'"),
        (400, {"text": {"format": {"type": "json_object"}}}, "Unsupported parameter: 'response_format'"),
        (400, {"tools": [{"type": "function", "name": "f"}]}, "Unsupported parameter: 'tools'"),
        (400, {"temperature": 1}, "Unsupported parameter: 'messages[0].temperature'"),
    ],
)
def test_a_chat_upstream_teaches_nothing(
    serve: Callable[..., ServeResponses], status: int, asked: dict[str, Any], message: str
) -> None:
    """What was not sent, what is the client's mistake, and what the client relies on."""
    assert serve(**asked).learned(status, refusal(message)) is None


def test_what_is_left_out_is_reported(serve: Callable[..., ServeResponses], serve_chat: Serve) -> None:
    """The client can read it."""
    body = refusal("Unsupported parameter", param="temperature", code="unsupported_parameter")
    for make in (serve, serve_chat):
        learned = make(temperature=0.2).learned(400, body)
        again = make(learned, temperature=0.2)
        assert "temperature" not in again.request
        assert [(loss.path, loss.kind) for loss in again.report] == [("temperature", "dropped")]


@pytest.mark.parametrize("name", ["reasoning.effort", "reasoningEffort", "reasoning_effort"])
def test_paths_inside(serve_chat: Serve, name: str) -> None:
    """A part of a field is left out alone."""
    learned = serve_chat(reasoning_effort="high").learned(400, refusal(f"Unsupported parameter: '{name}'"))
    assert learned is not None
    assert learned.responses_unsupported == {"reasoning.effort"}
    assert "reasoning" not in serve_chat(learned, reasoning_effort="high").request


def test_arguments_at_a_responses_upstream(serve_chat: Serve) -> None:
    """It parses the calls of the history, too."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": '}}
    turns = [{"role": "user", "content": "Go"}, {"role": "assistant", "tool_calls": [call]}]
    turns.append({"role": "tool", "tool_call_id": "c", "content": "ok"})
    learned = serve_chat(messages=turns).learned(500, refusal("Failed to parse tool call arguments as JSON"))
    assert learned is not None
    assert learned.object_arguments
    again = serve_chat(learned, messages=turns)
    assert json.loads(again.request["input"][1]["arguments"]) == {"input": '{"a": '}
    assert again.learned(500, refusal("Failed to parse tool call arguments as JSON")) is None


def test_calls_of_other_kinds_have_no_arguments(serve_chat: Serve, serve: Callable[..., ServeResponses]) -> None:
    """Free-form inputs may be any text."""
    call = {"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}
    turns = [{"role": "user", "content": "Go"}, {"role": "assistant", "tool_calls": [call]}]
    turns.append({"role": "tool", "tool_call_id": "c", "content": "ok"})
    assert serve_chat(messages=turns).learned(400, refusal("Bad JSON in arguments")) is None
    tools = [{"type": "custom", "name": "f"}]
    items = [{"role": "user", "content": "Go"}, {**CALL, "type": "custom_tool_call", "input": "x"}]
    items.append({**OUTPUT, "type": "custom_tool_call_output"})
    profile = Profile(custom_tools=True)
    assert serve(profile, input=items, tools=tools).learned(400, refusal("Bad JSON in arguments")) is None


def test_what_clients_rely_on_is_not_left_out() -> None:
    """An answer without these would be of another kind."""
    relied = {"tools", "tool_choice", "response_format", "text.format", "max_tokens", "max_output_tokens", "stop", "n"}
    assert relied.isdisjoint(refusals.OMITTABLE)
