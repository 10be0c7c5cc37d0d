from typing import Any

import pytest

from diglot.translator.parts import endings

LENGTH, FILTER = ("incomplete", "max_output_tokens"), ("incomplete", "content_filter")
COMPLETED, FAILED = ("completed", None), ("failed", None)
TABLE = {
    COMPLETED: """stop tool_calls function_call tool_use eos eos_token end_turn stop_sequence stop_token complete
        completed end finished""",
    LENGTH: """length max_tokens max_output_tokens max_new_tokens max_length model_length error_limit
        model_context_window_exceeded context_window_exceeded""",
    FILTER: """content_filter content_filtered guardrail_intervened refusal sensitive safety recitation blocklist
        prohibited_content spii image_safety error_toxic""",
    FAILED: """error network_error insufficient_system_resource timeout failed cancel cancelled canceled abort aborted
        malformed_function_call unexpected_tool_call too_many_tool_calls user_cancel""",
}
ROWS = [(reason, *ending) for ending, reasons in TABLE.items() for reason in reasons.split()]


@pytest.mark.parametrize(("finish_reason", "status", "reason"), ROWS)
def test_every_finish_reason_is_an_ending(finish_reason: str, status: str, reason: str | None) -> None:
    """The table of protocol 4.3 and W2; what failed never ends as completed."""
    assert endings.to_responses(finish_reason) == endings.Ending(status, reason)


def test_the_table_has_no_others() -> None:
    """A reason that this test does not know must not slip in."""
    assert set(endings.ENDINGS) == {row[0] for row in ROWS}


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("stop", "stop"),
        ("STOP", "stop"),
        (" Length ", "length"),
        ("FinishReason.MAX_TOKENS", "max_tokens"),
        ("types.FinishReason.SAFETY", "safety"),
        ("FINISH_REASON_STOP", "stop"),
        ("content_filter: hate", "content_filter"),
        ("function_call_filter: harmful", "function_call_filter"),
        ("max-tokens", "max_tokens"),
        ("MaxTokens", "max_tokens"),
        ("end turn", "end_turn"),
        ("OTHER", "other"),
        *((nothing, None) for nothing in ("", " ", "null", "NULL", "None", "undefined", "FINISH_REASON_UNSPECIFIED")),
        *((nothing, None) for nothing in (None, 0, True, [], {}, ":", ".")),
    ],
)
def test_words_without_what_only_their_family_writes(given: Any, plain: str | None) -> None:
    """Case, prefixes and tails say nothing, and some words say nothing at all."""
    assert endings.normalize(given) == plain


@pytest.mark.parametrize(
    ("reason", "ending"), [("content_filter_hate", FILTER), ("function_call_filter_x", FAILED), ("other", None)]
)
def test_families(reason: str, ending: Any) -> None:
    """Some servers lengthen their words; of one that nobody knows the caller decides, and reports."""
    assert endings.to_responses(reason) == ending
    assert endings.ending_of(reason) == (ending or COMPLETED)


@pytest.mark.parametrize(
    ("status", "reason", "finish_reason"),
    [
        ("completed", None, "stop"),
        ("incomplete", "max_output_tokens", "length"),
        ("incomplete", "max_tokens", "length"),
        ("incomplete", "content_filter", "content_filter"),
        ("incomplete", "SAFETY", "content_filter"),
        ("incomplete", "FinishReason.MAX_TOKENS", "length"),
        ("incomplete", None, "length"),
        ("incomplete", "null", "length"),
    ],
)
def test_every_status_is_a_finish_reason(status: str, reason: str | None, finish_reason: str) -> None:
    """The table of protocol 4.3; what is cut for no reason that is said does not read as a good end."""
    assert endings.to_chat(status, reason) == (finish_reason, None)


@pytest.mark.parametrize(
    ("reason", "finish_reason"),
    [("max_messages", "stop"), ("steered", "stop"), ("timeout", "length"), ("other", "length"), ("stop", "length")],
)
def test_what_the_finish_reason_cannot_say(reason: str, finish_reason: str) -> None:
    """It is told why; what is incomplete for a reason that nobody knows is cut."""
    finish = endings.to_chat("incomplete", reason)
    assert finish.reason == finish_reason
    assert finish.why


@pytest.mark.parametrize("finish_reason", ["stop", "length", "content_filter"])
def test_finish_reasons_come_back(finish_reason: str) -> None:
    """The words that both dialects have are the same after a round trip."""
    assert endings.to_chat(*endings.ending_of(finish_reason)) == (finish_reason, None)
