"""The fast path of answers gives what the general path gives, whatever a server sends."""

import json
import sys
from typing import Any

import pytest
from fast_answers import COUNT, ODD, PROFILES, TEXT, altered, recorded, same
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator import PRESETS, Profile, ServeChat
from diglot.translator.exchange.response_fast_path import ResponseFastPath

FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Go"}], "tools": [FUNCTION]}
JSON = {**ASKED, "response_format": {"type": "json_object"}}
USAGE = {
    "input_tokens": 3,
    "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 5,
}


def part(text: str = "Hi", **more: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": [], **more}


def message(*parts: Any, **more: Any) -> dict[str, Any]:
    head = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    return {**head, "content": list(parts or [part()]), **more}


def call(name: str = "f", call_id: str = "call_1", arguments: Any = '{"a":1}', **more: Any) -> dict[str, Any]:
    made = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"id": f"fc_{call_id}", "type": "function_call", "status": "completed", **made, **more}


def thought(content: Any = None, summary: Any = (), **more: Any) -> dict[str, Any]:
    said = {"content": content and [{"type": "reasoning_text", "text": text} for text in content]}
    summed = {"summary": [{"type": "summary_text", "text": text} for text in summary]}
    return {"id": "rs_1", "type": "reasoning", **summed, **said, "encrypted_content": None, **more}


def finished(*output: Any, **more: Any) -> dict[str, Any]:
    head = {"id": "resp_1", "object": "response", "created_at": 7, "status": "completed", "error": None}
    about = {"incomplete_details": None, "model": "big", "output": list(output or [message()]), "metadata": {}}
    return {**head, **about, "tools": [{"type": "function", "name": "f"}], "usage": USAGE, **more}


def took(body: Any, asked: Any = ASKED, **settings: Any) -> bool | None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode("utf-8", "surrogatepass")
    return same(ServeChat, asked, data, **settings)


@pytest.mark.parametrize(
    "body",
    [
        finished(),
        finished(message(part(""))),
        finished(message(part("a"), part(""), part("b")), message(part("c"), id="msg_2"), message(part(""), id=None)),
        finished(call()),
        finished(message(), call("a b"), call("g", "call_2", " {} "), call("h", "call_3", ""), call("i", "c4", None)),
        finished(message(part("")), call(namespace="n"), service_tier="flex", metadata={"a": "b"}),
        finished(thought(["Hm.", ""], ["So."]), message(phase="final_answer")),
        finished(thought(None, ["So.", "Oh."]), thought([""], ["Ah."], id="rs_2"), message(), moderation=None),
        finished(thought(["Hm."], encrypted_content="gAAA"), call()),
        finished(
            thought(encrypted_content="gAAA", id=None),
            message(),
            thought(None, ["So."]),
            call(),
            thought(id="rs_2", status="completed", encrypted_content="gBBB"),
            thought(id="rs_3", encrypted_content=""),
        ),
        finished(thought(), message(), usage=None, id=None, created_at=None, model=None),
        finished(id="other", created_at=1.5, model="", usage={}, service_tier=None, metadata=None),
        finished(usage={"output_tokens": 2, "input_tokens_details": {"x": 1}, "output_tokens_details": None}),
        finished(usage={"input_tokens": 2, "input_tokens_details": {"cache_write_tokens": 1, "audio_tokens": 1}}),
    ],
)
@pytest.mark.parametrize("expose", ["auto", "off", "content", "summary", "both"])
def test_what_is_plain(body: Any, expose: Any) -> None:
    """Texts, thoughts, calls of functions, any usage, and a good end."""
    assert took(body, profile=Profile(reasoning_expose=expose)) is True


@pytest.mark.parametrize(
    "body",
    [
        b"not JSON",
        b"[]",
        json.dumps(finished()).encode().replace(b'"Hi"', b'"\\ud800"'),
        json.dumps(finished()).encode().replace(b'"Hi"', b'"\xff"'),
        json.dumps(finished()).encode()[:-1] + b',"deep":%b%b}' % (b"[" * 9999, b"]" * 9999),
        finished(status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
        finished(status="failed", error={"message": "Broken."}),
        {**finished(), "output": []},
        {**finished(), "output": [], "output_text": "Hi"},
        finished(type="response.completed", response=finished()),
        finished(message(part(annotations=[{"type": "url_citation", "url": "u"}]))),
        finished(message(part(logprobs=[{"token": "Hi", "logprob": -1, "bytes": [], "top_logprobs": []}]))),
        finished(message({"type": "refusal", "refusal": "No."})),
        finished(message(status="incomplete")),
        finished(message(), message(part("b"))),
        finished(message(surprise=1)),
        finished(call(), call()),
        finished(call(), call("g", "call_2", id="call_id call_1")),
        finished(call(name="")),
        finished(call(call_id="")),
        finished(call(arguments={"a": 1})),
        finished({"id": "ctc_1", "type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"}),
        finished({"type": "web_search_call", "id": "ws_1", "status": "completed"}, message()),
        finished(metadata={"a": 1}),
        finished(id="x" * 2000),
        finished(model="x" * 2000),
        finished(service_tier="x" * 2000),
    ],
)
def test_what_is_not(body: Any) -> None:
    """The general path takes everything else."""
    assert took(body) is False


@pytest.mark.parametrize(("asked", "taken"), [(ASKED, True), (JSON, False)])
def test_commentary(asked: Any, taken: bool) -> None:
    """It is shown as reasoning where the content has a format."""
    assert took(finished(message(phase="commentary"), message(part("{}"), id="msg_2")), asked) is taken


@pytest.mark.parametrize(
    ("limit", "settings", "taken"),
    [
        (None, {}, True),
        (3, {}, True),
        (2, {}, False),
        (2, {"reports_truncation": True}, True),
    ],
)
def test_a_text_as_long_as_its_limit(limit: int | None, settings: Any, taken: bool) -> None:
    """It may have been cut; calls are not."""
    asked, profile = {**ASKED, "max_completion_tokens": limit}, Profile(**settings)
    assert took(finished(), asked, profile=profile) is taken
    assert took(finished(call()), asked, profile=profile) is True
    assert took(finished(usage=None), asked, profile=profile) is True


@pytest.mark.parametrize("kind", [b"[%b]", b'{"a":%b}'])
def test_nesting_that_is_almost_too_deep(kind: bytes) -> None:
    """What lies around sealed reasoning is read twice, and the second time is no deeper than the first."""
    data = json.dumps(finished(thought(encrypted_content="gAAA", id=None), message(id=None), new=0)).encode()
    deep = sys.getrecursionlimit() - 60
    before, after = kind.split(b"%b")
    for depth in range(deep, deep + 60):
        took(data.replace(b'"new": 0', b'"new": %b1%b' % (before * depth, after * depth)))


def test_an_id_of_its_own() -> None:
    """A completion that is kept here."""
    assert took(finished(), keeps=True) is True


def test_what_no_answer_is_plain_for() -> None:
    """The older kind of calls, stop sequences, and streams."""
    legacy = {"model": "m", "messages": ASKED["messages"], "functions": [{"name": "f"}]}
    assert ServeChat(legacy).fast_path is None
    assert ServeChat({**ASKED, "stop": "x"}).fast_path is None
    assert ServeChat({**ASKED, "stream": True}).fast_path is None
    assert isinstance(ServeChat(ASKED).fast_path, ResponseFastPath)


RECORDED = list(recorded("serve_chat", "response", "serve_responses", "responses/"))


@pytest.mark.parametrize("profile", PRESETS.values(), ids=PRESETS)
def test_recorded_answers(profile: Profile) -> None:
    """Golden and recorded answers with every preset; some of them are plain."""
    taken = [took(data, asked or ASKED, profile=profile) for _, asked, data in RECORDED]
    assert taken.count(True) > 30


IDS = st.sampled_from(["a", "b", "c", "call_id a", "", None])
PART = st.builds(
    lambda text, more: {**part(text), **more}, TEXT, st.dictionaries(st.sampled_from(["x", "logprobs"]), ODD)
)
MESSAGE = st.builds(
    lambda parts, item_id, more: message(*parts, id=item_id, **more),
    st.lists(PART, max_size=3),
    IDS,
    st.fixed_dictionaries({}, optional={"phase": st.sampled_from(["commentary", "final_answer", None])}),
)
CALL = st.builds(
    lambda name, call_id, arguments, item_id: call(name, call_id, arguments, id=item_id),
    st.sampled_from(["f", "a b", "x" * 70, ""]),
    st.sampled_from(["a", "b", "call_1"]),
    TEXT | st.sampled_from(["{}", " {} ", '{"a":1}', None]),
    IDS,
)
TEXTS = st.lists(TEXT, max_size=2)
THOUGHT = st.builds(
    lambda content, summary, item_id, sealed: thought(content, summary, id=item_id, encrypted_content=sealed),
    st.none() | TEXTS,
    TEXTS,
    IDS,
    TEXT | st.none(),
)
COUNTS = st.sampled_from(["input_tokens", "output_tokens", "total_tokens", "x"])
DETAILS = st.dictionaries(st.sampled_from(["cached_tokens", "cache_write_tokens", "reasoning_tokens"]), COUNT)
GENERATED = st.builds(
    lambda output, counts, details, more: finished(*output, usage={**counts, **details}, **more),
    st.lists(MESSAGE | CALL | THOUGHT, max_size=4),
    st.dictionaries(COUNTS, COUNT),
    st.dictionaries(st.sampled_from(["input_tokens_details", "output_tokens_details"]), DETAILS | st.none()),
    st.fixed_dictionaries(
        {},
        optional={
            "created_at": COUNT,
            "model": st.sampled_from(["", None, "x", 1]),
            "service_tier": TEXT | st.none(),
            "metadata": st.dictionaries(TEXT, TEXT | ODD, max_size=2),
        },
    ),
)


@given(GENERATED, st.sampled_from([ASKED, JSON, {**ASKED, "max_tokens": 7}]), PROFILES)
def test_generated_answers(body: Any, asked: Any, profile: Profile) -> None:
    """Whatever shape they have, the client gets the same."""
    took(body, asked, profile=profile)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), ODD)
def test_odd_values_anywhere(places: list[int], value: Any) -> None:
    """Nor does it matter what stands where something else should."""
    body = finished(thought(["Hm."]), message(), call())
    took(altered(json.dumps(body).encode(), places, value))
