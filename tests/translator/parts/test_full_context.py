"""Each row of the table has a sentence that was really said; so has each of those that mean something else."""

import re

import pytest

from diglot.translator.parts import full_context

SAID = [
    "This model's maximum context length is 4097 tokens, however you requested 4226 tokens",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "input length and `max_tokens` exceed context limit: 90402 + 116650 > 204648, decrease input length",
    "You passed 9000 input tokens and requested 10 output tokens. However, the model's context length is only 8192",
    "The decoder prompt (length 10127) is longer than the maximum model length of 8192.",
    "The input (61709 tokens) is longer than the model's context length (40960 tokens).",
    "Input length (160062 tokens) exceeds the maximum allowed length (59862 tokens).",
    "Input length 203743 exceeds the maximum length 202752",
    "Input length 265330 exceeds the maximum allowed input length of 262144 tokens.",
    "prompt is too long: 213462 tokens > 200000 maximum",
    "prompt too long; exceeded max context length by 12 tokens",
    "Input is too long for requested model.",
    "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "Please reduce the length of the messages or completion.",
    "Invalid request: Your request exceeded model token limit: 262144 (requested: 291351)",
    "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 204800]",
    "Prompt 超长",
    "输入长度超过模型上限",
    "Prompt exceeds max length",
    "the request exceeds the available context size, try increasing it",
    "Context size has been exceeded.",
    "Prompt exceeds n_ctx: 2892 > 2048",
    "Trying to keep the first 15857 tokens when context the overflows. However, the model is loaded with too few.",
    "The number of tokens to keep from the initial prompt is greater than the context length.",
    "Reached context length of 4096 tokens with model (arch: x) that does not currently support it",
    "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
    "invalid params, context window exceeds limit",
    "prompt token count of 5000 exceeds the limit of 4096",
    "Request body too large for gpt-4o model. Max size: 8000 tokens.",
    "too many tokens: total number of tokens (prompt and prediction) cannot exceed 2048 - received 6354.",
    "Prompt too long: 5152 tokens exceeds max_seq_len 2048",
    "Number of tokens (2662) exceeded maximum context length (512).",
    "context_length_exceeded",
]
OTHER = [
    "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000.",
    "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 132819. "
    "Please reduce the length of the messages.",
    "ThrottlingException: Too many tokens, please wait before trying again.",
    "max_tokens is too large: 100000. This model supports at most 16384 completion tokens.",
    "max_tokens: 300000 > 64000, which is the maximum allowed number of output tokens",
    "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]",
    "`name` must be at most 64 characters, got 66",
    "Invalid 'input': string too long. Expected a string with maximum length 10485760.",
    "Unknown parameter: 'context_length'.",
    "Image exceeds the limit of 20 MB",
    "You exceeded your current quota, please check your plan and billing details.",
    "",
]


@pytest.mark.parametrize("said", SAID)
def test_a_full_context_is_known(said: str) -> None:
    """In the words of all servers, in any case."""
    assert full_context.is_exceeded(None, "invalid_request_error", said)
    assert full_context.is_exceeded(400, None, f"Error: {said.upper()}")


@pytest.mark.parametrize("said", OTHER)
def test_other_limits_are_others(said: str) -> None:
    """What is too much for a minute, for an answer or for one field does not fill a context."""
    assert not full_context.is_exceeded("400", "invalid_request_error", said)


def test_nothing_is_no_full_context() -> None:
    """An error without a word."""
    assert not full_context.is_exceeded(None, None, None)


@pytest.mark.parametrize(
    "code",
    [
        *("context_length_exceeded", "model_context_window_exceeded", "exceed_context_size_error", "1261", 1261),
        *("ContextWindowExceededError", "tokens_limit_reached"),
    ],
)
def test_codes_and_types_say_it_as_well(code: object) -> None:
    """Whatever the text is."""
    assert full_context.is_exceeded(code, None, "x")
    assert full_context.is_exceeded(None, code, "x")


@pytest.mark.parametrize("row", full_context.TABLE, ids=lambda row: row.who)
def test_each_row_is_there_for_a_sentence(row: full_context.Phrase) -> None:
    """And says who said it, and where that can be read."""
    assert any(re.search(row.pattern, said.lower()) for said in SAID)
    assert row.who
    assert re.search(r"[#/]", row.source)
