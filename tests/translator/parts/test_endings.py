import pytest

from diglot.translator.parts import endings

TABLE = [
    *((reason, "completed", None) for reason in ("stop", "tool_calls", "function_call", "eos", "end_turn")),
    ("stop_sequence", "completed", None),
    *((reason, "incomplete", "max_output_tokens") for reason in ("length", "max_tokens", "model_length")),
    ("content_filter", "incomplete", "content_filter"),
    *((reason, "failed", None) for reason in ("error", "insufficient_system_resource", "cancel", "abort")),
]


@pytest.mark.parametrize(("finish_reason", "status", "reason"), TABLE)
def test_every_finish_reason_is_an_ending(finish_reason: str, status: str, reason: str | None) -> None:
    """The table of protocol 4.3; what failed never ends as completed."""
    assert endings.to_responses(finish_reason) == endings.Ending(status, reason)


def test_the_table_has_no_others() -> None:
    """A reason that this test does not know must not slip in."""
    assert set(endings.TO_RESPONSES) == {row[0] for row in TABLE}


@pytest.mark.parametrize("reason", ["", "Stop", "recitation"])
def test_unknown_reasons_are_told_as_such(reason: str) -> None:
    """None says that nobody knows it; the caller decides, and reports."""
    assert endings.to_responses(reason) is None


@pytest.mark.parametrize(
    ("status", "reason", "finish_reason"),
    [
        ("completed", None, "stop"),
        ("incomplete", "max_output_tokens", "length"),
        ("incomplete", "max_tokens", "length"),
        ("incomplete", "content_filter", "content_filter"),
        ("incomplete", None, "length"),
    ],
)
def test_every_status_is_a_finish_reason(status: str, reason: str | None, finish_reason: str) -> None:
    """The table of protocol 4.3; what is cut for no reason that is said does not read as a good end."""
    assert endings.to_chat(status, reason) == (finish_reason, None)


@pytest.mark.parametrize(
    ("reason", "finish_reason"), [("max_messages", "stop"), ("steered", "stop"), ("timeout", "length")]
)
def test_what_the_finish_reason_cannot_say(reason: str, finish_reason: str) -> None:
    """It is told why; what is incomplete for a reason that nobody knows is cut."""
    finish = endings.to_chat("incomplete", reason)
    assert finish.reason == finish_reason
    assert finish.why


@pytest.mark.parametrize("finish_reason", ["stop", "length", "content_filter"])
def test_finish_reasons_come_back(finish_reason: str) -> None:
    """The words that both dialects have are the same after a round trip."""
    assert endings.to_chat(*endings.meaning(finish_reason)) == (finish_reason, None)
