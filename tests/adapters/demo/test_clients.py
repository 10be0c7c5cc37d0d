"""The clients of the demo read what a server sends, and notice when it did not end well."""

from typing import Any

import pytest

from diglot.adapters.demo.clients import WEATHER, ChatClient, DemoClient, ResponsesClient


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def fragment(arguments: str, **head: Any) -> dict[str, Any]:
    name = {"name": "get_weather"} if head else {}
    return {"tool_calls": [{"index": 0, **head, "function": {**name, "arguments": arguments}}]}


CALL = {"type": "function_call", "call_id": "c", "name": "get_weather", "arguments": "{}"}
CALLED: dict[type[DemoClient], list[dict[str, Any]]] = {
    ResponsesClient: [{"type": "response.completed", "response": {"output": [CALL]}}],
    ChatClient: [
        chunk(role="assistant", content=None),
        chunk(**fragment("", id="c", type="function")),
        chunk(**fragment("{}")),
        chunk("tool_calls"),
    ],
}
SAID = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
TOLD: dict[type[DemoClient], list[dict[str, Any]]] = {
    ResponsesClient: [{"type": "response.completed", "response": {"output": [SAID]}}],
    ChatClient: [chunk(content="H"), chunk(content="i"), chunk("stop"), {"choices": [], "usage": {}}],
}
kinds = pytest.mark.parametrize("kind", [ResponsesClient, ChatClient])


@kinds
def test_a_call_is_run_and_its_result_goes_back(kind: type[DemoClient]) -> None:
    """The next request has the first one's words, the call and its result."""
    client = kind()
    request, answer = client.request(), client.read(CALLED[kind])
    assert [call["arguments"] for call in client.calls(answer)] == ["{}"]
    follow = client.follow(request, answer, WEATHER)
    (said,) = [follow[name] for name in ("input", "messages") if name in follow]
    assert WEATHER in str(said[-1])
    assert "c" in (said[-1].get("call_id"), said[-1].get("tool_call_id"))


@kinds
def test_a_text_is_read(kind: type[DemoClient]) -> None:
    """Without calls there is nothing to run."""
    client = kind()
    answer = client.read(TOLD[kind])
    assert (client.text(answer), client.calls(answer)) == ("Hi", [])


@kinds
def test_an_answer_that_did_not_end_is_none(kind: type[DemoClient]) -> None:
    """A cut stream says nothing."""
    client = kind()
    for events in ([], CALLED[kind][:-1], [chunk("length")] if kind is ChatClient else [{"type": "response.failed"}]):
        answer = client.read(events)
        assert (client.text(answer), client.calls(answer)) == ("", [])
