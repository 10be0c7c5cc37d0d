from typing import Any

import pytest

from diglot.translator import BadRequest, NotSayable, Profile, Report, decode_json, preset, request
from diglot.translator.profiles import Terms

TOOL = {"type": "function", "name": "f"}


def body(**more: Any) -> dict[str, Any]:
    return {"model": "m", "input": "Go", **more}


def lost(given: dict[str, Any], profile: Profile | None = None) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The chat request, and (path, kind) of what was lost."""
    report = Report()
    chat = request.to_chat(given, report, profile)
    return chat, [(loss.path, loss.kind) for loss in report]


def test_the_smallest_request() -> None:
    """A model and a word; without a report nobody is told of losses, and nothing breaks."""
    assert request.to_chat(body()) == {"model": "m", "messages": [{"role": "user", "content": "Go"}]}
    assert request.to_chat(body(truncation="auto")) == request.to_chat(body())


def test_a_report_that_is_empty_is_used() -> None:
    """An empty report is no missing one."""
    report = Report()
    request.to_chat(body(truncation="auto"), report)
    assert [loss.path for loss in report] == ["truncation"]


def test_strict_refuses_losses() -> None:
    """All losses that were not allowed are in the error; what is emulated is allowed."""
    with pytest.raises(NotSayable) as raised:
        request.to_chat(body(truncation="auto", context_management=[{"type": "compaction"}]), strict=True)
    assert [loss.path for loss in raised.value.losses] == ["truncation", "context_management"]
    assert raised.value.param == "truncation"
    request.to_chat(body(metadata={"a": "b"}), strict=True)


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        (None, "body", "missing_required_parameter"),
        ([], "body", "invalid_type"),
        ({}, "model", "missing_required_parameter"),
        ({"model": "m"}, "input", "missing_required_parameter"),
        ({"model": "m", "input": None}, "input", "missing_required_parameter"),
        (body(model=None), "model", "missing_required_parameter"),
        (body(model=5), "model", "invalid_type"),
        (body(stream="yes"), "stream", "invalid_type"),
        (body(stream=1), "stream", "invalid_type"),
        (body(instructions=5), "instructions", "invalid_type"),
        (body(include="x"), "include", "invalid_type"),
        (body(tools={"a": 1}), "tools", "invalid_type"),
        (body(text="x"), "text", "invalid_type"),
        (body(reasoning=["x"]), "reasoning", "invalid_type"),
        (body(input=[{"type": "configuration_update", "text": "x"}]), "input[0].text", "invalid_type"),
        (body(text="x", input=[{"type": "configuration_update", "text": {}}]), "text", "invalid_type"),
    ],
)
def test_what_is_no_request_is_refused(given: Any, param: str, code: str) -> None:
    """A 400 with OpenAI's code, and the path of what is missing or wrong."""
    with pytest.raises(BadRequest) as raised:
        request.to_chat(given)
    assert (raised.value.param, raised.value.code) == (param, code)


@pytest.mark.parametrize("field", ["tools", "input"])
def test_nesting_without_end_is_refused(field: str) -> None:
    """However deep a body is nested, the error is our own."""
    deep: Any = {}
    for _ in range(5000):
        deep = {"type": "object", "properties": {"a": deep}, "required": ["a"], "additionalProperties": False}
    tool = {**TOOL, "parameters": deep}
    given = body(tools=[tool]) if field == "tools" else body(input=[{"type": "additional_tools", "tools": [tool]}])
    with pytest.raises(BadRequest, match="nested too deeply"):
        request.to_chat(given, profile=preset("openai"))


def test_instructions_may_stand_alone() -> None:
    """Without input they are the whole conversation."""
    chat = request.to_chat({"model": "m", "instructions": "Be brief."})
    assert chat["messages"] == [{"role": "system", "content": "Be brief."}]


@pytest.mark.parametrize(
    ("stream", "usage", "options"),
    [(True, True, {"include_usage": True}), (True, False, None), (False, True, None), (None, True, None)],
)
def test_usage_is_asked_for_in_streams(stream: bool | None, usage: bool, options: Any) -> None:
    """A Response always has usage; some upstreams refuse to be asked."""
    chat = request.to_chat(body(stream=stream), profile=Profile(stream_usage=usage))
    assert chat.get("stream_options") == options
    assert chat.get("stream") is stream


@pytest.mark.parametrize(
    ("more", "logprobs", "top", "losses"),
    [
        ({}, None, None, []),
        ({"include": None, "top_logprobs": 0}, None, None, []),
        ({"include": ["message.output_text.logprobs"]}, True, None, []),
        ({"top_logprobs": 3}, True, 3, []),
        ({"include": ["message.output_text.logprobs"], "top_logprobs": 3}, True, 3, []),
        ({"include": ["reasoning.encrypted_content", "web_search_call.results"]}, None, None, []),
        ({"include": ["x", 5]}, None, None, [("include[0]", "dropped"), ("include[1]", "dropped")]),
    ],
)
def test_what_is_to_be_included(more: dict[str, Any], logprobs: Any, top: Any, losses: list[Any]) -> None:
    """Logprobs are asked for; what only hosted tools would show is not missed; the rest is reported."""
    chat, found = lost(body(**more))
    assert (chat.get("logprobs"), chat.get("top_logprobs"), found) == (logprobs, top, losses)


def test_the_last_setting_holds() -> None:
    """`configuration_update` items change single settings of the request (protocol 2.7)."""
    items = [
        {"type": "configuration_update", "reasoning": {"effort": "low"}, "text": None},
        {"role": "user", "content": "Go"},
        {"type": "configuration_update", "reasoning": {"effort": "high"}, "text": {"format": {"type": "json_object"}}},
    ]
    given = body(input=items, reasoning={"effort": "none"}, text={"verbosity": "low"})
    chat, losses = lost(given, preset("openai"))
    assert (chat["reasoning_effort"], chat["verbosity"]) == ("high", "low")
    assert chat["response_format"] == {"type": "json_object"}
    assert losses == [("input[0]", "approximated"), ("input[2]", "approximated")]
    assert given["reasoning"] == {"effort": "none"}


@pytest.mark.parametrize(
    ("context", "replay", "losses"),
    [
        ("all_turns", "tool_loop", [("reasoning.context", "approximated")]),
        ("all_turns", "never", [("reasoning.context", "approximated")]),
        ("all_turns", "always", []),
        ("current_turn", "never", []),
        ("auto", "tool_loop", []),
    ],
)
def test_a_context_that_the_upstream_does_not_take(context: str, replay: Any, losses: list[Any]) -> None:
    """A client that wants all thoughts back is told when they stay behind."""
    assert lost(body(reasoning={"context": context}), Profile(reasoning_replay=replay))[1] == losses


@pytest.mark.parametrize(
    ("choice", "sent", "declared", "losses"),
    [
        (None, None, True, []),
        ("auto", None, True, []),
        ("none", None, False, [("tool_choice", "emulated")]),
        ("required", None, True, [("tool_choice", "dropped")]),
        ({"type": "function", "name": "f"}, None, True, [("tool_choice", "dropped")]),
    ],
)
def test_an_upstream_without_choice(choice: Any, sent: Any, declared: bool, losses: list[Any]) -> None:
    """`auto` is what it does; `none` is done by declaring nothing; the rest is reported."""
    profile = Profile(unsupported=frozenset({"tool_choice"}))
    chat, found = lost(body(tools=[TOOL], tool_choice=choice), profile)
    assert ("tool_choice" in chat, "tools" in chat, found) == (False, declared, losses)


@pytest.mark.parametrize(
    ("parallel", "tools", "taken", "sent", "losses"),
    [
        (False, [TOOL], True, False, []),
        (True, [TOOL], True, True, []),
        (None, [TOOL], True, None, []),
        (False, [], True, None, []),
        (True, [TOOL], False, None, []),
        (False, [TOOL], False, None, [("parallel_tool_calls", "dropped")]),
    ],
)
def test_parallel_calls(parallel: Any, tools: Any, taken: bool, sent: Any, losses: list[Any]) -> None:
    """Sent with tools only; where it is not taken, only the wish for one call at a time is missed."""
    profile = Profile(unsupported=frozenset() if taken else frozenset({"parallel_tool_calls"}))
    chat, found = lost(body(tools=tools, parallel_tool_calls=parallel), profile)
    assert (chat.get("parallel_tool_calls"), found) == (sent, losses)


@pytest.mark.parametrize("name", ["text", "json_schema"])
def test_only_a_schema_becomes_an_instruction(name: str) -> None:
    """An upstream that takes no schema is told it in front of the conversation."""
    form = {"type": name, "name": "n", "schema": {}}
    chat = request.to_chat(body(text={"format": form}, instructions="Be brief."), profile=preset("deepseek"))
    assert ("JSON schema" in chat["messages"][0]["content"]) is (name == "json_schema")


def test_the_way_back_is_kept() -> None:
    """For every message and every tool, the path of what it came from."""
    given = body(instructions="x", tools=[{"type": "web_search"}, TOOL], input=[{"role": "user", "content": "Go"}])
    translated = request.translate_to_chat(given, Terms(Profile(), Report()))
    assert (translated.origins, translated.declared) == (["instructions", "input[0]"], ["tools[1]"])
    assert [tool.flat for tool in translated.catalog] == ["f"]


def test_bytes_of_a_client_are_a_request() -> None:
    """The converter takes what the decoder gives."""
    assert request.to_chat(decode_json(b'{"model":"m","input":"Go"}'))["model"] == "m"
