"""A filled template is the frame of the event with these values."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator.wire import sse
from diglot.translator.wire.json import encode
from diglot.translator.wire.template import HOLE, NUMBER, FrameTemplate


def template_of(event: dict[str, Any], frame: Any = sse.data) -> FrameTemplate:
    made = FrameTemplate.of(event, frame)
    assert made is not None
    return made


@given(st.text(), st.text(), st.integers(0), st.sampled_from([sse.data, sse.event, encode]))
def test_it_is_the_frame(text: str, other: str, number: int, frame: Any) -> None:
    """Whatever stands beside the holes, in any framing."""
    event = {"type": "x", "a": other, "n": NUMBER, "choices": [{"delta": {"b%d": HOLE}, "logprobs": HOLE}]}
    filled = template_of(event, frame).fill((number, encode(text), b"null", b""))
    choices = [{"delta": {"b%d": text}, "logprobs": None}]
    assert filled == frame({"type": "x", "a": other, "n": number, "choices": choices})


def test_more_members() -> None:
    """The last hole is behind the last member."""
    frame = template_of({"type": "x", "delta": HOLE}, sse.event).fill((b'"a"', b',"obfuscation":"zz"'))
    assert json.loads(frame.partition(b"data: ")[2]) == {"type": "x", "delta": "a", "obfuscation": "zz"}


@pytest.mark.parametrize("text", [HOLE, NUMBER, f"a {HOLE} b", str(HOLE[:1] + HOLE[1:])])
def test_texts_that_look_like_holes(text: str) -> None:
    """Then there is none."""
    assert FrameTemplate.of({"id": "".join(text), "delta": HOLE, "more": [text + ""]}, sse.data) is None or text is HOLE
