"""THE TABLES: what becomes of every top-level field of a request, and of every field of an answer.

The rows are read by the converters, the loss report, the strict refusal and FIELDS.md: to change what happens to a
field, change its row.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .mapping import (
    HANDED_ON,
    Row,
    Way,
    by_code,
    compile_rules,
    extra,
    hint,
    live,
    lost,
    moved,
    noted,
    refused,
    responses_only,
    same,
    ways,
    without,
)
from .parts import formats, limits, reasoning, tools
from .wire import validate

_STATE = "answers are not stored here"
_CARRIED = Way("carried")
_BY_CODE = "by code"
_RESPONSES_WORD = "the word of Responses, from clients that mix both"
_IN_ANSWERS = "only an answer could show it, and only a live exchange makes one"

REQUEST: list[Row] = [
    *same("model", "stream", "temperature", "top_p"),
    *same("user", "safety_identifier", "moderation", "prompt_cache_key", "prompt_cache_retention"),
    *same("prompt_cache_options.mode"),
    ways("prompt_cache_options.ttl", Way("carried", "", without("12h", "chat requests know no such time")), _CARRIED),
    hint("service_tier", without("ultrafast", "chat requests know no such tier"), "auto", "default"),
    moved("max_output_tokens", "max_completion_tokens", limits.to_chat, limits.to_responses),
    Row("max_output_tokens", "max_tokens", None, Way("carried", "the older name", limits.to_responses)),
    Row("max_output_tokens", "max_output_tokens", None, Way("carried", _RESPONSES_WORD, limits.to_responses)),
    moved("reasoning.effort", "reasoning_effort", reasoning.effort, reasoning.effort),
    Row("reasoning.effort", "reasoning.effort", None, Way("carried", "as some gateways spell it", reasoning.effort)),
    moved(
        "text.format", "response_format", formats.to_chat, formats.to_responses, "chat nests a schema one level deeper"
    ),
    moved("text.verbosity", "verbosity", None, None, "", "medium"),
    Row("text.format", "text.format", None, Way("carried", _RESPONSES_WORD, formats.to_responses)),
    Row("text.verbosity", "text.verbosity", None, Way("carried", _RESPONSES_WORD, None, (None, "medium"))),
    by_code("input", "messages", "items become messages, one per turn, outputs behind their calls", "as items"),
    by_code("input", "input", "", "where there are no `messages`: items as they are (Cursor)"),
    by_code("instructions", "messages", "the first system message", ""),
    by_code("instructions", "instructions", "", _RESPONSES_WORD, "input"),
    by_code("tools", "tools", "functions; free-form, namespaced and client-run tools as functions too", "flattened"),
    by_code("tools", "functions", "", "tools, answered as `function_call`"),
    by_code("tools", "web_search_options", "", "a web search tool; the model decides whether to search"),
    Row(None, "web_search_options", HANDED_ON, None),
    by_code("tool_choice", "tool_choice", "under the tools' chat names", "flattened", "tool_choice", "tools"),
    by_code("tool_choice", "function_call", "", "as a choice; one call at most", "tool_choice", "tools"),
    Row(
        "parallel_tool_calls",
        "parallel_tool_calls",
        *[Way(_BY_CODE, "sent when there are tools", needs=("parallel_tool_calls", "tools"))] * 2,
    ),
    Row(
        "include",
        "include",
        Way(_BY_CODE, "log-probabilities are asked for; encrypted reasoning is an envelope, live", needs=("logprobs",)),
        Way(_BY_CODE, "as it is", needs=("include",)),
    ),
    by_code("include", "logprobs", "", "asked for in `include`"),
    Row(
        "top_logprobs",
        "top_logprobs",
        Way(_BY_CODE, "sent together with logprobs", needs=("top_logprobs", "logprobs")),
        Way(_BY_CODE, "only together with logprobs", needs=("top_logprobs", "include")),
    ),
    noted("reasoning.summary", "the upstream's reasoning text stands in for a summary", _IN_ANSWERS),
    noted("reasoning.generate_summary", "the older name of reasoning.summary", _IN_ANSWERS),
    noted("reasoning.context", "decides which earlier reasoning goes back"),
    noted("max_tool_calls", "limits tools that the server runs; here it runs none"),
    ways(
        "store",
        lost("taken, but nothing is stored, and the answer says so", False),
        Way(_BY_CODE, "false unless said", needs=("store",)),
    ),
    ways(
        "metadata",
        live(
            "repeated in the answer, not sent to the upstream",
            "it is not for the upstream, and only a live exchange repeats it in the answer",
            {},
        ),
        _CARRIED,
    ),
    ways("stream_options.include_obfuscation", lost("events are not padded", False), _CARRIED),
    ways(
        "stream_options.include_usage",
        lost("usage always comes", True, False),
        live(
            "usage always comes; it is shown when asked for",
            "Responses have no such option: only a live exchange shows usage, or leaves it out",
            False,
        ),
    ),
    responses_only("truncation", "nothing is cut on its own", "disabled"),
    responses_only("context_management", "nothing is compacted on its own", []),
    responses_only("client_metadata", "chat requests have no place for what a client says of itself", {}),
    responses_only("prompt_cache_options.prewarm", "there is no cache to warm", False),
    responses_only("prompt_cache_options.comparison_response_id", "caches are not compared"),
    ways(
        "background",
        refused(_STATE + ", so an answer has to be waited for", False),
        refused("a chat answer has to be waited for", False),
    ),
    ways("previous_response_id", refused(_STATE + "; send the whole conversation in 'input'"), HANDED_ON),
    ways("conversation", refused(_STATE + "; send the whole conversation in 'input'"), HANDED_ON),
    ways("prompt", refused("there are no prompt templates here; send 'instructions' and 'input'"), HANDED_ON),
    ways("reasoning.mode", refused("chat upstreams have one mode", "standard"), HANDED_ON),
    ways("image.context_compression", refused("images are not compressed", "auto", "disabled"), HANDED_ON),
    ways("access_programs.cyber", refused("there are no access programs", "standard"), HANDED_ON),
    extra("presence_penalty", lost("there are no penalties", 0)),
    extra("frequency_penalty", lost("there are no penalties", 0)),
    extra("seed", lost("there is no seed")),
    extra("prediction", lost("nothing is predicted")),
    extra("logit_bias", refused("tokens cannot be favoured or forbidden", {})),
    ways(
        "stop",
        HANDED_ON,
        live(
            "the text is cut here; what the model writes behind it is billed until it ends",
            "Responses have no stop sequences: only a live exchange looks for them",
            (),
            shape=limits.stops,
        ),
    ),
    ways(
        "n",
        lost("a Response is one answer", 1),
        live(
            "so many requests are sent; the prompt is billed for each",
            "a Response is one answer: only a live exchange sends several requests",
            1,
            shape=limits.copies,
        ),
    ),
    ways("modalities", lost("a Response is text", ["text"]), refused("a Response is text", ["text"])),
    ways("audio", lost("a Response is text"), lost("a Response is text")),
]

TO_CHAT = compile_rules(REQUEST, "chat")
TO_RESPONSES = compile_rules(REQUEST, "responses")


class AnswerField(NamedTuple):
    """One field of an answer."""

    name: str
    default: Any
    source: str  # "request": repeats it; "upstream": from the answer; "here": made here
    why: str = ""


ANSWER: list[AnswerField] = [
    AnswerField("id", None, "here", "an id of its own"),
    AnswerField("object", "response", "here"),
    AnswerField("created_at", None, "upstream", "`created`, in whole seconds"),
    AnswerField("completed_at", None, "here", "when it completed"),
    AnswerField("status", "in_progress", "upstream", "from `finish_reason`"),
    AnswerField("incomplete_details", None, "upstream", "from `finish_reason`"),
    AnswerField("error", None, "upstream", "an error object, or a stream that was cut"),
    AnswerField("model", None, "upstream"),
    AnswerField("output", [], "upstream", "reasoning, message and calls of the first choice"),
    AnswerField("usage", None, "upstream", "null when the upstream does not say"),
    AnswerField("service_tier", "default", "upstream"),
    AnswerField("previous_response_id", None, "here", _STATE),
    AnswerField("store", False, "here", _STATE),
    AnswerField("background", False, "here", _STATE),
    AnswerField("instructions", None, "request"),
    AnswerField("metadata", {}, "request"),
    AnswerField("parallel_tool_calls", True, "request"),
    AnswerField("temperature", 1.0, "request"),
    AnswerField("top_p", 1.0, "request"),
    AnswerField("presence_penalty", 0, "request"),
    AnswerField("frequency_penalty", 0, "request"),
    AnswerField("top_logprobs", 0, "request"),
    AnswerField("tools", [], "request"),
    AnswerField("tool_choice", "auto", "request"),
    AnswerField("text", {"format": {"type": "text"}}, "request"),
    AnswerField("reasoning", {"effort": None, "summary": None}, "request"),
    AnswerField("truncation", "disabled", "here"),
    AnswerField("max_output_tokens", None, "request"),
    AnswerField("max_tool_calls", None, "request"),
    AnswerField("safety_identifier", None, "request"),
    AnswerField("prompt_cache_key", None, "request"),
]

COMPLETION: list[AnswerField] = [
    AnswerField("id", None, "upstream", "`chatcmpl-` instead of `resp_`"),
    AnswerField("object", "chat.completion", "here"),
    AnswerField("created", None, "upstream", "`created_at`, in whole seconds"),
    AnswerField("model", None, "upstream"),
    AnswerField("choices[].index", 0, "here", "one choice for each copy of the request"),
    AnswerField("choices[].message.role", "assistant", "here"),
    AnswerField(
        "choices[].message.content", None, "upstream", "the texts of all messages, joined (`message_separator`)"
    ),
    AnswerField("choices[].message.refusal", None, "upstream", "refusals, joined"),
    AnswerField("choices[].message.tool_calls", None, "upstream", "calls that a client runs, in order; absent without"),
    AnswerField(
        "choices[].message.function_call", None, "upstream", "for clients that declare `functions`: the first call"
    ),
    AnswerField("choices[].message.annotations", None, "upstream", "citations of URLs; absent without"),
    AnswerField(
        "choices[].message.reasoning_content", None, "upstream", "texts of reasoning items (`reasoning_expose`)"
    ),
    AnswerField(
        "choices[].message.reasoning_details", None, "upstream", "reasoning that must come back unread, sealed"
    ),
    AnswerField("choices[].message.images", None, "upstream", "generated images, as some gateways spell them"),
    AnswerField("choices[].logprobs", None, "upstream", "of the texts; refusals have none"),
    AnswerField(
        "choices[].finish_reason", None, "upstream", "from `status`, `incomplete_details` and whether there are calls"
    ),
    AnswerField("usage", None, "upstream", "absent in streams unless asked for"),
    AnswerField("service_tier", None, "upstream"),
    AnswerField("moderation", None, "upstream"),
]

_BLANK = {field.name: field.default for field in ANSWER}
REPEATED = frozenset(field.name for field in ANSWER if field.source == "request")
"""What an answer repeats of its request."""
_NESTED = ("text", "reasoning")


def blank_answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the Response object for *request* before anything is known of its answer: all 31 fields, in order."""
    answer = {**_BLANK, "output": [], "metadata": {}, "text": {"format": {"type": "text"}}}  # nothing of the table
    for name, value in request.items():
        if value is not None and name in REPEATED:
            answer[name] = {**answer[name], **validate.mapping(value, name)} if name in _NESTED else value
    answer["tools"] = tools.echo(answer["tools"])
    answer["reasoning"] = {**answer["reasoning"]}
    if request.get("user") is not None:
        answer["user"] = request["user"]
    return answer


def own_answer(blank: dict[str, Any]) -> dict[str, Any]:
    """Return another blank answer, which shares only with the request what comes from it unchanged."""
    answer = {**blank, "output": [], "reasoning": {**blank["reasoning"]}, "text": {**blank["text"]}}
    for owner, name in (answer, "metadata"), (answer["text"], "format"):
        if isinstance(owner[name], dict):
            owner[name] = {**owner[name]}
    answer["tools"] = list(map(dict, blank["tools"]))  # each is an object: they were declared
    return answer
