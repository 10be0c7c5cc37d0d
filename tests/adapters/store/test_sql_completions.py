"""Chat completions in SQL, beyond what all stores do."""

from diglot.adapters.store.sql_completions import _label, _labels


def test_labels_are_whole_lines() -> None:
    """No name with its value is in another one, whatever they hold."""
    labels = _labels({"a": "b", "c": 'x\n["a","b2"]\n'})
    assert _label("a", "b") in labels
    assert _label("c", 'x\n["a","b2"]\n') in labels
    assert _label("a", "b2") not in labels
    assert _labels({}) == "\n"
