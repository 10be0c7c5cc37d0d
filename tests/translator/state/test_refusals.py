"""The errors of stored state, word for word."""

import pytest

from diglot.translator import RequestError
from diglot.translator.state import refusals

CASES = [
    (
        refusals.no_previous("resp_1"),
        (400, "previous_response_id", "previous_response_not_found"),
        "Previous response with id 'resp_1' not found.",
    ),
    (
        refusals.not_finished("resp_1"),
        (400, "previous_response_id", None),
        "Response 'resp_1' has not finished.",
    ),
    (refusals.no_response("resp_1"), (404, None, None), "Response with id 'resp_1' not found."),
    (
        refusals.not_background(),
        (400, "stream", "invalid_value"),
        "This response cannot be streamed because it was not created with background=true.",
    ),
    (refusals.not_cancellable(), (400, None, None), "Cannot cancel a synchronous response."),
    (refusals.no_item("rs_1"), (404, "input", None), "Item with id 'rs_1' not found."),
    (refusals.no_conversation("conv_1"), (404, None, None), "Conversation with id 'conv_1' not found."),
    (
        refusals.conversation_locked(),
        (400, "conversation", "conversation_locked"),
        "Another process is currently operating on this conversation. Please retry in a few seconds.",
    ),
    (
        refusals.duplicate_item("rs_1"),
        (400, "input", None),
        "Duplicate item found with id rs_1. Remove duplicate items from your input and try again.",
    ),
    (
        refusals.mutually_exclusive("previous_response_id", "conversation"),
        (400, None, "mutually_exclusive_parameters"),
        "Mutually exclusive parameters. Ensure you are only providing one of: 'previous_response_id' or "
        "'conversation'.",
    ),
    (
        refusals.no_call("call_1"),
        (400, "input", None),
        "No tool call found for function call output with call_id call_1.",
    ),
    (refusals.no_output("call_1"), (400, "input", None), "No tool output found for function call call_1."),
    (
        refusals.history_too_large(2_000, 1_000),
        (400, "input", "context_length_exceeded"),
        "The history of this request has 2,000 bytes; at most 1,000 are continued. Compact it.",
    ),
    (
        refusals.unsupported("order", "x" * 65, ("asc", "desc")),
        (400, "order", "invalid_value"),
        "Invalid value: too long. Supported values are: 'asc', and 'desc'.",
    ),
]


@pytest.mark.parametrize(("error", "about", "message"), CASES, ids=[str(error) for error, _, _ in CASES])
def test_words(error: RequestError, about: tuple[object, ...], message: str) -> None:
    """Status, param and code are as OpenAI has them, and so is the sentence."""
    assert (error.status, error.param, error.code) == about
    assert (str(error), error.type) == (message, "invalid_request_error")
