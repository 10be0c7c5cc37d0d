"""The shapes of Responses that type checkers are told are those that come out."""

import contextlib
from pathlib import Path
from typing import get_type_hints

import diglot
from diglot.translator import TranslationError, fields
from diglot.translator.mapping import HANDED_ON
from diglot.translator.wire import responses_types

from golden_files import load, profile_of
from shapes import cases, heads, misfits

CHAT_ONLY = set("n modalities audio seed prediction logit_bias presence_penalty frequency_penalty".split())
"""What rows know to be no field of the Responses API."""


@cases("serve_chat/request")
def test_requests(path: Path) -> None:
    """What is made of a chat request."""
    case = load(path)
    with contextlib.suppress(TranslationError):
        made, _ = diglot.responses_request(case["given"], profile=profile_of(case))
        assert misfits(made, responses_types.ResponsesRequest) == []


@cases("serve_responses/answer")
def test_answers(path: Path) -> None:
    """Whatever the upstream sends."""
    case = load(path)
    asked, profile = case["given"]["asked"], profile_of(case)
    with contextlib.suppress(TranslationError):
        made, _ = diglot.responses_answer(case["given"]["completion"], request=asked, profile=profile)
        assert misfits(made, responses_types.ResponsesAnswer) == []


def test_they_have_the_fields_of_the_tables() -> None:
    """All of them, and no others."""
    asked = heads([row.responses for row in fields.REQUEST if row.to_chat is not HANDED_ON]) - CHAT_ONLY
    assert set(get_type_hints(responses_types.ResponsesRequest)) == asked
    answered = {field.name for field in [*fields.ANSWER, *fields.OPTIONAL]} | {"moderation"}
    assert set(get_type_hints(responses_types.ResponsesAnswer)) == answered
