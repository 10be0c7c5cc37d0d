from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError, UntranslatableError, decode_json, preset, request
from diglot.translator.context import Context

TOOL = {"type": "function", "name": "f"}


def body(**more: Any) -> dict[str, Any]:
    return {"model": "m", "input": "Go", **more}


def lost(given: dict[str, Any], profile: Profile | None = None) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The chat request, and (path, kind) of what was lost."""
    report = Report()
    chat = request.to_chat(given, report=report, profile=profile)
    return chat, [(loss.path, loss.kind) for loss in report]


def test_the_smallest_request() -> None:
    """A model and a word; without a report nobody is told of losses, and nothing breaks."""
    assert request.to_chat(body()) == {"model": "m", "messages": [{"role": "user", "content": "Go"}]}
    assert request.to_chat(body(truncation="auto")) == request.to_chat(body())


def test_a_report_that_is_empty_is_used() -> None:
    """An empty report is no missing one."""
    report = Report()
    request.to_chat(body(truncation="auto"), report=report)
    assert [loss.path for loss in report] == ["truncation"]


def test_strict_refuses_losses() -> None:
    """All losses that were not allowed are in the error; what is emulated is allowed."""
    with pytest.raises(UntranslatableError) as raised:
        request.to_chat(body(truncation="auto", context_management=[{"type": "compaction"}]), strict=True)
    assert [loss.path for loss in raised.value.losses] == ["truncation", "context_management"]
    assert raised.value.param == "truncation"
    request.to_chat(body(tools=[{"type": "shell"}]), strict=True)


LIVE = [
    ({"metadata": {"a": "b"}}, "metadata", ["emulated"]),
    ({"reasoning": {"summary": "auto"}}, "reasoning.summary", []),
    ({"reasoning": {"generate_summary": "auto"}}, "reasoning.generate_summary", []),
    ({"include": ["reasoning.encrypted_content"]}, "include[0]", []),
]


@pytest.mark.parametrize(("more", "path", "kinds"), LIVE)
def test_what_an_answer_does_is_dropped_without_one(more: Any, path: str, kinds: list[str], serve: Any) -> None:
    """A live exchange emulates it; where only a request is translated, nobody does, and strict mode refuses."""
    report = Report()
    assert request.to_chat(body(**more), report=report) == body_of_one_word()
    assert [(loss.path, loss.kind) for loss in report] == [(path, "dropped")]
    with pytest.raises(UntranslatableError, match="only a live exchange"):
        request.to_chat(body(**more), strict=True)
    assert [loss.kind for loss in serve(more, strict=True).report] == kinds
    with pytest.raises(UntranslatableError):
        serve(more, strict=True, live=False)


@pytest.mark.parametrize(
    "more", [{"metadata": {}}, {"reasoning": {"summary": None}}, {"include": []}, {"store": False}]
)
def test_what_asks_for_nothing_is_no_loss(more: Any) -> None:
    """Defaults that clients spell out are allowed in strict mode."""
    assert request.to_chat(body(**more), strict=True) == body_of_one_word()


def test_storage_is_refused_in_strict_mode(serve: Any) -> None:
    """Nothing is stored, live or not; the answer says so (protocol 1.3)."""
    exchange = serve({"store": True})
    assert [(loss.path, loss.kind) for loss in exchange.report] == [("store", "dropped")]
    assert exchange.answer({"choices": [{"message": {"content": "Hi"}}]})["store"] is False
    with pytest.raises(UntranslatableError):
        serve({"store": True}, strict=True)
    with pytest.raises(UntranslatableError):
        request.to_chat(body(store=True), strict=True)


def body_of_one_word() -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Go"}]}


@pytest.mark.parametrize("convert", [request.to_chat, request.to_responses])
def test_settings_are_named(convert: Any) -> None:
    """A profile in the place of a report is a mistake that is told, not the default profile."""
    given = {**body(), "messages": [{"role": "user", "content": "Go"}]}
    openai = preset("openai")
    for positional in (openai, Report(), True):
        with pytest.raises(TypeError):
            convert(given, positional)
    with pytest.raises(TypeError, match="a report is a Report, not a Profile"):
        convert(given, report=openai)
    with pytest.raises(TypeError, match="a profile must be a Profile or the name of a preset, not a Report"):
        convert(given, profile=Report())
    with pytest.raises(ValueError, match="unknown profile 'opnai'"):
        convert(given, profile="opnai")
    assert convert(given, profile="openai") == convert(given, profile=openai)


def test_fields_that_code_writes_can_be_renamed_and_left_out() -> None:
    """As those that rows carry (`renamed`, `unsupported`)."""
    tools = [{"type": "function", "name": "f"}]
    given = body(tools=tools, tool_choice="required", top_logprobs=2)
    profile = Profile(
        renamed={"tool_choice": "choice", "tools": "extra.tools"}, unsupported=frozenset({"top_logprobs"})
    )
    report = Report()
    made = request.to_chat(given, profile=profile, report=report)
    assert made.keys() == {"model", "messages", "choice", "extra", "logprobs"}
    assert [(loss.path, loss.kind) for loss in report] == [("top_logprobs", "dropped")]
    report = Report()
    made = request.to_chat(given, profile=Profile(unsupported=frozenset({"tools"})), report=report)
    assert made.keys() == {"model", "messages", "logprobs", "top_logprobs"}
    assert [(loss.path, loss.kind) for loss in report] == [("tools[0]", "dropped"), ("tool_choice", "dropped")]


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
        (body(model="m" * 1_025), "model", "invalid_value"),
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
    with pytest.raises(RequestError) as raised:
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
    with pytest.raises(RequestError, match="nested too deeply"):
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
        ({"include": ["web_search_call.results"]}, None, None, []),
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
    translated = request.translate_to_chat(given, Context(Profile(), Report()))
    assert (translated.origins, translated.declared) == (["instructions", "input[0]"], ["tools[1]"])
    assert [tool.flat for tool in translated.catalog] == ["f"]


def test_bytes_of_a_client_are_a_request() -> None:
    """The converter takes what the decoder gives."""
    assert request.to_chat(decode_json(b'{"model":"m","input":"Go"}'))["model"] == "m"
