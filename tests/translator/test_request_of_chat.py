"""`request.py`, from chat to Responses (the other way: test_request.py)."""

from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError, ServeChat, UntranslatableError, request
from diglot.translator.context import Context

FUNCTION = {"type": "function", "function": {"name": "f"}}
FLAT = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False}


def chat(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Go"}], **more}


def back(given: dict[str, Any], **profile: Any) -> tuple[request.ResponsesTranslation, list[tuple[str, str]]]:
    """The Responses request and what is kept beside it, and (path, kind) of what was lost."""
    context = Context(Profile(**profile), Report())
    return request.translate_to_responses(given, context), [(loss.path, loss.kind) for loss in context.report]


def test_the_smallest_chat_request() -> None:
    """A model and a word; it is not stored, and without a report nobody is told of losses."""
    made = {"model": "m", "input": [{"type": "message", "role": "user", "content": "Go"}], "store": False}
    assert request.to_responses(chat()) == made
    assert request.to_responses(chat(seed=1, stop="x", n=2)) == made


def test_an_empty_report_is_used_here_too() -> None:
    """An empty report is no missing one."""
    report = Report()
    request.to_responses(chat(seed=1), report=report)
    assert [loss.path for loss in report] == ["seed"]


def test_strict_refuses_losses_of_chat_requests() -> None:
    """What is emulated is allowed."""
    with pytest.raises(UntranslatableError) as raised:
        request.to_responses(chat(seed=1, top_k=1), strict=True)
    assert [loss.path for loss in raised.value.losses] == ["seed", "top_k"]
    request.to_responses(chat(tools=[{"type": "function", "function": {"name": "f"}}], tool_choice="none"), strict=True)


@pytest.mark.parametrize(
    ("more", "path", "harmless"),
    [
        ({"stop": ["x"]}, "stop", {"stop": [""]}),
        ({"n": 2}, "n", {"n": 1}),
        ({"stream_options": {"include_usage": True}}, "stream_options.include_usage", {"stream_options": None}),
    ],
)
def test_what_an_answer_does_is_dropped_without_one(more: Any, path: str, harmless: Any, new_id: Any) -> None:
    """A live exchange emulates it; where only a request is translated, nobody does, and strict mode refuses."""
    report = Report()
    assert request.to_responses(chat(**more), report=report) == request.to_responses(chat(**harmless), strict=True)
    assert [(loss.path, loss.kind) for loss in report] == [(path, "dropped")]
    with pytest.raises(UntranslatableError, match="only a live exchange"):
        request.to_responses(chat(**more), strict=True)
    live = ServeChat(chat(**more), strict=True, new_id=new_id, clock=lambda: 1.0)
    assert [(loss.path, loss.kind) for loss in live.report] == [(path, "emulated")]
    with pytest.raises(UntranslatableError):
        ServeChat(chat(**more), strict=True, live=False, new_id=new_id, clock=lambda: 1.0)


def test_tools_can_be_left_out() -> None:
    """Where the upstream takes none."""
    made, losses = back(
        chat(tools=[{"type": "function", "function": {"name": "f"}}], tool_choice="required"),
        responses_unsupported=frozenset({"tools"}),
    )
    assert made.body.keys() == {"model", "input", "store"}
    assert losses == [("tools[0].function", "dropped"), ("tool_choice", "dropped")]


def test_the_upstream_may_make_several_choices() -> None:
    """Where it takes `n`, one request is enough."""
    made, losses = back(chat(n=3), responses_extras=frozenset({"n"}))
    assert (made.body["n"], made.copies, losses) == (3, 1, [])


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        (None, "body", "missing_required_parameter"),
        ([], "body", "invalid_type"),
        ({}, "model", "missing_required_parameter"),
        ({"model": "m"}, "messages", "missing_required_parameter"),
        ({"model": "m", "messages": []}, "messages", "empty_array"),
        (chat(model=5), "model", "invalid_type"),
        (chat(stream="yes"), "stream", "invalid_type"),
        (chat(stream_options=[True]), "stream_options", "invalid_type"),
        (chat(include="x"), "include", "invalid_type"),
        (chat(reasoning="x"), "reasoning", "invalid_type"),
        (chat(top_logprobs=2), "top_logprobs", "invalid_value"),
        (chat(tool_choice="required"), "tool_choice", "invalid_value"),
        (chat(function_call={"name": "f"}), "function_call", "invalid_value"),
    ],
)
def test_what_is_no_chat_request_is_refused(given: Any, param: str, code: str) -> None:
    """A 400 with OpenAI's code, and the path of what is missing or wrong."""
    with pytest.raises(RequestError) as raised:
        request.to_responses(given)
    assert (raised.value.param, raised.value.code) == (param, code)


def test_arguments_without_end_are_refused() -> None:
    """However deep a call is nested, the error is our own."""
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": deep}}
    with pytest.raises(RequestError, match="nested too deeply"):
        request.to_responses(chat(messages=[{"role": "assistant", "tool_calls": [call]}]))


@pytest.mark.parametrize(
    ("given", "sent", "losses"),
    [
        ({"max_tokens": 50, "max_completion_tokens": 100}, {"max_output_tokens": 100}, [("max_tokens", "dropped")]),
        ({"max_completion_tokens": 100, "max_tokens": 100}, {"max_output_tokens": 100}, []),
        ({"max_tokens": 50, "max_completion_tokens": None}, {"max_output_tokens": 50}, []),
        (
            {"reasoning": {"effort": "low"}, "reasoning_effort": "high"},
            {"reasoning": {"effort": "high"}},
            [("reasoning.effort", "dropped")],
        ),
        ({"reasoning_effort": "low", "reasoning": {"effort": "low"}}, {"reasoning": {"effort": "low"}}, []),
        ({"reasoning_effort": "low", "reasoning": {"effort": None}}, {"reasoning": {"effort": "low"}}, []),
        (
            {"tools": [FUNCTION], "tool_choice": "none", "function_call": "auto"},
            {"tools": [FLAT], "tool_choice": "none"},
            [("function_call", "dropped")],
        ),
    ],
)
def test_what_is_said_twice(given: dict[str, Any], sent: dict[str, Any], losses: list[Any]) -> None:
    """The newer name counts, in any order; the same said twice is no loss."""
    made, found = back(chat(**given))
    assert ({k: v for k, v in made.body.items() if k not in ("model", "input", "store")}, found) == (sent, losses)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"tools": [FUNCTION], "tool_choice": "auto"}, {"tool_choice": "auto"}),
        ({"tools": [FUNCTION], "parallel_tool_calls": True}, {"parallel_tool_calls": True}),
        (
            {"functions": [{"name": "f"}], "function_call": "none"},
            {"tool_choice": "none", "parallel_tool_calls": False},
        ),
        ({"tools": [], "functions": [{"name": "f"}]}, {"parallel_tool_calls": False}),
    ],
)
def test_the_choice_among_tools(given: dict[str, Any], sent: dict[str, Any]) -> None:
    """Sent with tools only; the older kind has room for one call."""
    made, losses = back(chat(**given))
    choice = {k: v for k, v in made.body.items() if k in ("tool_choice", "parallel_tool_calls")}
    assert (choice, losses, made.body["tools"]) == (sent, [], [FLAT])
    assert made.legacy is ("functions" in given)


@pytest.mark.parametrize(
    "given", [{"tools": []}, {"tool_choice": "auto"}, {"tool_choice": "none"}, {"functions": None}]
)
def test_no_tools_no_choice(given: dict[str, Any]) -> None:
    """A choice among no tools is left out."""
    assert back(chat(**given, parallel_tool_calls=False))[0].body == back(chat())[0].body


@pytest.mark.parametrize(
    ("field", "given", "losses"),
    [
        ("tool_choice", {"tools": [FUNCTION], "tool_choice": "auto"}, []),
        ("tool_choice", {"tools": [FUNCTION], "tool_choice": "required"}, [("tool_choice", "dropped")]),
        ("tool_choice", {"tools": [FUNCTION], "tool_choice": "none"}, [("tool_choice", "emulated")]),
        ("tool_choice", {"functions": [{"name": "f"}], "function_call": "none"}, [("function_call", "emulated")]),
        ("parallel_tool_calls", {"tools": [FUNCTION], "parallel_tool_calls": True}, []),
        (
            "parallel_tool_calls",
            {"tools": [FUNCTION], "parallel_tool_calls": False},
            [("parallel_tool_calls", "dropped")],
        ),
        ("parallel_tool_calls", {"functions": [{"name": "f"}]}, [("functions", "dropped")]),
        ("store", {}, []),
        ("store", {"store": False}, []),
        ("store", {"store": True}, [("store", "dropped")]),
        ("include", {"logprobs": True}, [("logprobs", "dropped")]),
        ("include", {"logprobs": False, "include": ["x"]}, [("include", "dropped")]),
        ("top_logprobs", {"logprobs": True, "top_logprobs": 2}, [("top_logprobs", "dropped")]),
    ],
)
def test_an_upstream_without_a_field(field: str, given: dict[str, Any], losses: list[Any]) -> None:
    """What it does anyway is not missed; the rest is reported under the client's name."""
    made, found = back(chat(**given), responses_unsupported=frozenset({field}))
    assert (field in made.body, found) == (False, losses)
    assert ("tools" in made.body) == (("emulated" not in str(found)) and bool({"tools", "functions"} & given.keys()))


@pytest.mark.parametrize(
    ("given", "include", "top"),
    [
        ({}, None, None),
        ({"logprobs": False, "top_logprobs": 0}, None, None),
        ({"logprobs": True}, ["message.output_text.logprobs"], None),
        ({"logprobs": True, "top_logprobs": 2}, ["message.output_text.logprobs"], 2),
        ({"logprobs": True, "include": ["x"]}, ["x", "message.output_text.logprobs"], None),
        (
            {"logprobs": True, "include": ["message.output_text.logprobs"]},
            ["message.output_text.logprobs"],
            None,
        ),
    ],
)
def test_what_a_chat_client_includes(given: dict[str, Any], include: Any, top: Any) -> None:
    """Log-probabilities are asked for in `include`; the client's own list stays what it is."""
    asked = chat(**given)
    made, losses = back(asked)
    assert (made.body.get("include"), made.body.get("top_logprobs"), losses) == (include, top, [])
    assert asked == chat(**given)


@pytest.mark.parametrize(("store", "sent", "losses"), [(None, False, []), (True, True, [("store", "approximated")])])
def test_nothing_is_stored_that_need_not_be(store: Any, sent: bool, losses: list[Any]) -> None:
    """Responses are stored unless they are told not to be (protocol 1.3)."""
    made, found = back(chat(store=store))
    assert (made.body["store"], found) == (sent, losses)


@pytest.mark.parametrize(
    ("extras", "sent", "stops"), [(frozenset(), None, ("a", "b")), (frozenset({"stop"}), ["a", "", "b"], ())]
)
def test_who_stops(extras: frozenset[str], sent: Any, stops: Any) -> None:
    """The upstream, if it can; else it is done here."""
    made, _ = back(chat(stop=["a", "", "b"]), responses_extras=extras)
    assert (made.body.get("stop"), made.stops) == (sent, stops)
    assert back(chat(stop=None), responses_extras=extras)[0].stops == ()


def test_what_is_kept_of_a_chat_request() -> None:
    """How often to send it, whether usage is shown, and the paths of items and tools."""
    given = chat(n=3, stream=True, stream_options={"include_usage": True}, tools=[FUNCTION], functions=[{"name": "g"}])
    made, _ = back(given)
    assert (made.copies, made.include_usage, made.legacy) == (3, True, False)
    assert (made.origins, made.declared) == (["messages[0]"], ["tools[0].function", "functions[0]"])
    made, _ = back(chat(stream_options=None))
    assert (made.copies, made.include_usage, made.stops, made.source) == (1, False, (), chat(stream_options=None))
