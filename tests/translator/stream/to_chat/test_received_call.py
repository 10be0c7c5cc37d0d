from typing import Any

import pytest

from diglot.translator.stream.to_chat.received_call import ReceivedCall, is_object

FUNCTION, CUSTOM = "function_call", "custom_tool_call"


def call(kind: str = FUNCTION, payload: str = "", **head: Any) -> ReceivedCall:
    made = ReceivedCall(kind)
    made.read_head(head)
    if payload:
        made.add(payload)
    return made


@pytest.mark.parametrize(
    ("kind", "field", "streams"),
    [(FUNCTION, "arguments", True), (CUSTOM, "input", True), ("shell_call", "arguments", False)],
)
def test_kinds_of_calls(kind: str, field: str, streams: bool) -> None:
    """A free-form tool has an input; what is no function and no free-form tool does not stream."""
    made = call(kind)
    assert (made.field, made.streams, made.free_form) == (field, streams, kind == CUSTOM)


def test_the_first_name_and_id_count() -> None:
    """A namespace is part of the name."""
    made = call(name="f", namespace="ns", call_id="c")
    made.read_head({"name": "g", "call_id": "d"})
    assert (made.name, made.call_id) == ("ns__f", "c")


@pytest.mark.parametrize(
    ("kind", "payload", "empty"),
    [(FUNCTION, "{}", True), (FUNCTION, " ", True), (FUNCTION, "[]", False), (CUSTOM, "", True), (CUSTOM, "{}", False)],
)
def test_what_stands_for_a_payload(kind: str, payload: str, empty: bool) -> None:
    """Servers send it when they have none."""
    made = call(kind)
    assert made.is_empty(payload) is empty
    made.announce_payload(payload)
    assert (made.early is None) is empty
    assert made.whole_payload(payload) == ("" if empty else payload)
    assert made.placeholder == (payload if empty else "")


def test_pieces_that_repeat_what_was_announced() -> None:
    """They wait until it is decided, and are sent once."""
    made = call(CUSTOM)
    made.announce_payload("ls")
    made.add("l")
    assert made.take_unsent() == []
    made.add("s -l")
    assert (made.take_unsent(), made.take_unsent()) == (["ls -l"], [])
    assert made.received_text() == b"ls -l"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (call(payload='{"a": 1}', name="f"), True),
        (call(payload='{"a":2}', name="f"), False),
        (call(payload='{"a":1}' + " " * 9, name="f"), False),
        (call(payload='{"a":1}', name="g"), False),
        (call(CUSTOM, '{"a":1}', name="f"), False),
    ],
)
def test_a_call_that_repeats_another(other: ReceivedCall, same: bool) -> None:
    """The name, the kind and the payload say it; how the payload is written does not."""
    assert call(payload='{"a":1}', name="f").repeats(other) is same
    assert call(payload="", name="f").repeats(call(name="f", payload="{"))
    assert not call(payload="[1]", name="f").repeats(call(name="f", payload="[2]"))


def test_a_call_that_is_held() -> None:
    """Its end came without a payload."""
    made = call()
    assert not made.is_held()
    made.finish()
    assert made.is_held()
    made.ignore()
    assert not made.is_held()


@pytest.mark.parametrize(("text", "expected"), [('{"a":1}\n', True), ("{", False), ("{a}", False), ("[{}]", False)])
def test_whole_objects(text: str, expected: bool) -> None:
    """Nothing can follow them."""
    assert is_object(text) is expected
