"""Shapes for training: conversations without a model, and pairs of which one answer is preferred."""

from __future__ import annotations

from typing import Any

from ...translator import encode_json
from .conversion import Conversion, decoded, kind_of
from .errors import LineError

Line = dict[str, Any]
Message = dict[str, Any]

_ROLES = {
    **dict.fromkeys(("human", "user"), "user"),
    **dict.fromkeys(("gpt", "assistant", "model", "chatgpt", "bing", "bard"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("tool", "observation", "function_response", "ipython"), "tool"),
}
_CALL = ("function_call", "tool_call")


def fine_tuning(line: Line, conversion: Conversion) -> list[Line]:
    """Convert a conversation, with its tools; a request with its answer, or items with their output, become one."""
    request, answer = line.get("request"), line.get("response", line.get("answer"))
    if isinstance(request, dict) and isinstance(answer, (dict, list, str)):
        answers = conversion.finished(answer)
        conversion.note_choices(len(answers))
        return [made for each in answers for made in fine_tuning(_joined(request, each), conversion)]
    line = without_nulls(line)
    if "messages" in line:
        return [conversion.request(line)]
    if conversion.options.to == "responses":
        return [line]
    body = {name: value for name, value in line.items() if name != "output"}
    items = [*_items(line.get("input")), *_items(line.get("output") or [])]
    end = _end_of_input(items)
    made = conversion.request({**body, "input": items[:end]}) if end else {**body, "messages": []}
    made.pop("input", None)
    if end < len(items):
        made["messages"] = [*made["messages"], _last_message(items[end:], made if end else None, conversion)]
    return [made]


def _joined(request: Line, answer: Any) -> Line:
    """Return a request and its finished answer as one conversation."""
    if kind_of(answer) == ("responses", "answer"):
        return {**_settings(request), "output": answer.get("output")}
    return {**_settings(request), "messages": _with_completion(request, answer)}


def _end_of_input(items: list[Any]) -> int:
    """Return where the model's last turn begins: calls in it have no outputs, so it is read as an answer."""
    end = len(items)
    while end and isinstance(item := items[end - 1], dict) and _is_of_model(item):
        end -= 1
    return end


def _is_of_model(item: Line) -> bool:
    kind = item.get("type")
    return item.get("role") == "assistant" or kind == "reasoning" or (isinstance(kind, str) and kind.endswith("_call"))


def _last_message(items: list[Any], request: Any, conversion: Conversion) -> Message:
    finished = {"object": "response", "status": "completed", "output": items}
    [completion] = conversion.answers(finished, request)
    message = completion["choices"][0]["message"]
    return {name: value for name, value in message.items() if value is not None or name == "content"}


def _settings(request: Line) -> Line:
    """Return what a training example has of a request: the conversation and the tools."""
    kept = ("messages", "input", "instructions", "tools", "parallel_tool_calls")
    return {name: request[name] for name in kept if request.get(name) is not None}


def _with_completion(request: Line, completion: Any) -> list[Any]:
    choices = completion.get("choices") if isinstance(completion, dict) else None
    message = (
        choices[0].get("message") if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    )
    messages = request.get("messages")
    if not isinstance(message, dict) or not isinstance(messages, list):
        raise LineError("An exchange needs the messages of its request and the message of its answer.")
    return [*messages, {"role": "assistant", **message}]


def _items(text_or_items: Any) -> list[Any]:
    if isinstance(text_or_items, str):
        return [{"type": "message", "role": "user", "content": text_or_items}]
    if not isinstance(text_or_items, list):
        raise LineError("The input must be a text or a list of items.", "input")
    return text_or_items


def preference(line: Line, conversion: Conversion) -> list[Line]:
    """Convert a pair of which one answer is preferred: its input, and both outputs."""
    made = {**line, "input": conversion.request(without_nulls(line["input"]))}
    for name in ("preferred_output", "non_preferred_output"):
        made[name] = _turns(line[name], name, conversion)
    return [made]


def _turns(turns: Any, path: str, conversion: Conversion) -> Any:
    if not isinstance(turns, list):
        raise LineError("An output must be a list.", path)
    is_chat = all(isinstance(turn, dict) and "type" not in turn for turn in turns)
    body = {"messages" if is_chat else "input": [without_nulls(turn) for turn in turns]}
    made = conversion.request(body)
    return made["input"] if "input" in made else made["messages"]


def sharegpt(line: Line, conversion: Conversion) -> list[Line]:
    """Convert `from` and `value`, with tools as a JSON text beside them; the rest of the line stays."""
    turns = line["conversations"]
    if not isinstance(turns, list):
        raise LineError("The conversations must be a list.", "conversations")
    system = line.get("system")
    first = [{"role": "system", "content": system}] if isinstance(system, str) and system else []
    body: Line = {"messages": [*first, *_messages(turns)]}
    if tools := line.get("tools"):
        listed: Any = decoded(tools) if isinstance(tools, str) else tools
        body["tools"] = [_tool(tool) for tool in listed] if isinstance(listed, list) else listed
    rest = {name: value for name, value in line.items() if name not in ("conversations", "system", "tools")}
    made = conversion.request(body) if conversion.options.to == "responses" else body
    return [{**rest, **made}]


def _tool(tool: Any) -> Any:
    return {"type": "function", "function": tool} if isinstance(tool, dict) and "type" not in tool else tool


def _messages(turns: list[Any]) -> list[Message]:
    """Return the messages; calls and their results have no ids there, so they are counted."""
    messages: list[Message] = []
    for i, turn in enumerate(turns):
        speaker, value = (turn.get("from"), turn.get("value")) if isinstance(turn, dict) else (None, None)
        role = _ROLES.get(str(speaker).lower())
        if speaker in _CALL:
            messages.append({"role": "assistant", "content": None, "tool_calls": _calls(value)})
        elif role is None:
            raise LineError(f"'{speaker}' is no speaker that is known.", f"conversations[{i}].from")
        else:
            messages.append({"role": role, "content": value})
    return with_call_ids(messages)


def _calls(value: Any) -> list[Message]:
    calls: Any = decoded(value) if isinstance(value, str) else value
    return [{"type": "function", "function": call} for call in (calls if isinstance(calls, list) else [calls])]


def without_nulls(line: Any) -> Any:
    """Return a conversation in which nothing is null, arguments are texts, and every call has an id.

    Tables have every field in every row, and arguments may be objects in them.
    """
    if not isinstance(line, dict):
        return line
    line = {name: value for name, value in line.items() if value is not None}
    messages = line.get("messages")
    if isinstance(messages, list):
        line["messages"] = with_call_ids([_message(message) for message in messages])
    return line


def _message(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    made: Message = {name: value for name, value in message.items() if value is not None or name == "content"}
    if isinstance(made.get("content"), list):
        made["content"] = [_present(part) for part in made["content"]]
    if isinstance(made.get("tool_calls"), list):
        made["tool_calls"] = [_present(call) for call in made["tool_calls"]]
        if not made["tool_calls"]:
            del made["tool_calls"]
    return made


def _present(value: Any) -> Any:
    return {name: inner for name, inner in value.items() if inner is not None} if isinstance(value, dict) else value


def with_call_ids(messages: list[Any]) -> list[Any]:
    """Return messages in which calls have ids and texts as arguments; results without an id answer them in order."""
    made: list[Any] = []
    waiting: list[str] = []
    count = 0
    for message in messages:
        if not isinstance(message, dict):
            made.append(message)
            continue
        message = {**message}
        calls: Any = message.get("tool_calls")
        if isinstance(calls, list):
            message["tool_calls"] = [_call(call, f"call_{count + i}") for i, call in enumerate(calls)]
            count += len(calls)
            waiting += [call["id"] for call in message["tool_calls"]]
        elif message.get("role") == "tool":
            own = message.setdefault("tool_call_id", waiting[0] if waiting else "call_unknown")
            waiting = [one for one in waiting if one != own]
        made.append(message)
    return made


def _call(call: Any, own_id: str) -> Message:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or ("custom" not in call and not isinstance(function, dict)):
        raise LineError("A call must be an object with a function.", "messages[*].tool_calls")
    made: Message = {"type": "function", **call, "id": call.get("id") or own_id}
    if isinstance(function, dict) and not isinstance(function.get("arguments"), str):
        arguments = function.get("arguments")
        made["function"] = {**function, "arguments": encode_json({} if arguments is None else arguments).decode()}
    return made


SHAPES: tuple[dict[str, Any], ...] = (
    {
        "name": "fine-tuning",
        "about": "messages and tools for training, without a model; a preferred answer and another; an exchange as one",
        "needs": ("input", "preferred_output", "non_preferred_output"),
        "convert": preference,
    },
    {"name": "fine-tuning", "about": "", "needs": ("messages",), "lacks": ("model",), "convert": fine_tuning},
    {
        "name": "fine-tuning",
        "about": "",
        "needs": ("input", "output"),
        "lacks": ("object", "type", "run_type"),
        "convert": fine_tuning,
    },
    {
        "name": "conversations",
        "about": "`from` and `value` (ShareGPT)",
        "needs": ("conversations",),
        "convert": sharegpt,
    },
)
EXCHANGES: tuple[dict[str, Any], ...] = (
    {"name": "fine-tuning", "about": "", "needs": ("request", "response"), "convert": fine_tuning},
    {"name": "fine-tuning", "about": "", "needs": ("request", "answer"), "convert": fine_tuning},
)
"""With `--shape fine-tuning`, pairs become conversations."""
