"""Calls and outputs over a whole history."""

from typing import Any

import pytest

from diglot.translator import RequestError
from diglot.translator.state import pairing

CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "x"}
SHELL = {"type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "action": {}}
CHAT_CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}, {"id": "c2"}, "?"]}
CHAT_OUTPUTS = [{"role": "tool", "tool_call_id": "c1", "content": "x"}, {"role": "tool", "tool_call_id": "c2"}]


@pytest.mark.parametrize(
    "items",
    [
        [CALL, OUTPUT],
        [OUTPUT, CALL],
        [SHELL, {"type": "local_shell_call_output", "id": "c1", "output": "x"}],
        [SHELL, {"type": "local_shell_call_output", "id": "lsh_1", "output": "x"}],
        [CHAT_CALL, *CHAT_OUTPUTS],
        [{"type": "tool_search_call", "execution": "server", "call_id": "c1"}],
        [{"type": "tool_search_output", "execution": "server", "call_id": "c1"}],
        [{"type": "function_call_output", "call_id": None, "name": "f", "output": "x"}],
        [{"type": "function_call"}, {"role": "user", "content": "x"}],
    ],
)
def test_pairs(items: list[dict[str, Any]]) -> None:
    """Nothing is missing; what has no id at all is judged elsewhere."""
    pairing.check(items)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([OUTPUT], "No tool call found for function call output with call_id c1."),
        ([CALL], "No tool output found for function call c1."),
        ([SHELL], "No tool output found for function call c1."),
        ([CHAT_CALL, CHAT_OUTPUTS[0]], "No tool output found for function call c2."),
        ([CHAT_OUTPUTS[0]], "No tool call found for function call output with call_id c1."),
        ([CALL, {**OUTPUT, "call_id": "c2"}], "No tool call found for function call output with call_id c2."),
    ],
)
def test_halves(items: list[dict[str, Any]], message: str) -> None:
    """The first output without a call, else the first call without an output."""
    with pytest.raises(RequestError) as caught:
        pairing.check(items)
    assert (str(caught.value), caught.value.param, caught.value.code) == (message, "input", None)


def test_incomplete_calls_count_only_if_they_are_answered() -> None:
    """Others are left out; whole calls and other items that are incomplete stay."""
    cut = {**CALL, "status": "incomplete"}
    text = {"type": "message", "role": "assistant", "status": "incomplete"}
    assert pairing.without_abandoned([text, cut, {**CALL, "call_id": "c2"}], []) == [text, {**CALL, "call_id": "c2"}]
    assert pairing.without_abandoned([text, cut], [OUTPUT]) == [text, cut]
    assert pairing.without_abandoned([text, CALL], []) == [text, CALL]
