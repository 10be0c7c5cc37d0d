"""THE TABLES: what becomes of every top-level field of a request, and of every field of an answer.

The rows are read by the converters, the loss report, the strict refusal and FIELDS.md: to change what happens to a
field, change its row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .mapping import (
    Row,
    by_code,
    chat_only,
    compile_rules,
    hint,
    kept,
    moved,
    passed,
    refused,
    responses_only,
    same,
    without,
)
from .parts import formats, reasoning, tools
from .wire import shape

_STATE = "answers are not stored here"

REQUEST: list[Row] = [
    *same("model", "stream", "temperature", "top_p"),
    hint("presence_penalty", None, 0),
    hint("frequency_penalty", None, 0),
    *same("user", "safety_identifier", "moderation", "prompt_cache_key", "prompt_cache_retention"),
    *same("prompt_cache_options.mode"),
    moved("prompt_cache_options.ttl", "prompt_cache_options.ttl", without("12h", "chat requests know no such time")),
    hint("service_tier", without("ultrafast", "chat requests know no such tier"), "auto", "default"),
    moved("max_output_tokens", "max_completion_tokens"),
    moved("reasoning.effort", "reasoning_effort", reasoning.effort_to_chat),
    moved("text.format", "response_format", formats.to_chat, "a JSON schema is nested one level deeper"),
    moved("text.verbosity", "verbosity", None, "", "medium"),
    by_code("input", "messages", "items become messages, one per turn, outputs behind their calls"),
    by_code("instructions", "messages", "the first system message"),
    by_code("tools", "tools", "functions; free-form, namespaced and client-run tools as functions too"),
    by_code("tool_choice", "tool_choice", "under the tools' chat names"),
    by_code("parallel_tool_calls", "parallel_tool_calls", "sent when there are tools"),
    by_code("include", "logprobs", "logprobs are asked for; encrypted reasoning is an envelope of our own"),
    by_code("top_logprobs", "top_logprobs", "sent together with logprobs"),
    by_code("reasoning.summary", None, "the upstream's reasoning text stands in for a summary"),
    by_code("reasoning.generate_summary", None, "the older name of reasoning.summary"),
    by_code("reasoning.context", None, "decides which earlier reasoning goes back"),
    by_code("max_tool_calls", None, "limits tools that the server runs; here it runs none"),
    kept("store", "taken, but nothing is stored, and the answer says so", False),
    kept("metadata", "repeated in the answer, not sent to the upstream", {}),
    responses_only("truncation", "nothing is cut on its own", "disabled"),
    responses_only("context_management", "nothing is compacted on its own", []),
    responses_only("client_metadata", "chat requests have no place for what a client says of itself", {}),
    responses_only("stream_options.include_obfuscation", "events are not padded", False),
    responses_only("prompt_cache_options.prewarm", "there is no cache to warm", False),
    responses_only("prompt_cache_options.comparison_response_id", "caches are not compared"),
    refused("previous_response_id", _STATE + "; send the whole conversation in 'input'"),
    refused("conversation", _STATE + "; send the whole conversation in 'input'"),
    refused("background", _STATE + ", so an answer has to be waited for", False),
    refused("prompt", "there are no prompt templates here; send 'instructions' and 'input'"),
    refused("reasoning.mode", "chat upstreams have one mode", "standard"),
    refused("image.context_compression", "images are not compressed", "auto", "disabled"),
    refused("access_programs.cyber", "there are no access programs", "standard"),
    *passed("stop", "seed", "logit_bias", "prediction", "web_search_options"),
    chat_only("messages", "Responses requests say 'input'"),
    chat_only("max_tokens", "Responses requests say 'max_output_tokens'"),
    chat_only("max_completion_tokens", "Responses requests say 'max_output_tokens'"),
    chat_only("response_format", "Responses requests say 'text.format'"),
    chat_only("reasoning_effort", "Responses requests say 'reasoning.effort'"),
    chat_only("verbosity", "Responses requests say 'text.verbosity'"),
    chat_only("logprobs", "Responses requests say so in 'include'"),
    chat_only("functions", "Responses requests say 'tools'"),
    chat_only("function_call", "Responses requests say 'tool_choice'"),
    chat_only("n", "a Response is one answer", 1),
    chat_only("modalities", "a Response is text", ["text"]),
    chat_only("audio", "a Response is text"),
]

TO_CHAT = compile_rules(REQUEST)


class Answer(NamedTuple):
    """One field of the Response object."""

    name: str
    default: Any
    source: str  # "request": repeats it; "upstream": from the answer; "here": made here
    why: str = ""


ANSWER: list[Answer] = [
    Answer("id", None, "here", "an id of its own"),
    Answer("object", "response", "here"),
    Answer("created_at", None, "upstream", "`created`, in whole seconds"),
    Answer("completed_at", None, "here", "when it completed"),
    Answer("status", "in_progress", "upstream", "from `finish_reason`"),
    Answer("incomplete_details", None, "upstream", "from `finish_reason`"),
    Answer("error", None, "upstream", "an error object, or a stream that was cut"),
    Answer("model", None, "upstream"),
    Answer("output", [], "upstream", "reasoning, message and calls of the first choice"),
    Answer("usage", None, "upstream", "null when the upstream does not say"),
    Answer("service_tier", "default", "upstream"),
    Answer("previous_response_id", None, "here", _STATE),
    Answer("store", False, "here", _STATE),
    Answer("background", False, "here", _STATE),
    Answer("instructions", None, "request"),
    Answer("metadata", {}, "request"),
    Answer("parallel_tool_calls", True, "request"),
    Answer("temperature", 1.0, "request"),
    Answer("top_p", 1.0, "request"),
    Answer("presence_penalty", 0, "request"),
    Answer("frequency_penalty", 0, "request"),
    Answer("top_logprobs", 0, "request"),
    Answer("tools", [], "request"),
    Answer("tool_choice", "auto", "request"),
    Answer("text", {"format": {"type": "text"}}, "request"),
    Answer("reasoning", {"effort": None, "summary": None}, "request"),
    Answer("truncation", "disabled", "here"),
    Answer("max_output_tokens", None, "request"),
    Answer("max_tool_calls", None, "request"),
    Answer("safety_identifier", None, "request"),
    Answer("prompt_cache_key", None, "request"),
]

_NESTED = ("text", "reasoning")


def blank_answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the Response object for *request* before anything is known of its answer: all 31 fields, in order."""
    answer: dict[str, Any] = {}
    for field in ANSWER:
        given = request.get(field.name) if field.source == "request" else None
        default: Any = _fresh(field.default)
        if given is not None and field.name in _NESTED:
            given = {**default, **shape.mapping(given, field.name)}
        answer[field.name] = default if given is None else given
    answer["tools"] = tools.echo(answer["tools"])
    if request.get("user") is not None:
        answer["user"] = request["user"]
    return answer


def _fresh(default: Any) -> Any:
    """A default of this answer's own: answers belong to the caller."""
    if isinstance(default, dict):
        return {name: _fresh(value) for name, value in default.items()}
    return [] if default == [] else default


_LEGEND = {
    "lost": "**lost**: ",
    "refused": "**refused**: ",
    "kept": "kept here: ",
    "by code": "",
    "carried": "",
}


def as_markdown() -> Iterator[str]:
    """Yield the lines of FIELDS.md; a test compares."""
    yield "# What becomes of every field"
    yield ""
    yield "Generated from `fields.py` (`diglot fields`). **Lost** fields are reported, and refused with `strict`;"
    yield "**refused** fields get a 400 always, because leaving them out would be a lie. Values that say no more than"
    yield "leaving the field out are neither. Fields that no table has go to the upstream as they are, or are reported"
    yield "(`unknown`). Ids, states, annotations and log-probabilities of earlier items say nothing to a model:"
    yield "they stay behind unreported."
    yield ""
    yield "## Request: Responses to Chat Completions"
    yield ""
    yield "| Responses | Chat Completions | |"
    yield "| --- | --- | --- |"
    for row in REQUEST:
        how = _LEGEND[row.how] + (row.why or "as it is")
        yield f"| {_code(row.responses)} | {_code(row.chat)} | {how} |"
    yield ""
    yield "## Answer: the Response object"
    yield ""
    yield "| Field | From | |"
    yield "| --- | --- | --- |"
    for field in ANSWER:
        default = "" if field.default is None else f"default `{field.default}`"
        yield f"| `{field.name}` | {field.source} | {'; '.join(filter(None, (field.why, default)))} |"


def _code(name: str | None) -> str:
    return f"`{name}`" if name else ""
