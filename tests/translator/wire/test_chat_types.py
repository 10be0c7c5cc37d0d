"""The shapes of chat that type checkers are told are those that come out."""

import contextlib
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import diglot
from diglot.translator import TranslationError, fields
from diglot.translator.mapping import HANDED_ON
from diglot.translator.wire import chat_types

from golden_files import load, profile_of, sse
from shapes import cases, heads, misfits


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        ({"name": "f", "arguments": 1}, chat_types.ChatCalledFunction, ["$.arguments: 1 is no <class 'str'>"]),
        ({"name": "f"}, chat_types.ChatCalledFunction, ["$.arguments is missing"]),
        ({"name": "f", "arguments": "", "more": 1}, chat_types.ChatCalledFunction, []),
        ([1, "a"], list[int], ["$[1]: 'a' is no <class 'int'>"]),
        ({"a": None, "b": 1}, dict[str, int | None], []),
    ],
)
def test_the_measure(value: Any, kind: Any, found: list[str]) -> None:
    """What does not fit is found; more fields than are listed do no harm."""
    assert misfits(value, kind) == found


@cases("serve_responses/request")
def test_requests(path: Path) -> None:
    """What is made of a Responses request."""
    case = load(path)
    with contextlib.suppress(TranslationError):
        made, _ = diglot.chat_request(case["given"], profile=profile_of(case))
        assert misfits(made, chat_types.ChatRequest) == []


@cases("serve_chat/answer")
def test_answers(path: Path) -> None:
    """Whatever the upstream sends."""
    case = load(path)
    asked, profile = case["given"]["asked"], profile_of(case)
    with contextlib.suppress(TranslationError):
        made, _ = diglot.chat_answer(case["given"]["response"], request=asked, profile=profile)
        assert misfits(made, chat_types.ChatAnswer) == []


@cases("serve_chat/stream")
def test_streams(path: Path) -> None:
    """Whatever the upstream sends, event by event."""
    case = load(path)
    asked, profile = case["given"]["asked"], profile_of(case)
    with contextlib.suppress(TranslationError):
        for chunk in diglot.chat_stream(sse(case["given"]), request=asked, profile=profile):
            assert misfits(chunk, chat_types.ChatEvent) == []


def test_they_have_the_fields_of_the_tables() -> None:
    """All of them, and no others, but for the words of Responses that some clients mix in."""
    mixed_in = {"background", "input", "instructions", "max_output_tokens", "text"}
    asked = heads([row.chat for row in fields.REQUEST if row.to_responses is not HANDED_ON]) - mixed_in
    assert set(get_type_hints(chat_types.ChatRequest)) == asked
    assert set(get_type_hints(chat_types.ChatAnswer)) == heads([field.name for field in fields.COMPLETION]) | {
        "metadata"
    }
