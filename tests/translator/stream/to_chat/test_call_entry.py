from diglot.translator.stream.growing import TextBuffer
from diglot.translator.stream.to_chat.call_entry import FunctionCallEntry, ToolCallEntry


def test_a_function() -> None:
    """The first delta names it, the others have its index only."""
    entry = ToolCallEntry(1, "f", "c", False, TextBuffer(b"{}"))
    head = {"id": "c", "type": "function"}
    assert entry.first_delta() == {"tool_calls": [{"index": 1, **head, "function": {"name": "f", "arguments": ""}}]}
    assert entry.delta("{}") == {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]}
    assert entry.whole() == {**head, "function": {"name": "f", "arguments": "{}"}}


def test_a_free_form_tool() -> None:
    """It has an input."""
    entry = ToolCallEntry(0, "f", "c", True, TextBuffer(b"x"))
    assert entry.delta("x") == {"tool_calls": [{"index": 0, "custom": {entry.field: "x"}}]}
    assert entry.whole() == {"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}


def test_the_older_form() -> None:
    """It has no id and no index."""
    entry = FunctionCallEntry("f", TextBuffer(b"{}"))
    assert entry.first_delta() == {"function_call": {"name": "f", "arguments": ""}}
    assert entry.delta("{}") == {"function_call": {entry.field: "{}"}}
    assert entry.whole() == {"name": "f", "arguments": "{}"}
