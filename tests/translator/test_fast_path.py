"""The fast path of requests gives what the general path gives: the request, its losses, and all that follows."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diglot.translator import PLAIN, Profile, ServeChat, ServeResponses, preset
from diglot.translator.parts import reasoning
from diglot.translator.presets import PRESETS

from both_paths import ID, JUNK, NAME, TEXT, Body, Serve, damaged, outcome, record

TESTS = Path(__file__).parent.parent
UNUSUAL = {"mistral": (False, True), "perplexity": (False, True), "chatgpt": (True, False)}
"""Of which profiles, and in which directions, all requests go the general path."""

PART = record({"type": st.sampled_from(["input_text", "text", "output_text"]), "text": TEXT}, annotations=st.just([]))
IMAGE = st.just({"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "auto"})
SEALED = [
    None,
    "",
    "gAAAAAB",
    reasoning.seal({"text": "Sealed."}, PLAIN),
    reasoning.seal({"model": "m", "field": "reasoning", "calls": {"call_1": {"s": 1}}}, PLAIN),
    reasoning.seal({"model": "other", "reasoning_details": [{"type": "x"}], "text": "Old."}, PLAIN),
]
MARKS = {"id": st.just("i_1"), "status": st.just("completed"), "phase": st.just("commentary")}
ITEM = st.one_of(
    record({"role": st.just("user"), "content": TEXT | st.lists(PART | IMAGE, max_size=3)}, type=st.just("message")),
    record({"role": st.sampled_from(["system", "developer"]), "content": TEXT | st.lists(PART, max_size=2)}),
    record(
        {"type": st.just("message"), "role": st.just("assistant"), "content": TEXT | st.lists(PART, max_size=2)},
        **MARKS,
    ),
    record(
        {
            "type": st.just("reasoning"),
            "summary": st.lists(st.builds(lambda t: {"type": "summary_text", "text": t}, TEXT), max_size=2),
        },
        encrypted_content=st.sampled_from(SEALED),
        content=st.none() | st.just([{"type": "reasoning_text", "text": "Hm."}]),
        **MARKS,
    ),
)
CALL = st.one_of(
    record({"type": st.just("function_call"), "name": NAME, "arguments": TEXT}, namespace=st.none() | NAME, **MARKS),
    record({"type": st.just("custom_tool_call"), "name": NAME, "input": TEXT}),
)
OUTPUT = TEXT | st.lists(PART, max_size=2) | st.lists(IMAGE, min_size=1, max_size=2) | JUNK
SCHEMA = st.sampled_from(
    [{}, {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"], "additionalProperties": False}]
)
TOOL = st.one_of(
    record(
        {"type": st.just("function"), "name": NAME},
        parameters=SCHEMA,
        strict=st.sampled_from([None, True, False]),
        description=st.none() | TEXT,
    ),
    record({"type": st.just("custom"), "name": NAME}),
    st.sampled_from(
        [{"type": "web_search"}, {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}]}]
    ),
)
SETTINGS: dict[str, Any] = {
    "stream": st.none() | st.booleans(),
    "store": st.none() | st.booleans(),
    "temperature": st.sampled_from([None, 0, 0.5]),
    "top_p": st.just(1),
    "user": st.just("u"),
    "parallel_tool_calls": st.none() | st.booleans(),
    "tool_choice": st.sampled_from(
        [None, "auto", "none", "required", {"type": "function", "name": "f"}, {"type": "tool", "name": "f"}]
    ),
    "service_tier": st.sampled_from(["auto", "flex", "ultrafast"]),
    "prompt_cache_key": st.just("k"),
    "prompt_cache_options": st.sampled_from([{"mode": "explicit"}, {"ttl": "12h"}]),
    "metadata": st.sampled_from([{}, {"a": "b"}]),
    "top_logprobs": st.sampled_from([None, 0, 2]),
    "top_k": st.just(3),
    "seed": st.just(1),
    "presence_penalty": st.sampled_from([0, 1]),
}
FORMAT = st.sampled_from(
    [
        {"type": "text"},
        {"type": "json_object"},
        {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True},
    ]
)


@st.composite
def conversation(draw: Any) -> list[Body]:
    items: list[Body] = []
    for n in range(draw(st.integers(0, 5))):
        if draw(st.booleans()):
            items.append(draw(ITEM))
            continue
        call = draw(CALL)
        call["call_id"] = draw(ID) if draw(st.integers(0, 4)) == 0 else f"call_{n}"
        output = {"type": f"{call['type']}_output", "call_id": call["call_id"], "output": draw(OUTPUT)}
        items += draw(st.sampled_from([[call, output], [call, output], [output, call], [call], [call, call, output]]))
    if draw(st.integers(0, 5)) == 0:
        items.insert(0, {"type": "additional_tools", "role": "developer", "tools": [draw(TOOL)]})
    return items


ASKED = record(
    {"model": st.just("m"), "input": TEXT | conversation()},
    instructions=st.none() | TEXT,
    tools=st.lists(TOOL, max_size=3),
    max_output_tokens=st.sampled_from([None, -1, 5, 500]),
    reasoning=record(
        {},
        effort=st.sampled_from(["minimal", "high", None]),
        summary=st.just("auto"),
        context=st.sampled_from(["all_turns", "current_turn"]),
    ),
    text=record({}, format=FORMAT, verbosity=st.sampled_from(["low", "medium"])),
    include=st.lists(st.sampled_from(["reasoning.encrypted_content", "message.output_text.logprobs", "x"]), max_size=2),
    client_metadata=st.sampled_from([{}, {"a": "b"}]),
    truncation=st.sampled_from(["auto", "disabled"]),
    context_management=st.sampled_from([[], [{"type": "compaction", "compact_threshold": 5}]]),
    **SETTINGS,
)
EXTRA = [
    "type",
    "name",
    "async",
    "strict",
    "messages",
    "background_options",
    "previous_response_id",
    "call_id",
    "output",
]

CHAT_PART = record({"type": st.just("text"), "text": TEXT}, prompt_cache_breakpoint=st.just({"mode": "explicit"}))
PICTURE = st.just({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})
MESSAGE = st.one_of(
    record({"role": st.just("user"), "content": TEXT | st.lists(CHAT_PART | PICTURE, max_size=3)}),
    record(
        {"role": st.sampled_from(["system", "developer"]), "content": TEXT | st.lists(CHAT_PART, max_size=2)},
        name=st.just("n"),
    ),
    record(
        {"role": st.just("assistant"), "content": st.none() | TEXT | st.lists(CHAT_PART, max_size=2)},
        reasoning_content=st.none() | TEXT,
        reasoning=st.sampled_from(["", "Hm.", {"content": "Hm."}, {"x": 1}]),
        refusal=st.sampled_from([None, "", "No."]),
        annotations=st.just([]),
        audio=st.sampled_from([None, {}, {"transcript": "t"}]),
        function_call=st.sampled_from([None, None, {"name": "f", "arguments": "{}"}]),
        reasoning_details=st.just([{"type": "x"}]),
    ),
)
CHAT_TOOL = st.one_of(
    st.builds(
        lambda f: {"type": "function", "function": f},
        record({"name": NAME}, parameters=SCHEMA, strict=st.sampled_from([None, True]), description=st.none() | TEXT),
    ),
    st.sampled_from([{"type": "custom", "custom": {"name": "c"}}, {"type": "web_search"}]),
)


@st.composite
def messages(draw: Any) -> list[Body]:
    made: list[Body] = []
    for n in range(draw(st.integers(0, 5))):
        if draw(st.booleans()):
            made.append(draw(MESSAGE))
            continue
        call_id = draw(ID) if draw(st.integers(0, 4)) == 0 else f"call_{n}"
        call = {"id": call_id, "type": "function", "function": {"name": draw(NAME), "arguments": draw(TEXT)}}
        said = {"role": "assistant", "content": draw(st.none() | TEXT), "tool_calls": [call]}
        if draw(st.booleans()):
            said["reasoning_content"] = "Hm."
        result = {"role": "tool", "tool_call_id": call_id, "content": draw(OUTPUT)}
        if draw(st.integers(0, 4)) == 0:
            result["name"] = draw(NAME)
        made += draw(st.sampled_from([[said, result], [said, result], [result, said], [said], [said, result, result]]))
    return made


CHAT_ASKED = record(
    {"model": st.just("m"), "messages": messages()},
    tools=st.lists(CHAT_TOOL, max_size=3),
    max_tokens=st.sampled_from([None, -1, 5, 500]),
    max_completion_tokens=st.sampled_from([None, 5]),
    reasoning_effort=st.sampled_from(["minimal", "high", {"effort": "low"}]),
    response_format=FORMAT,
    verbosity=st.just("low"),
    stream_options=st.sampled_from([None, {}, {"include_usage": True}, {"include_usage": False}]),
    logprobs=st.none() | st.booleans(),
    include=st.just(["x"]),
    web_search_options=st.sampled_from([None, {}]),
    stop=st.sampled_from([None, ["x"]]),
    logit_bias=st.sampled_from([{}, {"1": 1}]),
    **SETTINGS,
)
CHAT_EXTRA = ["type", "name", "input", "n", "functions", "instructions", "text", "tool_calls", "index", "audio"]


def compared(serve: Serve, body: Body, **settings: Any) -> bool:
    """Whether the fast path took a request; it must come to what the general path comes to."""
    before = json.dumps(body)
    fast, taken = outcome(serve, body, **settings)
    assert fast == outcome(serve, body, general=True, **settings)[0]
    assert json.dumps(body) == before
    return taken


@given(damaged(ASKED, EXTRA), st.sampled_from(list(PRESETS.values())), st.booleans(), st.booleans())
@settings(max_examples=400)
def test_responses_requests(body: Body, profile: Profile, strict: bool, live: bool) -> None:
    """Any request, with every preset."""
    compared(ServeResponses, body, profile=profile, strict=strict, live=live)


@given(damaged(CHAT_ASKED, CHAT_EXTRA), st.sampled_from(list(PRESETS.values())), st.booleans(), st.booleans())
@settings(max_examples=400)
def test_chat_requests(body: Body, profile: Profile, strict: bool, live: bool) -> None:
    """Any request, with every preset."""
    compared(ServeChat, body, profile=profile, strict=strict, live=live)


RECORDED = sorted((TESTS / "data/clients").glob("*/*.json"))
GOLDEN = sorted((TESTS / "golden").glob("serve_*/request/**/*.json"))


def _bodies() -> Any:
    found = {str(path.relative_to(TESTS)): json.loads(path.read_text()) for path in RECORDED}
    found |= {str(path.relative_to(TESTS)): json.loads(path.read_text())["given"] for path in GOLDEN}
    assert len(found) > len(RECORDED) > 30
    return pytest.mark.parametrize("body", list(found.values()), ids=list(found))


@_bodies()
def test_recorded_requests(body: Body) -> None:
    """What real clients sent, and what the golden files hold, with every preset."""
    serve = ServeResponses if "messages" not in body else ServeChat
    for profile in PRESETS.values():
        compared(serve, body, profile=profile)


def test_it_takes_what_clients_send() -> None:
    """All recorded requests go the fast path, but those that are known to need more."""
    general = set[str]()
    for path in RECORDED:
        body, name = json.loads(path.read_text()), f"{path.parent.name}/{path.stem}"
        serve = ServeResponses if "input" in body else ServeChat
        if not compared(serve, body, profile=preset("vllm")):
            general.add(name)
    assert general == NEED_MORE


NEED_MORE = {
    "agents-py/responses-previous-response-id.2",  # stored state
    "openai-js/responses-tool-previous-response-id.2",
    "openai-py/responses-tool-previous-response-id.2",
    "codex/mcp-tool-search-gpt-5.5.2",  # tools that a search loads
    "codex/mcp-tool-search-gpt-5.5.3",
}


@pytest.mark.parametrize("profile", PRESETS.values(), ids=list(PRESETS))
def test_profiles_that_are_usual(profile: Profile) -> None:
    """Few profiles need the general path for every request."""
    asked = {"model": "m", "input": "Go"}, {"model": "m", "messages": [{"role": "user", "content": "Go"}]}
    taken = outcome(ServeResponses, asked[0], profile=profile)[1], outcome(ServeChat, asked[1], profile=profile)[1]
    assert taken == UNUSUAL.get(profile.name, (True, True))


@pytest.mark.parametrize("serve", [ServeResponses, ServeChat])
def test_what_is_no_object(serve: Serve) -> None:
    """The general path says so."""
    fast, taken = outcome(serve, [])
    assert (fast[0], taken) == ("RequestError", False)


SEALED_CALLS = {"type": "reasoning", "summary": [], "encrypted_content": SEALED[4]}
TURN = [
    {"role": "user", "content": "Go"},
    {"role": "assistant", "content": "One."},
    {"role": "assistant", "content": "Two."},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
    {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
    {"role": "assistant", "content": "Three."},
    {"type": "function_call_output", "call_id": "call_1", "output": "Done."},
]


@pytest.mark.parametrize("items", [TURN, [TURN[0], SEALED_CALLS, *TURN[3:]]], ids=["mixed", "sealed"])
@pytest.mark.parametrize("name", ["default", "openai", "gemini", "glm"])
def test_turns_that_hold_more_than_one_thing(items: list[Body], name: str) -> None:
    """Texts are joined, reasoning goes to the front, and what a provider wants back goes with it."""
    assert compared(ServeResponses, {"model": "m", "input": items}, profile=preset(name))


@pytest.mark.parametrize(
    ("serve", "body"),
    [
        (ServeResponses, {"model": 1, "input": "Go"}),
        (ServeResponses, {"model": "m", "input": "Go", "stream": "yes"}),
        (ServeResponses, {"model": "m", "input": 1}),
        (ServeResponses, {"model": "m"}),
        (ServeResponses, {"model": "m", "input": "Go", "instructions": ["Go"]}),
        (ServeChat, {"model": "m", "messages": []}),
        (ServeChat, {"model": "m", "messages": TURN[:1], "stop": ["x"]}),
        (ServeChat, {"model": "m", "messages": TURN[:1], "reasoning_effort": {"effort": "low"}}),
        (ServeChat, {"model": "m", "messages": TURN[:1], "logit_bias": {"1": 1}}),
    ],
)
def test_what_the_general_path_decides(serve: Serve, body: Body) -> None:
    """What is wrong, or has several names."""
    assert not compared(serve, body)


@pytest.mark.parametrize("form", [{}, {"type": None}, {"type": []}, [], "text"])
def test_a_format_without_a_type(form: Any) -> None:
    """An upstream that takes no format at all does not care what it is."""
    body = {"model": "m", "input": "Go", "text": {"format": form}}
    assert compared(ServeResponses, body, profile=preset("transformers"))


def test_strict_losses_are_told_by_the_general_path() -> None:
    """The error names all of them."""
    assert not compared(ServeResponses, {"model": "m", "input": "Go", "client_metadata": {"a": "b"}}, strict=True)
    assert not compared(ServeChat, {"model": "m", "messages": TURN[:1], "seed": 1}, strict=True)


@pytest.mark.parametrize(
    ("serve", "body", "conversation", "added", "place"),
    [
        (
            ServeResponses,
            {"model": "m", "input": [{"role": "user", "content": "Go"}]},
            "input",
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
            "messages[0].content",
        ),
        (
            ServeChat,
            {"model": "m", "messages": [{"role": "user", "content": "Go"}]},
            "messages",
            {"role": "nobody"},
            "input[0].content",
        ),
    ],
)
def test_a_conversation_that_goes_on_before_its_error(
    serve: Serve, body: Body, conversation: str, added: Body, place: str
) -> None:
    """The upstream's error is what the caller gets, though its place is no longer known."""
    refusal = json.dumps({"error": {"message": "Too long.", "param": place}}).encode()
    exchange = serve(body)
    body[conversation].append(added)
    error = exchange.error(400, refusal)
    assert (error.message, error.param) == ("Too long.", None)
