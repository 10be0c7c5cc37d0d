"""The fast lane gives what the general way gives, whatever a server sends and however it is cut."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diglot.translator import Exchange, Profile, ServeChat, ServeResponses
from diglot.translator.wire import sse

TOOLS = [
    {"type": "function", "name": "f"},
    {"type": "function", "name": "long"},
    {"type": "custom", "name": "c"},
    {"type": "shell"},
]
TEXT = st.text(max_size=6) | st.sampled_from(['"', "\\", "\n", "%d", "é\U0001f600", "\x00"])


def exchange(profile: Profile, reasoning: Any = None) -> ServeResponses:
    count = itertools.count(1)
    body = {"model": "m", "input": "Go", "stream": True, "tools": TOOLS, "reasoning": reasoning}
    return ServeResponses(body, profile=profile, new_id=lambda p: f"{p}_{next(count)}", clock=lambda: 1.0)


def frames_of(x: Exchange, reads: list[bytes], fast: bool) -> tuple[list[bytes], int]:
    """The frames of *reads* and the answer that they add up to, and how many events the lane took."""
    stream = x.stream()
    taken = 0
    if fast:
        inner: Any = stream._lane

        class Counted:
            def take(self, event: sse.Event) -> bytes | None:
                nonlocal taken
                found = inner.take(event)
                taken += found is not None
                return found

        stream._lane = Counted()
    else:
        stream._lane = None
    frames = [frame for read in reads for frame in stream.feed(read)]
    if not stream.ended:
        frames += stream.finish()
    return [*frames, sse.data(stream.answer)], taken


def data(chunk: Any, **options: Any) -> bytes:
    return b"data: " + json.dumps(chunk, **options).encode("utf-8", "surrogatepass") + b"\n\n"


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
def test_what_the_lane_takes(chunks: list[Any], taken: int) -> None:
    """One more piece of what grows, and nothing else; the frames are those of the general way."""
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
def test_wrapped_input_takes_the_lane(pieces: list[str], head: bool, events: Any, done: bool) -> None:
    """Whatever comes of it: escapes, halves of them and of pairs, the end, and what is behind it."""
    fragments = [*(['{"input":"'] if head else []), *pieces]
    reads = [data(delta(**call(0, "c"))), *[data(delta(**arguments(0, piece))) for piece in fragments]]
    reads += [data({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})] * done
    profile = Profile(events=events)
    with_lane, without = exchange(profile), exchange(profile)
    assert frames_of(with_lane, reads, fast=True)[0] == frames_of(without, reads, fast=False)[0]
    assert list(with_lane.report) == list(without.report)


@given(st.text(max_size=30), st.booleans(), st.lists(st.integers(0, 200), max_size=9))
def test_wrapped_input_in_any_pieces(text: str, ascii_only: bool, cuts: list[int]) -> None:
    """The input is what was wrapped, however its arguments were cut, by the lane and without it."""
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


def token(text: str, **more: Any) -> dict[str, Any]:
    return {"token": text, "logprob": -0.5, **more}


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
    """Those of the usual form take the lane with their text; none of them are lost at the end."""
    chunks = [delta(content="a"), with_tokens(tokens, content="b"), with_tokens({"content": [token("c")]}, content="c")]
    reads = [*map(data, chunks), data({"choices": [{"delta": {}, "finish_reason": "stop"}]}), b"data: [DONE]\n\n"]
    fast, count = frames_of(exchange(Profile()), reads, fast=True)
    assert (fast, count) == (frames_of(exchange(Profile()), reads, fast=False)[0], taken + 1)
    heard = [said("a"), *[said(c["choices"][0]["delta"]["content"], logprobs=_listed(c)) for c in chunks[1:]]]
    fast, count = frames_of(chat_exchange(), heard, fast=True)
    assert (fast, count) == (frames_of(chat_exchange(), heard, fast=False)[0], taken + 1)


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
    """Events may be framed in any way; what is not spelled in the usual way, or has a name, is not the lane's."""
    reads = [data(delta(content="a")), read]
    fast, count = frames_of(exchange(Profile()), reads, fast=True)
    assert (fast, count) == (frames_of(exchange(Profile()), reads, fast=False)[0], taken)


def test_several_events_in_one_read() -> None:
    """The lane takes what is its own of a read."""
    first, *rest = map(data, LONG)
    assert frames_of(exchange(Profile()), [first, b"".join(rest)], fast=True)[1] == 9
    reads = [first, rest[0] + data(delta(refusal="no")) + rest[1]]
    fast, count = frames_of(exchange(Profile()), reads, fast=True)
    assert (fast, count) == (frames_of(exchange(Profile()), reads, fast=False)[0], 1)


def test_a_server_with_other_habits_does_not_pay() -> None:
    """After some misses in a row the lane is given up."""
    odd, good = data(delta(content="b", surprise=1)), data(delta(content="b"))
    start = data(delta(content="a"))
    assert frames_of(exchange(Profile()), [start, *[odd] * 32, good, good], fast=True)[1] == 2
    assert frames_of(exchange(Profile()), [start, *[odd] * 33, good, good], fast=True)[1] == 0


def test_waiting_words_and_tags_go_the_general_way() -> None:
    """What waits for a text, and tags in it, need a look at each piece."""
    reads = [data(c) for c in LONG]
    assert frames_of(exchange(Profile(markup=frozenset({"think"}))), reads, fast=True)[1] == 0
    logprobs = {"choices": [{"delta": {}, "logprobs": {"content": [{"token": "b", "logprob": 0}]}}]}
    fast, count = frames_of(exchange(Profile()), [reads[0], data(logprobs), *reads[1:]], fast=True)
    assert count == 8
    assert fast == frames_of(exchange(Profile()), [reads[0], data(logprobs), *reads[1:]], fast=False)[0]


def test_large_events_go_the_general_way() -> None:
    """They are counted first: one may hold more values than are read."""
    most = [token("b")] * 400_000
    for tokens in (most, most[:10]):
        chunk = with_tokens({"content": tokens}, content="b" * 2_000_000)
        reads = [data(delta(content="a")), data(chunk)]
        fast, count = frames_of(exchange(Profile()), reads, fast=True)
        assert (fast, count) == (frames_of(exchange(Profile()), reads, fast=False)[0], 0)
        assert (b"more than 1,000,000 JSON values" in b"".join(fast)) == (tokens is most)
    heard = [said("a"), said("b" * 2_000_000, logprobs=most)]
    assert frames_of(chat_exchange(), heard, fast=True)[1] == 0
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


TOKEN = st.builds(
    lambda text, top, more: token(text, **top, **more),
    TEXT,
    st.fixed_dictionaries({}, optional={"top_logprobs": st.lists(st.builds(token, TEXT), max_size=2) | st.none()}),
    st.fixed_dictionaries({}, optional={"bytes": st.sampled_from([[97], [], None, [1.5]]), "x": TEXT}),
)
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
def test_the_lane_equals_the_general_way(
    events: list[bytes], sizes: list[int] | None, reasoning: Any, profile: Profile
) -> None:
    """Frames, answers and losses are the same with the lane and without it, and however the bytes were cut."""
    whole = b"".join([data(delta(content="a")), *events])
    if sizes is None:
        reads = [data(delta(content="a")), *events]
    else:
        marks = [0, *itertools.takewhile(lambda at: at < len(whole), itertools.accumulate(itertools.cycle(sizes)))]
        reads = [whole[a:b] for a, b in itertools.pairwise([*marks, len(whole)])]
    with_lane, without = exchange(profile, reasoning), exchange(profile, reasoning)
    general = frames_of(without, reads, fast=False)[0]
    assert frames_of(with_lane, reads, fast=True)[0] == general
    assert frames_of(exchange(profile, reasoning), [whole], fast=True)[0] == general
    assert list(with_lane.report) == list(without.report)


# --- Responses events to chat chunks


def chat_exchange(**more: Any) -> ServeChat:
    count = itertools.count(1)
    body = {"model": "m", "messages": [{"role": "user", "content": "Go"}], "stream": True, **more}
    return ServeChat(body, profile=Profile(), new_id=lambda p: f"{p}_{next(count)}", clock=lambda: 1.0)


def event(kind: str, **fields: Any) -> bytes:
    body = json.dumps({"type": f"response.{kind}", **fields}).encode("utf-8", "surrogatepass")
    return b"event: response.%b\ndata: %b\n\n" % (kind.encode(), body)


def said(text: str, **more: Any) -> bytes:
    place = {"item_id": "a", "output_index": 0, "content_index": 0}
    return event("output_text.delta", **{**place, "delta": text, **more})


def thought(text: str, kind: str = "reasoning_summary_text.delta", index: str = "summary_index") -> bytes:
    return event(kind, item_id="r", output_index=1, delta=text, **{index: 0})


CALL_BEGINS = event(
    "output_item.added", output_index=2, item={"type": "function_call", "name": "f", "call_id": "c", "id": "i"}
)
CUSTOM_BEGINS = event(
    "output_item.added", output_index=3, item={"type": "custom_tool_call", "name": "f", "call_id": "d", "id": "j"}
)


def argued(text: str) -> bytes:
    return event("function_call_arguments.delta", item_id="i", output_index=2, delta=text)


CREATED = event("created", response={"id": "resp_1", "model": "m", "service_tier": "flex"})


@pytest.mark.parametrize(
    ("reads", "taken"),
    [
        ([CREATED, *[said("x%")] * 5], 4),
        ([*[said("x", obfuscation="ab", sequence_number=1, more={})] * 5], 4),
        ([said("x"), event("in_progress", response={"service_tier": "new"}), *[said("x")] * 5], 4),
        ([said("x"), said("x", logprobs=[]), said("x", logprobs=[{"token": "x", "logprob": 0}]), said("x")], 3),
        ([*[thought("x")] * 5], 4),
        ([*[thought("x", "reasoning_text.delta", "content_index")] * 5], 4),
        ([*[thought("x", "reasoning.delta", "content_index")] * 5], 4),
        ([thought("x"), *[thought("y", "reasoning_text.delta", "content_index")] * 3], 0),
        ([CALL_BEGINS, *[argued("{")] * 5], 4),
        ([CALL_BEGINS, argued("{"), event("output_item.done", output_index=2, item={"type": "x"}), argued("}")], 0),
        ([CUSTOM_BEGINS, *[event("custom_tool_call_input.delta", output_index=3, delta="x")] * 4], 3),
        ([CUSTOM_BEGINS, *[event("function_call_arguments.delta", output_index=3, delta="x%")] * 4], 3),
        ([CALL_BEGINS, *[event("custom_tool_call_input.delta", output_index=2, delta="x")] * 4], 3),
        (
            [
                CALL_BEGINS,
                argued("{}"),
                event("function_call_arguments.done", output_index=2),
                argued("x"),
                argued("y"),
            ],
            0,
        ),
        ([said("x"), thought("y"), said("x"), thought("y")], 0),
        ([said("x"), said(""), said("x")], 1),
        ([said("x"), said("x", content_index=1), said("x", item_id="b"), said("x", output_index=7)], 0),
        ([said("x"), event("output_text.done", item_id="a", output_index=0, content_index=0, text="x"), said("y")], 0),
        ([said("x"), b"event: error\n" + said("y").partition(b"\n")[2]], 0),
        (
            [
                said("x"),
                said("y").partition(b"\n")[2],
                said("y").replace(b"event: response.output_text.delta", b"event: x"),
            ],
            2,
        ),
        ([said("x"), said("y") + said("z"), said("y") + thought("z")], 3),
        ([said("x"), said("y").replace(b"\n", b"\r\n"), said("y")[:-1], b"\n", said("y")[:-2]], 3),
        ([said("x"), said("y" * 70_000)], 1),
        ([said("x"), said("y", obfuscation=1)], 0),
        ([said("x"), event("nothing", delta=1), b"data: {}\n\n"], 0),
        (
            [
                said("x"),
                event("output_text.delta", delta=1, item_id="a", output_index=0, content_index=1),
                said("y", content_index=1),
                said("z", content_index=1),
            ],
            0,
        ),
    ],
)
def test_what_the_lane_takes_of_responses(reads: list[bytes], taken: int) -> None:
    """One more piece of what grew, and nothing else; the chunks are those of the general way."""
    options = {"stream_options": {"include_usage": True}}
    fast, count = frames_of(chat_exchange(**options), reads, fast=True)
    assert fast == frames_of(chat_exchange(**options), reads, fast=False)[0]
    assert count == taken


@pytest.mark.parametrize(
    ("more", "reads", "taken"),
    [
        ({"stop": "zz"}, [*[said("x")] * 5], 0),
        ({"functions": [{"name": "f"}]}, [CALL_BEGINS, *[argued("{")] * 5], 4),
        ({}, [said("x"), *[said("x", logprobs=1)] * 33, said("x")], 0),
    ],
)
def test_clients_and_servers_with_other_habits(more: dict[str, Any], reads: list[bytes], taken: int) -> None:
    """Stop sequences are looked for, older answers have another shape, and misses end the attempts."""
    fast, count = frames_of(chat_exchange(**more), reads, fast=True)
    assert (fast, count) == (frames_of(chat_exchange(**more), reads, fast=False)[0], taken)


HEARD = st.one_of(
    st.builds(
        lambda t, p: said(t, **p),
        TEXT,
        st.fixed_dictionaries({}, optional={"obfuscation": TEXT, "logprobs": st.lists(TOKEN, max_size=2)}),
    ),
    st.builds(thought, TEXT),
    st.builds(lambda t: thought(t, "reasoning_text.delta", "content_index"), TEXT),
    st.builds(argued, TEXT),
    st.builds(lambda t: event("custom_tool_call_input.delta", item_id="j", output_index=3, delta=t), TEXT),
    st.builds(lambda t: event("function_call_arguments.delta", item_id="j", output_index=3, delta=t), TEXT),
    st.sampled_from([CREATED, CALL_BEGINS, CUSTOM_BEGINS]),
    st.sampled_from(
        [
            event("output_text.done", item_id="a", output_index=0, content_index=0, text="xy"),
            event("output_item.done", output_index=0, item={"type": "message", "id": "a", "content": []}),
            event(
                "output_item.done",
                output_index=2,
                item={"type": "function_call", "id": "i", "call_id": "c", "name": "f"},
            ),
            event("function_call_arguments.done", item_id="i", output_index=2, arguments='{"a":1}'),
            event("custom_tool_call_input.done", item_id="j", output_index=3, input="x"),
            event("function_call_arguments.done", item_id="j", output_index=3, arguments="x"),
            event("reasoning_summary_text.done", item_id="r", output_index=1, summary_index=0),
            event("refusal.delta", item_id="a", output_index=0, content_index=1, delta="no"),
            said("?").replace(b"?", b"\xff"),
            said("?").replace(b"?", b"\\ud800"),
            b'data: {"type":"x","delta":"y","type":"response.output_text.delta","output_index":0}\n\n',
            b": ping\n\n",
            b"event: x\n",
            event("completed", response={"status": "completed", "output": []}),
        ]
    ),
)


def respelled(frame: bytes, ascii_: bool, sort: bool) -> bytes:
    """The same event, spelled in another way; what is not JSON stays as it is."""
    head, mark, body = frame.partition(b"data: ")
    try:
        value = json.loads(body)
    except ValueError:
        return frame
    return (
        head + mark + json.dumps(value, ensure_ascii=ascii_, sort_keys=sort).encode("utf-8", "surrogatepass") + b"\n\n"
    )


@given(
    st.lists(HEARD | st.builds(respelled, HEARD, st.booleans(), st.booleans()), max_size=14),
    st.lists(st.integers(1, 300), min_size=1, max_size=6) | st.none(),
)
def test_the_lane_equals_the_general_way_of_responses(events: list[bytes], sizes: list[int] | None) -> None:
    """Chunks, answers and losses are the same with the lane and without it."""
    whole = b"".join([said("a"), *events])
    reads = [said("a"), *events]
    if sizes is not None:
        marks = [0, *itertools.takewhile(lambda at: at < len(whole), itertools.accumulate(itertools.cycle(sizes)))]
        reads = [whole[a:b] for a, b in itertools.pairwise([*marks, len(whole)])]
    with_lane, without = chat_exchange(), chat_exchange()
    assert frames_of(with_lane, reads, fast=True)[0] == frames_of(without, reads, fast=False)[0]
    assert list(with_lane.report) == list(without.report)
