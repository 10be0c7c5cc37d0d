"""THE TABLES: what happens to every top-level field of a request and to every field of an answer.

The converters, the loss report, the strict refusal and FIELDS.md read these rows: to change what happens to a field,
change its row.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .mapping import (
    CARRIED,
    HANDED_ON,
    Row,
    by_code,
    carried,
    compile_rules,
    field,
    handed_on,
    live,
    lost,
    refused,
    without,
)
from .parts import formats, limits, reasoning, tools
from .wire import validate

_STATE = "answers are not stored here"
_GIVE_ONE = "send the whole conversation in 'input', or give diglot a store (--store, TranslationMiddleware(store=...))"
_RESPONSES_WORD = "the Responses name, from clients that mix both APIs"
_IN_ANSWERS = "it only affects the answer, which only a live exchange produces"

REQUEST: list[Row] = [
    *map(field, ("model", "stream", "temperature", "top_p")),
    *map(field, ("user", "safety_identifier", "moderation", "prompt_cache_key", "prompt_cache_retention")),
    field("prompt_cache_options.mode"),
    field("prompt_cache_options.ttl", carried(without("12h", "chat requests have no such lifetime"))),
    field(
        "service_tier",
        carried(without("ultrafast", "chat requests have no such tier"), harmless=("auto", "default")),
        carried(harmless=("auto", "default")),
    ),
    Row("max_output_tokens", "max_completion_tokens", carried(limits.to_chat), carried(limits.to_responses)),
    Row("max_output_tokens", "max_tokens", None, carried(limits.to_responses, "the older name")),
    Row("max_output_tokens", "max_output_tokens", None, carried(limits.to_responses, _RESPONSES_WORD)),
    Row("reasoning.effort", "reasoning_effort", carried(reasoning.effort), carried(reasoning.effort)),
    Row("reasoning.effort", "reasoning.effort", None, carried(reasoning.effort, "as some gateways spell it")),
    Row(
        "text.format",
        "response_format",
        carried(formats.to_chat, "chat nests a schema one level deeper"),
        carried(formats.to_responses, "chat nests a schema one level deeper"),
    ),
    Row("text.verbosity", "verbosity", carried(harmless=("medium",)), carried(harmless=("medium",))),
    Row("text.format", "text.format", None, carried(formats.to_responses, _RESPONSES_WORD)),
    Row("text.verbosity", "text.verbosity", None, carried(None, _RESPONSES_WORD, harmless=("medium",))),
    Row(
        "input",
        "messages",
        by_code("items become messages, one per turn; outputs follow their calls", "messages"),
        by_code("messages become items", "input"),
    ),
    Row("input", "input", None, by_code("if there are no `messages`: items are sent as they are (Cursor)", "input")),
    Row("instructions", "messages", by_code("the first system message", "messages"), None),
    Row("instructions", "instructions", None, by_code(_RESPONSES_WORD, "input")),
    field(
        "tools",
        by_code("functions; free-form, namespaced and client-run tools become functions too", "tools"),
        by_code("flattened", "tools"),
    ),
    Row("tools", "functions", None, by_code("sent as tools; calls are returned as `function_call`", "tools")),
    Row(
        "tools",
        "web_search_options",
        None,
        by_code("sent as a web search tool; the model decides whether to search", "tools"),
    ),
    Row(None, "web_search_options", HANDED_ON, None),
    field(
        "tool_choice",
        by_code("with the tools' chat names", "tool_choice", "tools"),
        by_code("flattened", "tool_choice", "tools"),
    ),
    Row(
        "tool_choice", "function_call", None, by_code("sent as `tool_choice`; at most one call", "tool_choice", "tools")
    ),
    field("parallel_tool_calls", *[by_code("sent if there are tools", "parallel_tool_calls", "tools")] * 2),
    field(
        "include",
        by_code(
            "log-probabilities are requested; encrypted reasoning becomes a sealed envelope in a live exchange",
            "logprobs",
        ),
        by_code("as is", "include"),
    ),
    Row("include", "logprobs", None, by_code("requested through `include`", "include")),
    field(
        "top_logprobs",
        by_code("sent together with `logprobs`", "top_logprobs", "logprobs"),
        by_code("sent only together with `logprobs`", "top_logprobs", "include"),
    ),
    Row(
        "reasoning.summary",
        None,
        by_code("the upstream's reasoning text is used as the summary", offline=_IN_ANSWERS),
        HANDED_ON,
    ),
    Row(
        "reasoning.generate_summary",
        None,
        by_code("the older name of `reasoning.summary`", offline=_IN_ANSWERS),
        HANDED_ON,
    ),
    Row("reasoning.context", None, by_code("decides which earlier reasoning is sent back"), HANDED_ON),
    Row("max_tool_calls", None, by_code("limits tools that the server runs; none are run here"), HANDED_ON),
    field(
        "store",
        lost("accepted, but nothing is stored; the answer has `store: false`", False),
        by_code("false unless set", "store"),
    ),
    field(
        "metadata",
        live(
            "repeated in the answer, not sent to the upstream",
            "it is not for the upstream; only a live exchange repeats it in the answer",
            {},
        ),
        CARRIED,
    ),
    field("stream_options.include_obfuscation", lost("events are not padded", False), CARRIED),
    field(
        "stream_options.include_usage",
        lost("usage is always sent", True, False),
        live(
            "Responses always reports usage; the client gets it on request",
            "Responses has no such option; only a live exchange shows or omits usage",
            False,
        ),
    ),
    Row(
        "truncation",
        None,
        live(
            "the oldest turns are left out if the upstream says that the context is too long",
            "chat requests have no `truncation`; only a live exchange tries again",
            "disabled",
        ),
        HANDED_ON,
    ),
    Row(
        "context_management",
        None,
        live(
            "above the threshold, the model is asked for a summary first; both calls are billed",
            "chat requests have no `context_management`; only a live exchange asks for a summary",
            [],
        ),
        HANDED_ON,
    ),
    Row("client_metadata", None, lost("chat requests have no place for client metadata", {}), HANDED_ON),
    Row("prompt_cache_options.prewarm", None, lost("there is no cache to warm", False), HANDED_ON),
    Row("prompt_cache_options.comparison_response_id", None, lost("caches are not compared"), HANDED_ON),
    field(
        "background",
        refused("nothing runs in the background here; the client has to wait for its answer", False),
        refused("Chat Completions has no background mode", False),
    ),
    Row(
        "background_options.completion_window",
        None,
        by_code("`2h` and `8h` are a price; the request is run at once, and that is reported"),
        HANDED_ON,
    ),
    Row("background_options.continuation_id", None, lost("requests are run at once, in any order"), HANDED_ON),
    field("previous_response_id", refused(f"{_STATE}; {_GIVE_ONE}"), HANDED_ON),
    field("conversation", refused(f"{_STATE}; {_GIVE_ONE}"), HANDED_ON),
    field("prompt", refused("there are no prompt templates here; send 'instructions' and 'input'"), HANDED_ON),
    field("reasoning.mode", refused("chat upstreams have only one mode", "standard"), HANDED_ON),
    field("image.context_compression", refused("images are not compressed", "auto", "disabled"), HANDED_ON),
    field("access_programs.cyber", refused("there are no access programs", "standard"), HANDED_ON),
    field("presence_penalty", handed_on(0), lost("Responses requests have no penalties", 0)),
    field("frequency_penalty", handed_on(0), lost("Responses requests have no penalties", 0)),
    field("seed", HANDED_ON, lost("Responses requests have no `seed`")),
    field("prediction", HANDED_ON, lost("Responses requests have no `prediction`")),
    field("logit_bias", handed_on({}), refused("Responses requests cannot favour or ban tokens", {})),
    field(
        "stop",
        HANDED_ON,
        live(
            "the text is cut here; what the model writes after that is still billed",
            "Responses has no stop sequences; only a live exchange applies them",
            (),
            shape=limits.stops,
        ),
    ),
    field(
        "n",
        lost("a Response holds one answer", 1),
        live(
            "one request is sent per choice; each is billed",
            "a Response holds one answer; only a live exchange sends several requests",
            1,
            shape=limits.copies,
        ),
    ),
    field("modalities", lost("a Response is text only", ["text"]), refused("a Response is text only", ["text"])),
    field("audio", lost("a Response is text only"), lost("a Response is text only")),
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
    AnswerField("id", None, "here", "a new id"),
    AnswerField("object", "response", "here"),
    AnswerField("created_at", None, "upstream", "`created`, in whole seconds"),
    AnswerField("completed_at", None, "here", "the time of completion"),
    AnswerField("status", "in_progress", "upstream", "from `finish_reason`"),
    AnswerField("incomplete_details", None, "upstream", "from `finish_reason`"),
    AnswerField("error", None, "upstream", "an error object, or a stream that was cut off"),
    AnswerField("model", None, "upstream"),
    AnswerField("output", [], "upstream", "reasoning, message and calls of the first choice"),
    AnswerField("usage", None, "upstream", "null if the upstream sends none"),
    AnswerField("service_tier", "default", "upstream"),
    AnswerField("previous_response_id", None, "here", "the one that the request continues; null without a store"),
    AnswerField("store", False, "here", "true if it is stored, which needs a store"),
    AnswerField("background", False, "here", "nothing runs in the background here"),
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
    AnswerField("truncation", "disabled", "request"),
    AnswerField("max_output_tokens", None, "request"),
    AnswerField("max_tool_calls", None, "request"),
    AnswerField("safety_identifier", None, "request"),
    AnswerField("prompt_cache_key", None, "request"),
]

_IF_SENT = "absent unless the request has it"
OPTIONAL: list[AnswerField] = [
    AnswerField("user", None, "request", _IF_SENT),
    AnswerField("prompt_cache_options", {"mode": "implicit", "ttl": "30m"}, "request", _IF_SENT),
    AnswerField("prompt_cache_retention", None, "request", _IF_SENT),
    AnswerField("conversation", None, "here", "the one that the request names; absent without"),
    AnswerField("input_transformations", None, "here", "reasoning that was not sent; absent if there is none"),
]
"""Fields of a Response object that not every one has."""

COMPLETION: list[AnswerField] = [
    AnswerField("id", None, "upstream", "`chatcmpl-` instead of `resp_`"),
    AnswerField("object", "chat.completion", "here"),
    AnswerField("created", None, "upstream", "`created_at`, in whole seconds"),
    AnswerField("model", None, "upstream"),
    AnswerField("choices[].index", 0, "here", "one choice per request sent"),
    AnswerField("choices[].message.role", "assistant", "here"),
    AnswerField(
        "choices[].message.content", None, "upstream", "the texts of all messages, joined (`message_separator`)"
    ),
    AnswerField("choices[].message.refusal", None, "upstream", "refusals, joined"),
    AnswerField(
        "choices[].message.tool_calls",
        None,
        "upstream",
        "calls that the client runs, in order; absent if there are none",
    ),
    AnswerField(
        "choices[].message.function_call", None, "upstream", "for clients that declare `functions`: the first call"
    ),
    AnswerField("choices[].message.annotations", None, "upstream", "URL citations; absent if there are none"),
    AnswerField(
        "choices[].message.reasoning_content", None, "upstream", "texts of reasoning items (`reasoning_expose`)"
    ),
    AnswerField(
        "choices[].message.reasoning_details",
        None,
        "upstream",
        "opaque reasoning that the client sends back unchanged, sealed",
    ),
    AnswerField("choices[].message.images", None, "upstream", "generated images, as some gateways spell them"),
    AnswerField("choices[].logprobs", None, "upstream", "for the texts; refusals have none"),
    AnswerField(
        "choices[].finish_reason", None, "upstream", "from `status`, `incomplete_details` and whether there are calls"
    ),
    AnswerField("usage", None, "upstream", "absent in streams unless requested"),
    AnswerField("service_tier", None, "upstream"),
    AnswerField("moderation", None, "upstream"),
]

_BLANK = {row.name: row.default for row in ANSWER}
REPEATED = frozenset(row.name for row in [*ANSWER, *OPTIONAL] if row.source == "request")
"""The fields that an answer repeats from its request."""
_NESTED = ("text", "reasoning", "prompt_cache_options")
_OPTIONAL = {row.name: row.default for row in OPTIONAL}


def blank_answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the Response object for *request* before anything of its answer is known: its 31 fields, in order,
    and then the optional ones that the request has.
    """
    answer = {**_BLANK, "output": [], "metadata": {}, "text": {"format": {"type": "text"}}}  # nothing of the table
    for name, value in request.items():
        if value is not None and name in REPEATED:
            default = answer[name] if name in answer else _OPTIONAL[name]
            answer[name] = {**default, **validate.mapping(value, name)} if name in _NESTED else value
    answer["tools"] = tools.echo(answer["tools"])
    answer["reasoning"] = {**answer["reasoning"]}
    return answer


def own_answer(blank: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a blank answer that shares nothing with it but the unchanged values of the request."""
    answer = {**blank, "output": [], "reasoning": {**blank["reasoning"]}, "text": {**blank["text"]}}
    for owner, name in (answer, "metadata"), (answer, "prompt_cache_options"), (answer["text"], "format"):
        if isinstance(owner.get(name), dict):
            owner[name] = {**owner[name]}
    answer["tools"] = list(map(dict, blank["tools"]))  # each is an object: they were declared
    if "input_transformations" in blank:
        answer["input_transformations"] = list(map(dict, blank["input_transformations"]))
    return answer
