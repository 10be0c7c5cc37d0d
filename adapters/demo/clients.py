"""The clients of the demo: the same conversation with a tool call, in each of the two formats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

Body = dict[str, Any]

MODEL = "demo"
QUESTION = "What is the weather in Paris?"
WEATHER = "18 degrees and sunny"
_TOOL: Body = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


class DemoClient(ABC):
    """Sends a request, runs the tool that is called, and returns its result."""

    path = ""
    heads: tuple[str, str] = ("", "")
    """The titles of the two columns: what the client sends, and what the upstream gets."""

    @abstractmethod
    def request(self) -> Body:
        """Return the first request."""

    @abstractmethod
    def read(self, events: list[Body]) -> Body:
        """Return the answer that the events of a stream make; empty if it did not end well."""

    @abstractmethod
    def calls(self, answer: Body) -> list[Body]:
        """Return the calls of an answer; each has a `name` and `arguments`."""

    @abstractmethod
    def follow(self, request: Body, answer: Body, result: str) -> Body:
        """Return the request with the results of the calls of an answer."""

    @abstractmethod
    def text(self, answer: Body) -> str:
        """Return the text of an answer."""


class ResponsesClient(DemoClient):
    """A client of the Responses API."""

    path = "/v1/responses"
    heads: tuple[str, str] = ("RESPONSES (what the client speaks)", "CHAT COMPLETIONS (what the upstream speaks)")

    def request(self) -> Body:
        return {
            "model": MODEL,
            "stream": True,
            "instructions": "Be brief.",
            "input": [{"role": "user", "content": QUESTION}],
            "tools": [{"type": "function", **_TOOL}],
            "truncation": "auto",
        }

    def read(self, events: list[Body]) -> Body:
        return events[-1]["response"] if events and events[-1]["type"] == "response.completed" else {}

    def calls(self, answer: Body) -> list[Body]:
        return [item for item in answer.get("output", ()) if item["type"] == "function_call"]

    def follow(self, request: Body, answer: Body, result: str) -> Body:
        kind = "function_call_output"
        results = [{"type": kind, "call_id": call["call_id"], "output": result} for call in self.calls(answer)]
        return {**request, "input": [*request["input"], *answer.get("output", ()), *results]}

    def text(self, answer: Body) -> str:
        messages = [item for item in answer.get("output", ()) if item["type"] == "message"]
        return "".join(part["text"] for message in messages for part in message["content"])


class ChatClient(DemoClient):
    """A client of Chat Completions."""

    path = "/v1/chat/completions"
    heads: tuple[str, str] = ("CHAT COMPLETIONS (what the client speaks)", "RESPONSES (what the upstream speaks)")

    def request(self) -> Body:
        return {
            "model": MODEL,
            "stream": True,
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}],
            "tools": [{"type": "function", "function": _TOOL}],
            "seed": 1,
        }

    def read(self, events: list[Body]) -> Body:
        choices = [choice for event in events for choice in event.get("choices", ())]
        if not choices or choices[-1]["finish_reason"] not in ("stop", "tool_calls"):
            return {}
        deltas = [choice["delta"] for choice in choices]
        calls: list[Body] = []
        for fragment in (fragment for delta in deltas for fragment in delta.get("tool_calls", ())):
            if "id" in fragment:
                calls.append({name: fragment[name] for name in ("id", "type", "function")})
            else:
                calls[fragment["index"]]["function"]["arguments"] += fragment["function"]["arguments"]
        message: Body = {"role": "assistant", "content": "".join(delta.get("content") or "" for delta in deltas)}
        return {**message, "tool_calls": calls} if calls else message

    def calls(self, answer: Body) -> list[Body]:
        return [call["function"] for call in answer.get("tool_calls", ())]

    def follow(self, request: Body, answer: Body, result: str) -> Body:
        results = [{"role": "tool", "tool_call_id": c["id"], "content": result} for c in answer.get("tool_calls", ())]
        return {**request, "messages": [*request["messages"], answer, *results]}

    def text(self, answer: Body) -> str:
        return answer.get("content", "")
