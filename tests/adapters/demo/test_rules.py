"""What the embedded upstream refuses."""

from typing import Any

import pytest

from diglot.adapters.demo import rules
from diglot.translator import RequestError

from demo_requests import ASK, LOOP, RESULT, USER, tool


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"model": 1}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": ["x"]}, "messages[0].role"),
        ({"messages": [{"role": "bogus"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "x"}]}]}, "messages[0].content[0].type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "u"}]}]},
            "messages[0].content[0].image_url",
        ),
        ({"messages": [RESULT]}, "messages[0].tool_call_id"),
        ({"messages": LOOP[:2]}, "messages"),
        ({"messages": [*LOOP[:2], USER]}, "messages[2]"),
        ({"messages": [{"role": "assistant", "content": "", "tool_calls": []}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "assistant", "content": "", "tool_calls": [{}]}]}, "messages[0].tool_calls[0]"),
        ({"tools": []}, "tools"),
        ({"tools": [{}]}, "tools[0]"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tools": [tool("a")], "tool_choice": "b"}, "tool_choice"),
        ({"tools": [tool("a")], "tool_choice": {"type": "function", "function": {"name": "b"}}}, "tool_choice"),
        ({"stream_options": {}}, "stream_options"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
    ],
)
def test_refusals(more: Any, param: str) -> None:
    """It is as strict as the real thing, and says where."""
    with pytest.raises(RequestError) as caught:
        rules.check({**ASK, **more})
    assert caught.value.param == param
