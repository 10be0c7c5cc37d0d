"""Chat completions in SQL, beyond what all stores do."""

from types import SimpleNamespace

import pytest

from diglot.adapters.store import DamagedEntry
from diglot.adapters.store.sql_completions import _completion, _label, _labels


def test_labels_are_whole_lines() -> None:
    """No name with its value is in another one, whatever they hold."""
    labels = _labels({"a": "b", "c": 'x\n["a","b2"]\n'})
    assert _label("a", "b") in labels
    assert _label("c", 'x\n["a","b2"]\n') in labels
    assert _label("a", "b2") not in labels
    assert _labels({}) == "\n"


@pytest.mark.parametrize("labels", ["\n[1]\n", "\n{\n", '\n["a",1]\n'])
def test_labels_that_are_damaged(labels: str) -> None:
    """They name the completion."""
    row = SimpleNamespace(id="c1", created=1, model="m", labels=labels, body=b"")
    with pytest.raises(DamagedEntry, match="'c1' is stored, but cannot be read"):
        _completion(row)
