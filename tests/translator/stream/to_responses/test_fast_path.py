"""The fast path gives what the general path gives, whatever a server sends and however it is cut."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diglot.translator import Profile, ServeResponses

from fast_paths import TEXT, TOKEN, chat_exchange, cut_at, data, event, frames_of, said, thought, token

TOOLS = [
    {"type": "function", "name": "f"},
    {"type": "function", "name": "long"},
    {"type": "custom", "name": "c"},
    {"type": "shell"},
]


def exchange(profile: Profile, reasoning: Any = None) -> ServeResponses:
    count = itertools.count(1)
    body = {"model": "m", "input": "Go", "stream": True, "tools": TOOLS, "reasoning": reasoning}
    return ServeResponses(body, profile=profile, new_id=lambda p: f"{p}_{next(count)}", clock=lambda: 1.0)


def delta(**fields: Any) -> dict[str, Any]:
    return {"id": "x", "choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def arguments(index: int, piece: str, **more: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "function": {"arguments": piece}, **more}]}


def call(index: int, name: str) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "id": f"call_{index}", "function": {"name": name, "arguments": ""}}]}


def native(index: int, piece: str, **more: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "custom": {"input": piece}, **more}]}


LONG = [delta(content="a"), *[delta(content=str(n)) for n in range(9)]]


@pytest.mark.parametrize(
    ("chunks", "taken"),
    [
        (LONG, 9),
        ([{**c, "service_tier": "flex", "usage": None, "system_fingerprint": "fp", "new": 1} for c in LONG], 9),
        ([delta(reasoning_content="t"), *[delta(reasoning_content="x", content=None, role="assistant")] * 4], 4),
        ([delta(reasoning="t"), *[delta(reasoning="x")] * 4, delta(reasoning_content="y")], 5),
        ([delta(reasoning_content="t"), *[delta(reasoning="x")] * 4], 3),
        ([delta(**call(0, "f")), *[delta(**arguments(0, p)) for p in ("{", "x", "x", "x", "{")]], 2),
        ([delta(**call(0, "f")), *[delta(**arguments(0, "x", type="function", id=None))] * 4], 3),
        ([delta(**call(0, "c")), *[delta(**arguments(0, "{"))] * 4], 0),
        ([delta(**call(0, "c")), delta(**arguments(0, '{"input":"a')), *[delta(**arguments(0, 'b%\\n\\"é'))] * 4], 4),
        (
            [
                delta(**call(0, "c")),
                *[delta(**arguments(0, p)) for p in ('{"input":"', "a", "\\", "n", "b", "\\ud83d", "c", "d")],
            ],
            3,
        ),
        ([delta(**call(0, "c")), *[delta(**arguments(0, p)) for p in ('{"input":"', "a", 'b"', "}", "c")]], 1),
        ([delta(**call(0, "c")), *[delta(**arguments(0, p)) for p in ('{"other":"', "a", "b")]], 0),
        ([delta(tool_calls=[{"index": 0, "id": "n", "custom": {"name": "c"}}]), *[delta(**native(0, '"b\\'))] * 3], 3),
        ([delta(**call(0, "f")), *[delta(**native(0, "b"))] * 3, delta(tool_calls=[{"index": 0}])], 2),
        (
            [delta(**call(0, "f")), delta(**arguments(0, "x")), delta(**arguments(1, "x")), delta(**arguments(0, "x"))],
            0,
        ),
        ([delta(**call(0, "shell")), *[delta(**arguments(0, "{"))] * 4], 0),
        ([delta(**call(0, "f")), delta(**arguments(1, "{", id="b"))], 0),
        ([delta(**call(0, "f")), delta(tool_calls=[*arguments(0, "{")["tool_calls"], *call(1, "f")["tool_calls"]])], 0),
        ([delta(content="a"), delta(content="b", reasoning_content="c")], 0),
        ([delta(**call(0, "f")), delta(content="b", **arguments(0, "{"))], 0),
        ([delta(reasoning_content="t"), delta(content="b")], 0),
        ([delta(content="a"), delta(content="")], 0),
        ([delta(content="a"), {**delta(content="b"), "usage": {"prompt_tokens": 1}}, delta(content="c")], 1),
        ([delta(content="a"), {"choices": [{"index": 1, "delta": {"content": "b"}}]}], 0),
        ([delta(content="a"), delta(content="b", surprise=1)], 0),
        (
            [
                delta(content="a"),
                {**delta(content="b"), "service_tier": "flex"},
                {**delta(content="c"), "service_tier": "flex"},
            ],
            1,
        ),
    ],
)
def test_what_the_fast_path_takes(chunks: list[Any], taken: int) -> None:
    """One more piece of what grows, and nothing else; the frames are those of the general path."""
    reads = [data(chunk) for chunk in chunks]
    fast, count = frames_of(exchange(Profile()), reads, fast=True)
    assert fast == frames_of(exchange(Profile()), reads, fast=False)[0]
    assert count == taken


WRAPPED = [
    *('{"input":"', " {\n", '"input"', ": ", '"', "}", '"}', '", "x": 1}', "tail", "a", "é", "%d", "\n", "\x00"),
    *(
        "\\n",
        "\\",
        "\\\\",
        '\\"',
        "\\/",
        "\\u",
        "\\u00",
        "00e9",
        "\\u00e9",
        "\\ud83d",
        "\\ude00",
        "\\ud83d\\ude00",
        "\\q",
        "d83d",
    ),
]


@given(
    st.lists(st.sampled_from(WRAPPED), max_size=12),
    st.booleans(),
    st.sampled_from(["openai", "openresponses"]),
    st.booleans(),
)
def test_wrapped_input_takes_the_fast_path(pieces: list[str], head: bool, events: Any, done: bool) -> None:
    """Whatever comes of it: escapes, halves of them and of pairs, the end, and what is behind it."""
    fragments = [*(['{"input":"'] if head else []), *pieces]
    reads = [data(delta(**call(0, "c"))), *[data(delta(**arguments(0, piece))) for piece in fragments]]
    reads += [data({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})] * done
    profile = Profile(events=events)
    with_path, without = exchange(profile), exchange(profile)
    assert frames_of(with_path, reads, fast=True)[0] == frames_of(without, reads, fast=False)[0]
    assert list(with_path.report) == list(without.report)


@given(st.text(max_size=30), st.booleans(), st.lists(st.integers(0, 200), max_size=9))
def test_wrapped_input_in_any_pieces(text: str, ascii_only: bool, cuts: list[int]) -> None:
    """The input is what was wrapped, however its arguments were cut, by the fast path and without it."""
    whole = json.dumps({"input": text}, ensure_ascii=ascii_only)
    marks = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    pieces = [whole[a:b] for a, b in itertools.pairwise(marks)]
    reads = [data(delta(**call(0, "c"))), *[data(delta(**arguments(0, piece))) for piece in pieces]]
    reads.append(data({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}))
    fast, taken = frames_of(exchange(Profile()), reads, fast=True)
    assert fast == frames_of(exchange(Profile()), reads, fast=False)[0]
    assert json.loads(fast[-1].removeprefix(b"data: "))["output"][0]["input"] == text
    if not ascii_only and text.isalnum():
        inside = len('{"input": "'), len(whole) - len('"}')
        assert taken == sum(inside[0] <= a and b <= inside[1] for a, b in itertools.pairwise(marks))


def with_tokens(tokens: Any, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"delta": fields, "logprobs": tokens}]}


@pytest.mark.parametrize(
    ("tokens", "taken"),
    [
        ({"content": [token("b", bytes=[98], top_logprobs=[token("é", bytes=None), token("c", x=1)], y=2)]}, 1),
        ({"content": [token("b", logprob=0), token("\U0001f600")], "refusal": None}, 1),
        ({"content": [], "refusal": [token("no")]}, 1),
        ({"content": None}, 1),
        ({}, 1),
        ({"content": [token("b", logprob=None)]}, 0),
        ({"content": [token("b", bytes=["b"])]}, 0),
        ({"content": [token("b", bytes=[True])]}, 0),
        ({"content": [token("b", top_logprobs=None)]}, 0),
        ({"content": [1, token("b")]}, 0),
        ([token("b")], 0),
    ],
)
def test_log_probabilities(tokens: Any, taken: int) -> None:
    """Those of the usual form take the fast path with their text; none of them are lost at the end."""
    chunks = [delta(content="a"), with_tokens(tokens, content="b"), with_tokens({"content": [token("c")]}, content="c")]
    reads = [*map(data, chunks), data({"choices": [{"delta": {}, "finish_reason": "stop"}]}), b"data: [DONE]\n\n"]
    fast, count = frames_of(exchange(Profile()), reads, fast=True)
    assert (fast, count) == (frames_of(exchange(Profile()), reads, fast=False)[0], taken + 1)
    chunks_in = [said("a"), *[said(c["choices"][0]["delta"]["content"], logprobs=_listed(c)) for c in chunks[1:]]]
    fast, count = frames_of(chat_exchange(), chunks_in, fast=True)
    assert (fast, count) == (frames_of(chat_exchange(), chunks_in, fast=False)[0], taken + 1)


def _listed(chunk: Any) -> Any:
    tokens = chunk["choices"][0]["logprobs"]
    return tokens.get("content") if isinstance(tokens, dict) else {"not": "a list"}


def test_log_probabilities_belong_to_texts() -> None:
    """Beside anything else they wait for one, or say nothing."""
    tokens = {"content": [token("b")]}
    chunks = [delta(reasoning_content="t"), with_tokens(tokens, reasoning_content="u"), delta(content="b")]
    reads = [data(chunk) for chunk in chunks]
    assert frames_of(exchange(Profile()), reads, fast=True) == (frames_of(exchange(Profile()), reads, fast=False)[0], 0)
    place = {"item_id": "r", "output_index": 1, "summary_index": 0}
    reads = [thought("x"), event("reasoning_summary_text.delta", **place, delta="y", logprobs=[token("y")])]
    assert frames_of(chat_exchange(), reads, fast=True) == (frames_of(chat_exchange(), reads, fast=False)[0], 0)


@pytest.mark.parametrize(
    ("read", "taken"),
    [
        (b'data: {"choices":[{"delta":{"content":"b"}}]}\n', 1),
        (b'data: {"choices":[{"delta":{"content":"b"}}]}\r\n\r\n', 1),
        (b'data:{"choices":[{"delta":\ndata: {"content":"b"}}]}\n\n', 1),
        (b': comment\ndata: {"choices":[{"delta":{"content":"b"}}]}\n\n', 1),
        (b'{"choices":[{"delta":{"content":"b"}}]}\n', 1),
        (b'event: x\ndata: {"choices":[{"delta":{"content":"b"}}]}\n\n', 0),
        (b'data: {"choices":[{"delta":{"content":"\xff"}}]}\n\n', 0),
        (b'data: {"choices":[{"delta":{"content":"\\ud800"}}]}\n\n', 0),
        (b"data: [DONE]\n\n", 0),
    ],
)
def test_unusual_bytes(read: bytes, taken: int) -> None:
    """Events may be framed in any way; what is not spelled in the usual way, or has a name, is not the fast path's."""
    reads = [data(delta(content="a")), read]
    fast, count = frames_of(exchange(Profile()), reads, fast=True)
    assert (fast, count) == (frames_of(exchange(Profile()), reads, fast=False)[0], taken)


def test_several_events_in_one_read() -> None:
    """The fast path takes what is its own of a read."""
    first, *rest = map(data, LONG)
    assert frames_of(exchange(Profile()), [first, b"".join(rest)], fast=True)[1] == 9
    reads = [first, rest[0] + data(delta(refusal="no")) + rest[1]]
    fast, count = frames_of(exchange(Profile()), reads, fast=True)
    assert (fast, count) == (frames_of(exchange(Profile()), reads, fast=False)[0], 1)


def test_a_server_with_other_habits_does_not_pay() -> None:
    """After some misses in a row the fast path is given up."""
    odd, good = data(delta(content="b", surprise=1)), data(delta(content="b"))
    start = data(delta(content="a"))
    assert frames_of(exchange(Profile()), [start, *[odd] * 32, good, good], fast=True)[1] == 2
    assert frames_of(exchange(Profile()), [start, *[odd] * 33, good, good], fast=True)[1] == 0


def test_waiting_words_and_tags_go_the_general_path() -> None:
    """What waits for a text, and tags in it, need a look at each piece."""
    reads = [data(c) for c in LONG]
    assert frames_of(exchange(Profile(markup=frozenset({"think"}))), reads, fast=True)[1] == 0
    logprobs = {"choices": [{"delta": {}, "logprobs": {"content": [{"token": "b", "logprob": 0}]}}]}
    fast, count = frames_of(exchange(Profile()), [reads[0], data(logprobs), *reads[1:]], fast=True)
    assert count == 8
    assert fast == frames_of(exchange(Profile()), [reads[0], data(logprobs), *reads[1:]], fast=False)[0]


def test_large_events_go_the_general_path() -> None:
    """They are counted first: one may hold more values than are read."""
    most = [token("b")] * 400_000
    for tokens in (most, most[:10]):
        chunk = with_tokens({"content": tokens}, content="b" * 2_000_000)
        reads = [data(delta(content="a")), data(chunk)]
        fast, count = frames_of(exchange(Profile()), reads, fast=True)
        assert (fast, count) == (frames_of(exchange(Profile()), reads, fast=False)[0], 0)
        assert (b"more than 1,000,000 JSON values" in b"".join(fast)) == (tokens is most)
    chunks_in = [said("a"), said("b" * 2_000_000, logprobs=most)]
    assert frames_of(chat_exchange(), chunks_in, fast=True)[1] == 0
    reads = [
        data(delta(content="a")),
        data(delta(content="b" * 2_000_001)) + data(delta(content="c")),
        data(delta(content="d")),
    ]
    assert frames_of(exchange(Profile()), reads, fast=True)[1] == 2
    bare = [reads[0], reads[1].removeprefix(b"data: "), reads[2]]
    assert frames_of(exchange(Profile()), bare, fast=True)[1] == 2


def test_an_event_may_be_cut() -> None:
    """It is taken when it is whole, with all that came of it."""
    reads = [data(delta(content="a")), b"event: x\n", data(delta(content="b")), b"data: 1\n", data(delta(content="c"))]
    assert frames_of(exchange(Profile()), reads, fast=True) == (frames_of(exchange(Profile()), reads, fast=False)[0], 0)
    whole = b"".join(map(data, LONG))
    reads = [whole[n : n + 7] for n in range(0, len(whole), 7)]
    assert frames_of(exchange(Profile()), reads, fast=True) == (frames_of(exchange(Profile()), reads, fast=False)[0], 9)


FIELD = st.sampled_from(
    [
        *("content", "reasoning_content", "reasoning", "reasoning_text", "reasoning_opaque"),
        *("refusal", "role", "surprise", "annotations"),
    ]
)
THOUGHT = st.builds(lambda t: {"type": "thinking", "thinking": [{"type": "text", "text": t}]}, TEXT)
LINKS = st.sampled_from([None, [], ["https://a"], [{"url": "https://a", "title": "A"}, {"url": "https://b"}]])
NAME = st.sampled_from(["", "f", "l", "ong", "long", "c"])
DELTA = st.one_of(
    st.builds(lambda t: {"content": t}, TEXT),
    st.builds(lambda t: {"reasoning_content": t}, TEXT),
    st.builds(lambda t: {"reasoning": t, "role": "assistant"}, TEXT),
    st.builds(lambda t: {"reasoning_text": t}, TEXT),
    st.builds(lambda parts: {"content": parts}, st.lists(THOUGHT, max_size=2)),
    st.builds(lambda i, t: arguments(i, t), st.integers(0, 1), TEXT | st.sampled_from(WRAPPED)),
    st.builds(lambda i, t: native(i, t), st.integers(0, 1), TEXT),
    st.builds(lambda i, t: arguments(i, t, id=None, type=None), st.integers(0, 1), TEXT),
    st.builds(call, st.integers(0, 1), st.sampled_from(["f", "c", "shell", "g"])),
    st.dictionaries(FIELD, TEXT | st.none(), max_size=3),
    # what servers say twice, in pieces, or with nothing in it (W3 to W5)
    st.builds(lambda t: {"reasoning_text": t}, TEXT),
    st.builds(
        lambda i, t: arguments(i, t), st.integers(0, 1), st.sampled_from(["{", "}", "{}", '{"a":1}', '{"a"', ":1}"])
    ),
    st.builds(lambda i, n: {"tool_calls": [{"index": i, "id": n, "function": {"name": n}}]}, st.integers(0, 1), NAME),
    st.builds(lambda t: {**call(0, "f"), "function_call": {"name": t, "arguments": ""}}, NAME),
    st.builds(lambda i, t: native(i, t, function={"arguments": "{"}, type="function"), st.integers(0, 1), TEXT),
)
TOKENS = st.none() | st.builds(lambda tokens: {"content": tokens}, st.lists(TOKEN, max_size=2) | st.none())
CHUNK = st.builds(
    lambda d, more, choice: {**more, "choices": [{"delta": d, **choice}]},
    DELTA,
    st.fixed_dictionaries(
        {},
        optional={
            "service_tier": st.sampled_from(["a", "b", None]),
            "usage": st.none(),
            "x": TEXT,
            "citations": LINKS,
            "search_results": LINKS,
        },
    ),
    st.fixed_dictionaries({}, optional={"index": st.sampled_from([0, None, 1]), "logprobs": TOKENS, "y": TEXT})
    | st.builds(
        lambda message, text, used: {"message": message, "text": text, "usage": used},
        st.none() | DELTA,
        st.none() | TEXT,
        st.sampled_from([None, {}, {"prompt_tokens": "1"}]),
    ),
)
EVENT = st.builds(
    lambda c, ascii_, sort: data(c, ensure_ascii=ascii_, sort_keys=sort), CHUNK, st.booleans(), st.booleans()
)
ODD = st.sampled_from(
    [
        b'data: {"choices":[{"delta":{"content":"a","content":"b"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"x"}}],"choices":[]}\n\n',
        b'data: {"choices":[{"delta":{"content":"\xf0\x9f"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":1}}]}\n\n',
        b": ping\n\n",
        b"\n",
        b"\r\n",
        b"event: x\n",
        b'data: {"choices":[{"delta":{"content":"z"},"finish_reason":"stop"}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"one"}}]}\n',
        b'data: {\n"choices":[{"delta":{"content":"indented"}}]\n}\n\n',
        b'data: {"object":"chat.completion","choices":[{"message":{"content":"az"}}]}\n\n',
        b"data: : PROCESSING\n\n",
        b"data: ping\n\n",
        b'data: "[DONE]"\n\n',
        b"data: error: no memory\n\n",
    ]
)


@given(
    st.lists(EVENT | EVENT | EVENT | ODD, max_size=12),
    st.lists(st.integers(1, 400), min_size=1, max_size=6) | st.none(),
    st.sampled_from([None, {"summary": "auto"}]),
    st.sampled_from([Profile(), Profile(reasoning_expose="both"), Profile(events="openresponses")]),
)
@example([data(delta(content="a")), b"event: x\n", data(delta(content="b"))], None, None, Profile())
def test_the_fast_path_equals_the_general_path(
    events: list[bytes], sizes: list[int] | None, reasoning: Any, profile: Profile
) -> None:
    """Frames, answers and losses are the same with the fast path and without it, and however the bytes were cut."""
    whole = b"".join([data(delta(content="a")), *events])
    if sizes is None:
        reads = [data(delta(content="a")), *events]
    else:
        reads = cut_at(whole, sizes)
    with_path, without = exchange(profile, reasoning), exchange(profile, reasoning)
    general = frames_of(without, reads, fast=False)[0]
    assert frames_of(with_path, reads, fast=True)[0] == general
    assert frames_of(exchange(profile, reasoning), [whole], fast=True)[0] == general
    assert list(with_path.report) == list(without.report)
