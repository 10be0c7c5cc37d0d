"""The promise of the README: what goes to the other dialect and back comes back.

    chat -> Responses -> chat        requests, finished answers, streams
    Responses -> chat -> Responses   the same

Whole realistic conversations are made by hypothesis. *Identical*: order, roles, texts, call ids and their pairing,
arguments byte for byte, finish reasons, usage. *Equivalent*: a lone text part is a string, what was left out may be
there with its default. Everything else is in a loss report, and for these conversations both reports have no losses.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from diglot.translator import Profile, Report, ServeChat, ServeResponses, preset, request

from chat_judges import judge_chunks
from judges import judge_answer, judge_stream

OPENAI = preset("openai")
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
NAMES = ["get_weather", "search", "run"]
ARGUMENTS = st.dictionaries(WORDS, WORDS | st.integers(-9, 9) | st.lists(WORDS, max_size=2), max_size=3)
ARGUMENT_TEXT = st.tuples(ARGUMENTS, st.booleans()).map(lambda a: json.dumps(a[0], indent=1 if a[1] else None))
EFFORTS = st.sampled_from(["minimal", "low", "medium", "high"])
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
LOSSES = ("dropped", "approximated")


def numbered(calls: list[tuple[str, str]], turn: int) -> list[tuple[str, str, str]]:
    return [(f"call_{turn}_{i}", name, arguments) for i, (name, arguments) in enumerate(calls)]


# --- what both dialects say: a conversation as neutral facts

IMAGE = st.sampled_from(["https://example.com/a.png", "data:image/png;base64,AAAA"])
USER = WORDS | st.lists(WORDS.map(lambda t: ("text", t)) | IMAGE.map(lambda u: ("image", u)), min_size=2, max_size=3)
CALLS = st.lists(st.tuples(st.sampled_from(NAMES), ARGUMENT_TEXT), min_size=1, max_size=3)
STEP = st.tuples(st.none() | WORDS, CALLS, WORDS)
TURN = st.tuples(USER, st.lists(STEP, max_size=2), WORDS)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "user": WORDS,
        "safety_identifier": WORDS,
        "prompt_cache_key": WORDS,
        "service_tier": st.sampled_from(["flex", "priority"]),
        "stream": st.booleans(),
    },
)
CONVERSATION = st.tuples(
    st.none() | WORDS, st.lists(TURN, min_size=1, max_size=3), USER, SETTINGS, EFFORTS, st.integers(16, 9999)
)


def chat_request(facts: Any) -> dict[str, Any]:
    system, turns, last, settings, effort, limit = facts
    messages: list[dict[str, Any]] = [] if system is None else [{"role": "system", "content": system}]
    count = itertools.count()
    for user, steps, text in turns:
        messages.append({"role": "user", "content": chat_user(user)})
        for said, called, result in steps:
            calls = numbered(called, next(count))
            made = [{"id": i, "type": "function", "function": {"name": n, "arguments": a}} for i, n, a in calls]
            messages.append({"role": "assistant", "content": said, "tool_calls": made})
            messages += [{"role": "tool", "tool_call_id": i, "content": result} for i, _, _ in calls]
        messages.append({"role": "assistant", "content": text})
    messages.append({"role": "user", "content": chat_user(last)})
    tools = [
        {"type": "function", "function": {"name": n, "description": n, "parameters": SCHEMA, "strict": True}}
        for n in NAMES
    ]
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}
    return {
        "model": "m",
        **settings,
        "messages": messages,
        "tools": tools,
        "tool_choice": {"type": "function", "function": {"name": NAMES[0]}},
        "max_completion_tokens": limit,
        "reasoning_effort": effort,
        "response_format": form,
    }


def chat_user(said: Any) -> Any:
    if isinstance(said, str):
        return said
    return [
        {"type": "text", "text": v} if k == "text" else {"type": "image_url", "image_url": {"url": v}} for k, v in said
    ]


def responses_request(facts: Any) -> dict[str, Any]:
    system, turns, last, settings, effort, limit = facts
    items: list[dict[str, Any]] = [] if system is None else [{"type": "message", "role": "system", "content": system}]
    count = itertools.count()
    for user, steps, text in turns:
        items.append({"type": "message", "role": "user", "content": responses_user(user)})
        for said, called, result in steps:
            calls = numbered(called, next(count))
            items += [] if said is None else [{"type": "message", "role": "assistant", "content": said}]
            items += [{"type": "function_call", "call_id": i, "name": n, "arguments": a} for i, n, a in calls]
            items += [{"type": "function_call_output", "call_id": i, "output": result} for i, _, _ in calls]
        items.append({"type": "message", "role": "assistant", "content": text})
    items.append({"type": "message", "role": "user", "content": responses_user(last)})
    return {
        "model": "m",
        **settings,
        "input": items,
        "tools": [
            {"type": "function", "name": n, "description": n, "parameters": SCHEMA, "strict": True} for n in NAMES
        ],
        "tool_choice": {"type": "function", "name": NAMES[0]},
        "max_output_tokens": limit,
        "reasoning": {"effort": effort},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}},
        "store": False,
    }


def responses_user(said: Any) -> Any:
    if isinstance(said, str):
        return said
    image = {"type": "input_image", "detail": "auto"}
    return [{"type": "input_text", "text": v} if k == "text" else {**image, "image_url": v} for k, v in said]


# --- requests


def lost(report: Report) -> list[str]:
    return [str(loss) for loss in report if loss.kind in LOSSES]


@given(CONVERSATION)
def test_a_chat_request_comes_back(facts: Any) -> None:
    """Identical, but for the usage in streams, which the way through asks for."""
    chat, there, back = chat_request(facts), Report(), Report()
    made = request.to_chat(
        request.to_responses(chat, report=there, profile=OPENAI, strict=True), report=back, profile=OPENAI, strict=True
    )
    asked = made.pop("stream_options", None)
    assert asked == ({"include_usage": True} if chat.get("stream") else None)
    assert made == chat
    assert lost(there) == lost(back) == []


@given(CONVERSATION)
def test_a_responses_request_comes_back(facts: Any) -> None:
    """Identical: items, their order, call ids, texts, tools, settings."""
    given_, there, back = responses_request(facts), Report(), Report()
    chat = request.to_chat(given_, report=there, profile=OPENAI, strict=True)
    made = request.to_responses({**chat, "stream_options": None}, report=back, profile=OPENAI, strict=True)
    assert made == given_
    assert lost(there) == lost(back) == []


# --- answers

USAGE = st.tuples(*[st.integers(0, 99)] * 4)
TOKENS = st.lists(WORDS, max_size=3)
ENDS = st.sampled_from(["stop", "length", "content_filter"])
SAID = st.fixed_dictionaries(
    {"usage": USAGE, "end": ENDS},
    optional={"text": WORDS, "refusal": WORDS, "thoughts": WORDS, "calls": CALLS, "cited": st.integers(0, 3)},
)


def completion_of(facts: dict[str, Any]) -> dict[str, Any]:
    """The chat completion that says *facts*."""
    message: dict[str, Any] = {"role": "assistant", "content": facts.get("text"), "refusal": facts.get("refusal")}
    if "thoughts" in facts:
        message["reasoning_content"] = facts["thoughts"]
    calls = numbered(facts.get("calls", []), 0)
    if calls:
        message["tool_calls"] = [
            {"id": i, "type": "function", "function": {"name": n, "arguments": a}} for i, n, a in calls
        ]
    if facts.get("cited") and "text" in facts:
        cite = {"url": "https://example.com", "title": "t", "start_index": 0, "end_index": 1}
        message["annotations"] = [{"type": "url_citation", "url_citation": cite}] * facts["cited"]
    if message["content"] is None and not calls and message["refusal"] is None:
        message["content"] = ""
    end = facts["end"]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": "tool_calls" if calls and end == "stop" else end,
    }
    asked, cached, said, thought = facts["usage"]
    usage = {
        "prompt_tokens": asked + cached,
        "completion_tokens": said + thought,
        "total_tokens": asked + cached + said + thought,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m-1"}
    return {**head, "choices": [choice], "usage": usage}


def serve_responses(stream: bool = False) -> ServeResponses:
    count = itertools.count(1)
    body = {"model": "m", "input": "Go", "stream": stream}
    return ServeResponses(body, profile=Profile(), new_id=lambda p: f"{p}_{next(count)}", clock=lambda: 1.0)


def serve_chat(stream: bool = False) -> ServeChat:
    count = itertools.count(1)
    options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    body = {"model": "m", "messages": [{"role": "user", "content": "Go"}], **options}
    return ServeChat(body, profile=Profile(), new_id=lambda p: f"{p}_{next(count)}", clock=lambda: 1.0)


def bare(value: Any) -> Any:
    """Without ids that each answer has for itself, and without the difference between null and absent."""
    if isinstance(value, dict):
        own = () if "type" in value else ("id",)
        return {k: bare(v) for k, v in value.items() if v is not None and k not in own}
    return [bare(v) for v in value] if isinstance(value, list) else value


@given(SAID)
def test_a_completion_comes_back(facts: dict[str, Any]) -> None:
    """Chat -> Responses -> chat: text, refusal, thoughts, calls, citations, finish reason and usage."""
    given_ = completion_of(facts)
    there, back = serve_responses(), serve_chat()
    between = there.answer(given_)
    judge_answer(between)
    assert bare(back.answer(between)) == {**bare(given_), "service_tier": "default"}
    assert lost(there.report) == lost(back.report) == []


@given(SAID)
def test_a_response_comes_back(facts: dict[str, Any]) -> None:
    """Responses -> chat -> Responses: items in order, status and usage; ids of items are new."""
    given_ = serve_responses().answer(completion_of(facts))
    back = serve_responses().answer(serve_chat().answer(given_))
    assert [without_id(item) for item in back["output"]] == [without_id(item) for item in given_["output"]]
    for name in ("status", "incomplete_details", "error", "usage", "model", "created_at"):
        assert back[name] == given_[name], name


def without_id(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "id"}


# --- streams

CUTS = st.lists(st.integers(1, 40), min_size=1, max_size=20)


def through(stream: Any, data: bytes, cuts: list[int]) -> bytes:
    """What a stream makes of *data* when it arrives in pieces of these sizes, over and over."""
    frames: list[bytes] = []
    at, sizes = 0, itertools.cycle(cuts)
    while at < len(data) and not stream.ended:
        size = next(sizes)
        frames += stream.feed(data[at : at + size])
        at += size
    return b"".join(frames + stream.finish())


def chunks_of(completion: dict[str, Any]) -> bytes:
    """A chat stream that says the same, letter by letter."""
    (choice,) = completion["choices"]
    message = choice["message"]
    deltas: list[dict[str, Any]] = [{"role": "assistant"}]
    for name in ("reasoning_content", "content", "annotations", "refusal"):
        value = message.get(name) or ""
        deltas += [{name: letter} for letter in value] if isinstance(value, str) else [{name: value}]
    for i, call in enumerate(message.get("tool_calls", [])):
        deltas.append({"tool_calls": [{"index": i, **call, "function": {**call["function"], "arguments": ""}}]})
        deltas += [{"tool_calls": [{"index": i, "function": {"arguments": a}}]} for a in call["function"]["arguments"]]
    head = {"id": completion["id"], "object": "chat.completion.chunk", "created": 1, "model": "m-1"}
    chunks = [{**head, "choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    chunks.append({**head, "choices": [], "usage": completion["usage"]})
    return b"".join(b"data: %s\n\n" % json.dumps(c).encode() for c in chunks) + b"data: [DONE]\n\n"


@given(SAID, CUTS, CUTS)
def test_a_chat_stream_comes_back(facts: dict[str, Any], first: list[int], second: list[int]) -> None:
    """Chat -> Responses -> chat, cut anywhere on both ways: what a client accumulates is the same answer."""
    given_ = completion_of(facts)
    there, back = serve_responses(stream=True).stream(), serve_chat(stream=True).stream()
    data = through(back, through(there, chunks_of(given_), first), second)
    judge_chunks([frame + b"\n\n" for frame in data.split(b"\n\n")[:-1]])
    assert bare(back.answer) == {**bare(given_), "service_tier": "default"}


@given(SAID, CUTS, CUTS)
def test_a_responses_stream_comes_back(facts: dict[str, Any], first: list[int], second: list[int]) -> None:
    """Responses -> chat -> Responses: the same items, the same end."""
    source = serve_responses(stream=True).stream()
    events = through(source, chunks_of(completion_of(facts)), [1000])
    there, back = serve_chat(stream=True).stream(), serve_responses(stream=True).stream()
    data = through(back, through(there, events, first), second)
    judge_stream([frame + b"\n\n" for frame in data.split(b"\n\n")[:-1]])
    assert list(map(without_id, back.answer["output"])) == list(map(without_id, source.answer["output"]))
    for name in ("status", "incomplete_details", "error", "usage"):
        assert back.answer[name] == source.answer[name], name
