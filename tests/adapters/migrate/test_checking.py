"""There and back."""

import json
from typing import Any

import pytest

from diglot.adapters.migrate import Options, checking, convert_line
from diglot.adapters.migrate.errors import LineError

ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
SAY: dict[str, Any] = {
    "id": "c",
    "model": "m",
    "choices": [{"index": 0, "message": {"content": "Yo"}, "finish_reason": "stop"}],
}


def outcome(line: dict[str, Any], to: Any = "responses") -> str:
    data, options = json.dumps(line).encode(), Options(to=to)
    return checking.outcome_of(data, convert_line(data, options), options)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (ASK, "identical"),
        ({"model": "m", "input": []}, "identical"),
        ({**ASK, "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}, "equivalent"),
        (SAY, "equivalent"),
        ({**ASK, "seed": 1}, "lossy"),
        ({**SAY, "choices": SAY["choices"] * 2}, "lossy"),
    ],
)
def test_outcomes(line: dict[str, Any], expected: str) -> None:
    """What the README calls so."""
    assert outcome(line) == expected


def test_what_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a loss."""
    data, options = json.dumps(ASK).encode(), Options(to="responses")
    made = convert_line(data, options)

    def fail(*_: Any) -> Any:
        raise LineError("no")

    monkeypatch.setattr(checking, "convert_line", fail)
    assert checking.outcome_of(data, made, options) == "lossy"


def test_a_deep_schema() -> None:
    """As deep as a line may be, it is compared."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(440):
        schema = {"type": "object", "properties": {"a": schema}}
    tool = {"type": "function", "name": "f", "strict": None, "parameters": schema}
    assert outcome({"model": "m", "input": "Hi", "tools": [tool]}, "chat") == "equivalent"
