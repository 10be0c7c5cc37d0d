"""What to do about a loss: a sentence for each field of the tables in `diglot.translator.fields`."""

from __future__ import annotations

_STORED = "Put the earlier turns into the request before you convert it; files have no stored state."
_SERVER = "Apply it in the program that reads the answers, or serve the requests through diglot, which emulates it."
_LIMIT = "Look at the limit in the examples: the other API counts reasoning, too, and has a smallest one."
_SAMPLING = (
    "Do without it: the other API has no such setting, so compare the quality of some answers before you rely on them."
)
_BESIDE = "Keep it outside of the request, for example in `custom_id` or in a field of the line beside it."
_CACHE = "Nothing: it only affects the price and the speed of the recorded request."
_TOOLS = "Look at the tool in the examples: declare it as a function, or run it in your program."
_TEXTS = (
    "Look at the part in the examples: put it into the data as text,"
    " or as a picture or a file that the other API takes."
)
_BILLING = "Set it again where the requests are sent; it is a setting of the account, not of the data."
_SHOWS = "Nothing, if you only need the texts; else keep the original beside the output."
_ANSWER = "Nothing: answers of the other API do not have it; keep the original if you evaluate it."

ADVICE: dict[str, str] = {
    "model": "Name a model with --model.",
    "stream": "Nothing: it says how the recorded answer was sent.",
    "stream_options": "Nothing: it says how the recorded answer was sent.",
    "temperature": _SAMPLING,
    "top_p": _SAMPLING,
    "presence_penalty": _SAMPLING,
    "frequency_penalty": _SAMPLING,
    "seed": _SAMPLING,
    "logit_bias": _SAMPLING,
    "prediction": _CACHE,
    "prompt_cache_key": _CACHE,
    "prompt_cache_options": _CACHE,
    "prompt_cache_retention": _CACHE,
    "user": _BILLING,
    "safety_identifier": _BILLING,
    "service_tier": _BILLING,
    "moderation": _BILLING,
    "access_programs": _BILLING,
    "client_metadata": _BESIDE,
    "metadata": _BESIDE,
    "max_output_tokens": _LIMIT,
    "max_completion_tokens": _LIMIT,
    "max_tokens": _LIMIT,
    "reasoning": "Choose the effort and the summary anew where the requests are sent.",
    "reasoning_effort": "Choose an effort that the upstream has, with --profile or --set efforts=...",
    "text": "Look at the format in the examples: simplify the schema, or ask for JSON in the instructions.",
    "response_format": "Look at the format in the examples: simplify the schema, or ask for JSON in the instructions.",
    "verbosity": "Ask for short or long answers in the instructions.",
    "instructions": "Write them as the first message of the conversation.",
    "input": _TEXTS,
    "messages": _TEXTS,
    "tools": _TOOLS,
    "functions": "Declare them as tools.",
    "web_search_options": _TOOLS,
    "tool_choice": "Look at the choice in the examples: name one of the tools that are declared.",
    "function_call": "Use `tool_choice`.",
    "parallel_tool_calls": "Nothing, if your program takes several calls at once, as both APIs may send them.",
    "max_tool_calls": "Count the calls in your program.",
    "include": _SHOWS,
    "logprobs": _ANSWER,
    "top_logprobs": _ANSWER,
    "store": "Nothing: files store nothing; say it again where the requests are sent.",
    "truncation": _SERVER,
    "context_management": _SERVER,
    "stop": _SERVER,
    "n": "Send the request several times, or serve it through diglot, which does so.",
    "background": "Send the request in a batch, or wait for its answer.",
    "background_options": "Send the request in a batch, or wait for its answer.",
    "previous_response_id": _STORED,
    "conversation": _STORED,
    "prompt": "Put the text of the template into the request before you convert it.",
    "image": "Make the pictures smaller before they are sent.",
    "modalities": "Use only the texts; the other API has no audio.",
    "audio": "Use only the texts; the other API has no audio.",
    # answers
    "id": "Nothing: the ids of both APIs differ; `custom_id` stays.",
    "object": "Nothing: it names the API.",
    "created": "Nothing: times are whole seconds.",
    "created_at": "Nothing: times are whole seconds.",
    "completed_at": "Nothing: chat completions have only the time of their creation.",
    "status": "Look at the examples: answers that failed are errors in the output.",
    "incomplete_details": "Look at the examples: the answer was cut off, or filtered.",
    "error": "Look at the examples: this answer failed, and says why.",
    "output": _ANSWER,
    "choices": "Nothing, if you need each choice as a line; else use only the first of each.",
    "usage": "Nothing: only counts that the other API does not have are missing.",
    "input_transformations": _SHOWS,
}
"""By the first name of the path."""
_NOT_JSON = "Repair the program that wrote the line: texts must be UTF-8, and numbers finite."
_KINDS = {
    "dropped": "The other API does not know this field: keep it outside of the request, if you need it.",
    "approximated": "Compare the examples with the output before you rely on them.",
    "emulated": "Nothing: it has the same meaning in another form.",
    "defaulted": "Nothing, if the value that was filled in suits you; else set it in the data.",
}


def advice(path: str, kind: str) -> str:
    """Return what to do about a loss.

    >>> advice("tools[*].filters", "dropped")
    'Look at the tool in the examples: declare it as a function, or run it in your program.'
    """
    if kind == "emulated":
        return _KINDS[kind]
    name = path.partition(".")[0].partition("[")[0]
    if not name:
        return _NOT_JSON
    return ADVICE.get(name, _KINDS.get(kind, _KINDS["approximated"]))
