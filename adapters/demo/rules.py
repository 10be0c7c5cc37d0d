"""What the demo upstream refuses: it is as strict as OpenAI where translators make mistakes."""

from __future__ import annotations

from typing import Any

from ...translator import RequestError

_PARTS = {
    "user": {"text", "image_url", "input_audio", "file"},
    "assistant": {"text", "refusal"},
    "tool": {"text", "image_url"},
    "system": {"text"},
    "developer": {"text"},
}
_NOT_DONE = {"logprobs": (False,), "n": (1,), "audio": (), "functions": ()}
_CHOICES = ("none", "auto", "required")


def check(body: Any) -> None:
    """Raise RequestError unless *body* is a valid Chat Completions request."""
    if not isinstance(body, dict):
        raise RequestError("We could not parse the JSON body of your request.")
    if not isinstance(body.get("model"), str):
        raise RequestError("You must provide a model parameter.", "model")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RequestError("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise RequestError("'stream_options' is only allowed when 'stream' is enabled.", "stream_options")
    for name, harmless in _NOT_DONE.items():
        if body.get(name) not in (None, *harmless):
            raise RequestError(f"The demo does not support '{name}'.", name, "unsupported_parameter")
    _check_messages(messages)
    _check_tools(body)


def _check_messages(messages: list[Any]) -> None:
    open_calls: set[str] = set()
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        role = message.get("role") if isinstance(message, dict) else None
        if role not in _PARTS:
            raise RequestError(f"Invalid value: {role!r}.", f"{where}.role")
        if role == "tool":
            _close(open_calls, message.get("tool_call_id"), where)
        elif open_calls:
            raise _unanswered(open_calls, where)
        _check_content(role, message, f"{where}.content")
        open_calls |= _calls(message, where)
    if open_calls:
        raise _unanswered(open_calls, "messages")


def _close(open_calls: set[str], call_id: Any, where: str) -> None:
    if call_id not in open_calls:
        raise RequestError(
            "Messages with role 'tool' must answer a preceding message with 'tool_calls'.", f"{where}.tool_call_id"
        )
    open_calls.remove(call_id)


def _unanswered(open_calls: set[str], where: str) -> RequestError:
    ids = ", ".join(sorted(open_calls))
    return RequestError(
        f"An assistant message with 'tool_calls' must be followed by answers to each; missing: {ids}.", where
    )


def _check_content(role: str, message: dict[str, Any], where: str) -> None:
    content = message.get("content")
    if isinstance(content, str) or (content is None and role == "assistant" and message.get("tool_calls")):
        return
    if not isinstance(content, list) or not content:
        raise RequestError("Invalid content: a string or a list of parts is expected.", where, "invalid_type")
    for index, part in enumerate(content):
        if not isinstance(part, dict) or part.get("type") not in _PARTS[role]:
            raise RequestError("Invalid type of content part.", f"{where}[{index}].type")
        if part["type"] == "image_url" and not isinstance(part.get("image_url"), dict):
            raise RequestError("An object is expected.", f"{where}[{index}].image_url", "invalid_type")


def _calls(message: dict[str, Any], where: str) -> set[str]:
    calls = message.get("tool_calls")
    if calls is None:
        return set()
    if not isinstance(calls, list) or not calls:
        raise RequestError("Invalid 'tool_calls': empty array.", f"{where}.tool_calls", "empty_array")
    for index, call in enumerate(calls):
        function = call.get("function", {}) if isinstance(call, dict) else {}
        if not isinstance(function.get("arguments"), str) or not isinstance(call.get("id"), str):
            raise RequestError("A function call needs an id and arguments.", f"{where}.tool_calls[{index}]")
    return {call["id"] for call in calls}


def _check_tools(body: dict[str, Any]) -> None:
    tools, choice = body.get("tools"), body.get("tool_choice")
    if tools is None:
        if choice not in (None, "none"):
            raise RequestError("'tool_choice' is only allowed when 'tools' are specified.", "tool_choice")
        return
    if not isinstance(tools, list) or not tools:
        raise RequestError("Invalid 'tools': empty array.", "tools", "empty_array")
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise RequestError("Only functions with a name are supported.", f"tools[{index}]")
    names = {tool["function"]["name"] for tool in tools}
    if isinstance(choice, dict) and choice.get("function", {}).get("name") not in names:
        raise RequestError("There is no such tool.", "tool_choice")
    if not isinstance(choice, dict) and choice is not None and choice not in _CHOICES:
        raise RequestError("Invalid 'tool_choice'.", "tool_choice")
