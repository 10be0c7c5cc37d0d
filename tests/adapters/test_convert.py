"""Requests and finished answers are turned into those of the other dialect."""

from typing import Any

import pytest

from diglot.adapters.convert import convert
from diglot.translator import BadRequest, NotSayable, Profile, TranslationError

COMPLETION = {"model": "m", "choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}
RESPONSE = {
    "object": "response",
    "status": "completed",
    "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}],
}


@pytest.mark.parametrize(
    ("body", "field", "made"),
    [
        ({"model": "m", "input": "Go"}, "messages", [{"role": "user", "content": "Go"}]),
        (
            {"model": "m", "messages": [{"role": "user", "content": "Go"}]},
            "input",
            [{"type": "message", "role": "user", "content": "Go"}],
        ),
        (COMPLETION, "object", "response"),
        (RESPONSE, "object", "chat.completion"),
        ({**RESPONSE, "model": None}, "model", "unknown"),
    ],
)
def test_what_it_is_is_seen_from_its_fields(body: dict[str, Any], field: str, made: Any) -> None:
    """Each becomes its twin."""
    assert convert(body, profile=Profile())[0][field] == made


def test_losses_are_told() -> None:
    """They come with the result; strictly, they are refused."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Go"}], "seed": 1}
    assert [loss.path for loss in convert(body, profile=Profile())[1]] == ["seed"]
    with pytest.raises(NotSayable):
        convert(body, profile=Profile(), strict=True)


@pytest.mark.parametrize("body", [[], None, {}, {"messages": 1}, {"choices": 1}, {"output": 1}])
def test_what_is_neither_is_refused(body: Any) -> None:
    """The error is one of our own tree."""
    with pytest.raises(TranslationError):
        convert(body, profile=Profile())
    assert issubclass(BadRequest, TranslationError)
