"""Chat requests to the embedded upstream, for the tests of it."""

from typing import Any

USER = {"role": "user", "content": "What is the weather in Paris?"}
ASK: dict[str, Any] = {"model": "m", "messages": [USER]}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 3}, "unit": {"enum": ["C", "F"]}},
    "required": ["city", "days", "unit"],
}


def tool(name: str, parameters: Any = SCHEMA) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
LOOP = [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}, RESULT]
