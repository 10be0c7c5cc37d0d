"""The fast path gives what the general path gives, whatever a server sends and however it is cut."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_paths import TEXT, TOKEN, chat_exchange, cut_at, event, frames_of, said, thought

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
def test_what_the_fast_path_takes(reads: list[bytes], taken: int) -> None:
    """One more piece of what grew, and nothing else; the chunks are those of the general path."""
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
def test_the_fast_path_equals_the_general_path(events: list[bytes], sizes: list[int] | None) -> None:
    """Chunks, answers and losses are the same with the fast path and without it."""
    whole = b"".join([said("a"), *events])
    reads = [said("a"), *events]
    if sizes is not None:
        reads = cut_at(whole, sizes)
    with_path, without = chat_exchange(), chat_exchange()
    assert frames_of(with_path, reads, fast=True)[0] == frames_of(without, reads, fast=False)[0]
    assert list(with_path.report) == list(without.report)
