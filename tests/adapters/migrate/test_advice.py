"""What to do about losses."""

import pytest

from diglot.adapters.migrate.advice import ADVICE, advice
from diglot.translator.fields import ANSWER, COMPLETION, OPTIONAL, REQUEST

NAMES = {name for row in REQUEST for name in (row.chat, row.responses) if name} | {
    field.name for field in (*ANSWER, *OPTIONAL, *COMPLETION)
}


def first(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def test_each_row_of_the_tables_has_a_sentence() -> None:
    """And each sentence has a row."""
    assert {first(name) for name in NAMES} <= set(ADVICE)
    assert set(ADVICE) <= {first(name) for name in NAMES}


def test_sentences() -> None:
    """They are such."""
    assert [text for text in ADVICE.values() if not text.endswith(".") or not text[0].isupper()] == []


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("tools[*].filters", "dropped", "Look at the tool"),
        ("stop", "emulated", "Nothing"),
        ("", "approximated", "Repair"),
        ("top_k", "dropped", "does not know"),
        ("top_k", "odd", "Compare"),
    ],
)
def test_advice(path: str, kind: str, words: str) -> None:
    """By the field; what is unknown by the kind of the loss."""
    assert words in advice(path, kind)
