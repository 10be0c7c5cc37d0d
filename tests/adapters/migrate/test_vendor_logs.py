"""Log lines of other tools; the samples are written by hand from their documentation."""

import json
from typing import Any

import pytest

from diglot.adapters.migrate import LineError, Options, convert_line

HI = {"role": "user", "content": "Hi"}
ITEM = {"type": "message", "role": "user", "content": "Hi"}
TOLD = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yo"}]}
SAY: dict[str, Any] = {"id": "c", "model": "m", "choices": [{"message": {"content": "Yo"}, "finish_reason": "stop"}]}
DONE = {"object": "response", "model": "m", "status": "completed", "output": [TOLD]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}

LITELLM: dict[str, Any] = {
    "id": "chatcmpl-1",
    "trace_id": "t",
    "call_type": "acompletion",
    "model": "m",
    "messages": [HI],
    "model_parameters": {"temperature": 0.5},
    "response": SAY,
    "startTime": 1700000000.5,
    "response_cost": 0.1,
}
LANGFUSE: dict[str, Any] = {
    "id": "g",
    "type": "GENERATION",
    "model": "m",
    "startTime": "2024-01-01T00:00:00Z",
    "input": [HI],
    "output": {"role": "assistant", "content": "Yo"},
}
LANGSMITH: dict[str, Any] = {
    "id": "r",
    "run_type": "llm",
    "start_time": "2024-01-01T00:00:00",
    "inputs": {"messages": [HI]},
    "outputs": SAY,
    "extra": {"invocation_params": {"model": "m", "temperature": 0.5}, "runtime": {}},
}
HELICONE: dict[str, Any] = {
    "request_id": "h",
    "request_created_at": "2024-01-01T00:00:00Z",
    "request_path": "https://oai.helicone.ai/v1/chat/completions",
    "request_body": {"model": "m", "messages": [HI]},
    "response_body": SAY,
}


def made(line: dict[str, Any], to: Any = "responses") -> tuple[str, Any]:
    converted = convert_line(json.dumps(line), Options(to=to))
    return converted.shape, json.loads(converted.data)


def test_litellm() -> None:
    """The conversation is beside the settings; there and back."""
    name, line = made(LITELLM)
    assert (name, line["call_type"], line["messages"]) == ("litellm", "aresponses", [ITEM])
    assert (line["model_parameters"], line["response"]["output"][0]["type"]) == ({"temperature": 0.5}, "message")
    _, back = made(line, "chat")
    assert {**back, "response": None} == {**LITELLM, "response": None}
    assert made({**LITELLM, "response": None})[1]["response"] is None
    with pytest.raises(LineError, match="parameters"):
        made({**LITELLM, "model_parameters": 5})


def test_langfuse() -> None:
    """Messages become items, and a message the output."""
    name, line = made(LANGFUSE)
    assert (name, line["input"], line["output"][0]["content"][0]["text"]) == ("langfuse", [ITEM], "Yo")
    _, back = made(line, "chat")
    assert (back["input"], back["output"]["content"]) == ([HI], "Yo")


def test_langfuse_with_a_request() -> None:
    """Input and output may be whole bodies, and the output may be a text, or of the dialect already."""
    line = {**LANGFUSE, "model": None, "input": {"messages": [HI], "tools": [TOOL]}, "output": SAY}
    _, there = made(line)
    assert (there["input"]["tools"][0]["name"], there["output"]["object"]) == ("f", "response")
    assert made({**LANGFUSE, "input": [HI], "output": SAY})[1]["output"]["status"] == "completed"
    request = {"model": "m", "messages": [HI], "tools": [TOOL]}
    assert made({**LANGFUSE, "input": request, "output": SAY})[1]["input"]["model"] == "m"
    assert made({**LANGFUSE, "output": "Yo"})[1]["output"] == "Yo"
    assert made({**LANGFUSE, "input": "Hi", "output": [TOLD]})[1]["output"] == [TOLD]
    assert made(LANGFUSE, "chat")[1] == LANGFUSE


def test_langsmith() -> None:
    """The settings of the call are beside it; there and back."""
    name, line = made(LANGSMITH)
    assert (name, line["inputs"], line["extra"]["runtime"]) == ("langsmith", {"input": [ITEM]}, {})
    assert (line["extra"]["invocation_params"], line["outputs"]["status"]) == (
        {"model": "m", "temperature": 0.5},
        "completed",
    )
    assert made(line, "chat")[1]["inputs"] == {"messages": [HI]}
    assert made({**LANGSMITH, "extra": None, "outputs": None})[1]["outputs"] is None
    with pytest.raises(LineError, match="inputs"):
        made({**LANGSMITH, "inputs": 5})


def test_helicone() -> None:
    """Bodies and the path; bodies may be texts."""
    name, line = made(HELICONE)
    assert (name, line["request_path"]) == ("helicone", "https://oai.helicone.ai/v1/responses")
    assert (line["request_body"]["input"], line["response_body"]["status"]) == ([ITEM], "completed")
    texts = {name: json.dumps(HELICONE[name]) for name in ("request_body", "response_body")}
    _, line = made({**HELICONE, **texts})
    assert json.loads(line["response_body"])["created_at"] == 1704067200
