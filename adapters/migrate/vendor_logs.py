"""Log lines of tools that watch calls, as their documentation has them."""

from __future__ import annotations

from typing import Any

from .conversion import Conversion
from .errors import LineError
from .paths import value_at, with_value
from .streams import stream_dialect

Line = dict[str, Any]

_CALL_TYPES = {
    "responses": {"completion": "responses", "acompletion": "aresponses"},
    "chat": {"responses": "completion", "aresponses": "acompletion"},
}

_LANGSMITH_STREAMS = ("outputs.output", "outputs.outputs")
"""Where a run has what was streamed: outputs that are no object are wrapped in one."""


def litellm(line: Line, conversion: Conversion) -> list[Line]:
    """Convert a standard logging payload: the conversation is beside the settings."""
    call_type = str(line.get("call_type"))
    place = "input" if call_type.endswith("responses") else "messages"
    settings = line.get("model_parameters") or {}
    if not isinstance(settings, dict):
        raise LineError("The parameters must be an object.", "model_parameters")
    made = conversion.request({**settings, "model": line.get("model"), place: line["messages"]})
    goal = "input" if "input" in made else "messages"
    kept = {name: value for name, value in made.items() if name not in (goal, "model")}
    request = {**line, "messages": made[goal], "model_parameters": kept}
    request["call_type"] = _CALL_TYPES[conversion.options.to].get(call_type, call_type)
    answers = conversion.answers(line["response"], made) if line.get("response") else [line.get("response")]
    return [{**request, "response": answer} for answer in answers]


def langfuse(line: Line, conversion: Conversion) -> list[Line]:
    """Convert a generation: its input is a list of messages or a request, its output a message or an answer."""
    made = conversion.request(_langfuse_request(line))
    bare = not isinstance(line["input"], dict)
    request = {**line, "input": made.get("input", made.get("messages")) if bare else made}
    return [{**request, "output": output} for output in _langfuse_outputs(line.get("output"), made, conversion)]


def _langfuse_request(line: Line) -> Line:
    body, model = line["input"], {"model": line.get("model")} if line.get("model") else {}
    if isinstance(body, dict):
        return {**model, **body}
    is_items = isinstance(body, list) and any(isinstance(one, dict) and "type" in one for one in body)
    return {**model, "input" if is_items or isinstance(body, str) else "messages": body}


def _langfuse_outputs(output: Any, request: Line, conversion: Conversion) -> list[Any]:
    if isinstance(output, dict) and output.get("role") == "assistant":
        reason = "tool_calls" if output.get("tool_calls") else "stop"
        completion = {"model": request.get("model"), "choices": [{"message": output, "finish_reason": reason}]}
        [made] = conversion.answers(completion, request)
        return [made.get("output", output)]
    if isinstance(output, list) and not stream_dialect(output):
        [made] = conversion.answers({"object": "response", "status": "completed", "output": output}, request)
        return [made["choices"][0]["message"] if "choices" in made else output]
    return conversion.answers(output, request) if isinstance(output, dict) or stream_dialect(output) else [output]


def langsmith(line: Line, conversion: Conversion) -> list[Line]:
    """Convert a run of a model: the settings of the call are in `extra`, as its invocation parameters."""
    inputs = line["inputs"]
    settings = value_at(line, "extra.invocation_params")
    known = settings if isinstance(settings, dict) else {}
    if not isinstance(inputs, dict):
        raise LineError("The inputs must be an object.", "inputs")
    made = conversion.request({**known, **inputs})
    goal = "input" if "input" in made else "messages"
    own = {*inputs, goal, "instructions"} - known.keys()
    request = {**line, "inputs": {name: value for name, value in made.items() if name in own}}
    if known:
        params = {name: value for name, value in made.items() if name not in own}
        request = with_value(request, "extra.invocation_params", params)
    place = next((place for place in _LANGSMITH_STREAMS if stream_dialect(value_at(line, place))), "outputs")
    answer = value_at(line, place)
    is_known = (isinstance(answer, dict) and answer) or stream_dialect(answer)
    answers = conversion.answers(answer, made) if is_known else [answer]
    return [with_value(request, place, answer) for answer in answers]


SHAPES: tuple[dict[str, Any], ...] = (
    {
        "name": "litellm",  # https://docs.litellm.ai/docs/proxy/logging_spec
        "about": "a standard logging payload of LiteLLM",
        "needs": ("call_type", "messages"),
        "created": "startTime",
        "convert": litellm,
    },
    {
        "name": "langfuse",  # https://langfuse.com/docs/api-and-data-platform/features/export-from-ui
        "about": "a generation of Langfuse",
        "needs": ("input",),
        "values": (("type", "GENERATION"),),
        "created": "startTime",
        "convert": langfuse,
    },
    {
        "name": "langsmith",  # https://docs.langchain.com/langsmith/run-data-format
        "about": "a run of LangSmith",
        "needs": ("inputs",),
        "values": (("run_type", "llm"),),
        "created": "start_time",
        "convert": langsmith,
    },
    {
        "name": "helicone",  # https://docs.helicone.ai/rest/request/post-v1requestquery
        "about": "a logged request of Helicone",
        "needs": ("request_id", "request_body"),
        "request": "request_body",
        "answer": "response_body",
        "id": "request_id",
        "created": "request_created_at",
        "url": "request_path",
    },
)
