"""The fast path of answers gives what the general path gives, whatever a server sends."""

import json
from typing import Any

import pytest
from fast_answers import COUNT, ODD, PROFILES, TEXT, altered, recorded, same
from hypothesis import example, given
from hypothesis import strategies as st

from diglot.translator import PRESETS, Profile, ServeCompact, ServeResponses, fields
from diglot.translator.exchange.completion_fast_path import CompletionFastPath, _Answer

ASKED: dict[str, Any] = {
    "model": "m",
    "input": "Go",
    "instructions": "Be brief.",
    "metadata": {"a": "b"},
    "tools": [
        {"type": "function", "name": "f", "parameters": {"type": "object"}},
        {"type": "function", "name": "f_long"},
        {"type": "custom", "name": "c"},
        {"type": "namespace", "name": "n", "description": "N.", "tools": [{"type": "function", "name": "inner"}]},
        {"type": "shell"},
    ],
}
SEALED = {**ASKED, "include": ["reasoning.encrypted_content"], "reasoning": {"summary": "auto"}}
USAGE = {
    "prompt_tokens": 3,
    "completion_tokens": 2,
    "total_tokens": 5,
    "prompt_tokens_details": {"cached_tokens": 1, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 1},
}


def call(name: str = "f", call_id: str = "call_1", arguments: Any = '{"a":1}', **more: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function, **more}


def completion(reason: Any = "stop", message: Any = None, choice: Any = None, **more: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": "Hi", "refusal": None, **(message or {})}
    first = {"index": 0, "message": said, "logprobs": None, "finish_reason": reason, **(choice or {})}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 7, "model": "big"}
    return {**head, "choices": [first], "usage": USAGE, **more}


def took(body: Any, asked: Any = ASKED, **settings: Any) -> bool | None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode("utf-8", "surrogatepass")
    return same(ServeResponses, asked, data, **settings)


@pytest.mark.parametrize(
    "body",
    [
        completion(),
        completion(message={"content": ""}),
        completion(message={"content": None, "tool_calls": [call()]}, reason="tool_calls"),
        completion(message={"tool_calls": [call(), call("f_long", "call_2", "{}", index=1)]}, reason="stop"),
        completion(message={"tool_calls": [call("n__inner"), call("unknown", "b", ""), call("f", "c", None)]}),
        completion(message={"tool_calls": [call(arguments="not JSON"), call("f", "b", " ")], "annotations": []}),
        completion(message={"reasoning_content": "Hm.", "reasoning": "no"}),
        completion(message={"reasoning": "Hm.", "reasoning_content": "", "audio": None, "function_call": None}),
        completion(usage=None, created=None, model=None, system_fingerprint="fp", new={"a": [1]}),
        completion(usage={}, created=1_700_000_000_000, service_tier="flex", x_groq={"id": "req_1"}),
        completion("end_turn", choice={"stop_reason": 5, "index": None}, created=1.5, model=""),
    ],
)
@pytest.mark.parametrize("asked", [ASKED, SEALED])
@pytest.mark.parametrize("expose", ["auto", "off", "content", "summary", "both"])
def test_what_is_plain(body: Any, asked: Any, expose: Any) -> None:
    """Texts, thoughts, calls of functions, any usage, and a good end."""
    assert took(body, asked, profile=Profile(reasoning_expose=expose)) is True


@pytest.mark.parametrize(
    "body",
    [
        b"not JSON",
        b"[]",
        b'{"choices":[{"message":{"content":"\\ud800"},"finish_reason":"stop"}]}',
        b'{"choices":[{"message":{"content":"\xff"},"finish_reason":"stop"}]}',
        b'{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"deep":%b%b}' % (b"[" * 9999, b"]" * 9999),
        completion("length"),
        completion("error"),
        completion("nobody knows this"),
        completion(None),
        completion("tool_calls"),
        completion("tool_calls", {"tool_calls": []}),
        completion(message={"refusal": "No."}),
        completion(message={"surprise": 1}),
        completion(message={"annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}]}),
        completion(message={"reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]}),
        completion(message={"tool_calls": [call("c")]}),
        completion(message={"tool_calls": [call("shell")]}),
        completion(message={"tool_calls": [call(), call()]}),
        completion(message={"tool_calls": [call(call_id="")]}),
        completion(message={"tool_calls": [call(arguments={"a": 1})]}),
        completion(message={"tool_calls": [call(extra_content={"google": {"thought_signature": "s"}})]}),
        completion(choice={"logprobs": {"content": [{"token": "Hi", "logprob": -1, "top_logprobs": []}]}}),
        completion(error={"message": "Broken."}),
        completion(x_groq={"usage": USAGE}),
        completion(citations=["https://example.com"]),
        completion(usage={**USAGE, "prompt_tokens": "3"}),
        completion(usage={"input_tokens": 3, "output_tokens": 2}),
        {**completion(), "choices": completion()["choices"] * 2},
    ],
)
def test_what_is_not(body: Any) -> None:
    """The general path takes everything else."""
    assert took(body) is False


@pytest.mark.parametrize(("text", "taken"), [("a > b", True), ("a < b", False), (" ", False), ("", True)])
def test_markup(text: str, taken: bool) -> None:
    """Where there may be tags in a text, one without any is plain, unless it waits for what may follow."""
    profile = Profile(markup=frozenset({"think", "tool_call"}))
    assert took(completion(message={"content": text}), profile=profile) is taken


def test_what_no_answer_is_plain_for() -> None:
    """Summaries, texts that grow, streams, and requests that the fast path is not asked for."""
    asked = [{"type": "message", "role": "user", "content": "Go"}]
    assert ServeResponses({"model": "m", "input": [*asked, {"type": "compaction_trigger"}]}).fast_path is None
    assert ServeResponses(ASKED, profile=Profile(cumulative_deltas=True)).fast_path is None
    assert ServeResponses({**ASKED, "stream": True}).fast_path is None
    assert ServeCompact({"model": "m", "input": asked}).fast_path is None
    assert isinstance(ServeResponses(ASKED).fast_path, CompletionFastPath)


@pytest.mark.parametrize(
    ("asked", "settings"),
    [({**ASKED, "model": "\ud800"}, {}), (ASKED, {"answer_model": "m\udfff"})],
)
def test_lone_surrogates_of_the_request(asked: Any, settings: Any) -> None:
    """A caller's strings may hold what no UTF-8 can; the answer repeats them with U+FFFD."""
    assert took(completion(model=None), asked, **settings) is True


def test_its_own_members_are_the_first_ones() -> None:
    """What an answer repeats of its request stands behind what is its own, so it can be encoded apart."""
    own = _Answer.__struct_fields__
    assert own == tuple(fields.blank_answer({}))[: len(own)]
    assert fields.REPEATED.isdisjoint(own)


def test_what_is_repeated_is_encoded_once() -> None:
    """The second answer to a request has the same bytes of it."""
    exchange = ServeResponses(ASKED)
    path: Any = exchange.fast_path
    first, second = (path.take(json.dumps(completion()).encode()) for _ in range(2))
    assert first.data.endswith(path._repeated)
    assert second.data.endswith(path._repeated)
    assert first.answer["tools"] == second.answer["tools"] != []


RECORDED = list(recorded("serve_responses", "completion", "serve_chat", ""))


@pytest.mark.parametrize("profile", PRESETS.values(), ids=PRESETS)
def test_recorded_answers(profile: Profile) -> None:
    """Golden and recorded answers with every preset; some of them are plain."""
    taken = [took(data, asked or ASKED, profile=profile) for _, asked, data in RECORDED]
    assert taken.count(True) > 40


CALL = st.builds(
    call,
    st.sampled_from(["f", "f_long", "c", "n__inner", "shell", "other", ""]),
    st.sampled_from(["call_1", "call_2", "call_3", ""]),
    TEXT | st.sampled_from(["{}", '{"a":1}', " {} "]),
)
MESSAGE = st.fixed_dictionaries(
    {"content": TEXT | st.none()},
    optional={
        "role": st.just("assistant"),
        "reasoning_content": TEXT,
        "reasoning": TEXT | st.none(),
        "tool_calls": st.lists(CALL, max_size=3) | st.none(),
        "annotations": st.just([]),
        "refusal": st.sampled_from([None, "", "No."]),
    },
)
COUNTS = st.sampled_from(
    [*list(USAGE)[:3], "cached_tokens", "prompt_cache_hit_tokens", "reasoning_tokens", "input_tokens"]
)
DETAILS = st.dictionaries(st.sampled_from(["cached_tokens", "reasoning_tokens", "cached", "x"]), COUNT, max_size=3)
GENERATED = st.builds(
    lambda message, reason, usage, details, more: completion(
        reason, message, usage=usage and {**usage, **details}, **more
    ),
    MESSAGE,
    st.sampled_from(["stop", "tool_calls", "length", "STOP", None]),
    st.none() | st.dictionaries(COUNTS, COUNT, max_size=4),
    st.dictionaries(st.sampled_from(["prompt_tokens_details", "completion_tokens_details"]), DETAILS),
    st.fixed_dictionaries(
        {}, optional={"created": COUNT, "model": st.sampled_from(["", None, "x", 1]), "service_tier": TEXT | st.none()}
    ),
)


@given(GENERATED, st.sampled_from([ASKED, SEALED]), PROFILES)
@example(completion(usage={"prompt_tokens_details": {"cached_tokens": 1}}), ASKED, Profile())
def test_generated_answers(body: Any, asked: Any, profile: Profile) -> None:
    """Whatever shape they have, the client gets the same."""
    took(body, asked, profile=profile)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), ODD, st.booleans())
def test_odd_values_anywhere(places: list[int], value: Any, full: bool) -> None:
    """Nor does it matter what stands where something else should."""
    message = {"reasoning_content": "Hm.", "tool_calls": [call()]} if full else {}
    took(altered(json.dumps(completion(message=message)).encode(), places, value))
