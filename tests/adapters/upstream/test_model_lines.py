"""The name of the model in a stream that passes through."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.adapters.upstream.model_lines import ModelLines

CHUNK = b'data: {"id":"c","model":"real","choices":[{"delta":{"content":"\\"model\\":\\"real\\""}}]}\n\n'
NAMED = CHUNK.replace(b'"model":"real","ch', b'"model":"asked","ch')
EVENT = b'event: response.created\r\ndata: {"type":"response.created","response":{"model":"real","x":1}}\r\n\r\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CHUNK, NAMED),
        (EVENT, EVENT.replace(b"real", b"asked")),
        (b'data:{"model":"real"}\r\r', b'data: {"model":"asked"}\r\r'),
        (b'data: {"model":"asked",  "a":1}\n\n', b'data: {"model":"asked",  "a":1}\n\n'),
        (b'data: {"model":"real"}', b'data: {"model":"asked"}'),
        (b'data: {"model":null,"response":{"model":7}}\n', b'data: {"model":null,"response":{"model":7}}\n'),
        (b'data: {"metadata":{"model":"real"}}\n', b'data: {"metadata":{"model":"real"}}\n'),
        (b'data: ["model"]\n', b'data: ["model"]\n'),
        (b'data: {"model":"real"\n', b'data: {"model":"real"\n'),
        (b': "model"\ndata: [DONE]\n\n', b': "model"\ndata: [DONE]\n\n'),
    ],
)
def test_lines(before: bytes, after: bytes) -> None:
    """It stands in chunks and in the snapshots of events; nothing else is touched, however it is cut."""
    for size in (1, 3, len(before)):
        lines = ModelLines("asked", 1000)
        pieces = [lines.feed(before[i : i + size]) for i in range(0, len(before), size)]
        assert b"".join([*pieces, lines.finish()]) == after


@given(st.lists(st.sampled_from([CHUNK, EVENT, b": ping\n\n", b"x" * 300 + b"\n", b"\r", b"\n"])), st.integers(1, 400))
def test_cut_anywhere(parts: list[bytes], size: int) -> None:
    """The pieces make no difference, also with lines that are too long."""
    whole = b"".join(parts)
    at_once, lines = ModelLines("asked", 200), ModelLines("asked", 200)
    pieces = [lines.feed(whole[i : i + size]) for i in range(0, len(whole), size)]
    assert b"".join([*pieces, lines.finish()]) == at_once.feed(whole) + at_once.finish()


def test_a_line_that_is_too_long() -> None:
    """It goes through as it is, and the next one does not."""
    lines = ModelLines("asked", 50)
    long = b'data: {"model":"real","x":"' + b"y" * 60
    assert lines.feed(long) == long
    assert lines.feed(b"more") == b"more"
    assert lines.feed(b'"}\n' + b'data: {"model":"real"}\n') == b'"}\n' + b'data: {"model":"asked"}\n'


def test_long_lines_take_no_longer() -> None:
    """The time is that of the bytes, however they are cut."""
    began = time.perf_counter()
    lines = ModelLines("asked", 2**24)
    for _ in range(100_000):
        lines.feed(b"y" * 100)
    lines.feed(b"\n")
    assert time.perf_counter() - began < 5
