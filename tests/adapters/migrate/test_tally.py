"""What is counted."""

from typing import Any

import pytest

from diglot import Loss
from diglot.adapters.migrate.tally import Counter, Example, Tally

HERE = Example("a.jsonl", 1)


def test_losses_are_counted_by_line() -> None:
    """Indexes do not count, nor does how often a line has a loss; values are shown only on request."""
    counter = Counter()
    losses = [Loss(f"tools[{i}].x", "dropped", "why", "secret" * 100) for i in range(3)]
    counter.converted("request", "m", losses, HERE, False)
    counter.converted("request", "n", losses, HERE, True)
    (loss,) = counter.tally.losses
    assert (loss.path, loss.lines, loss.models) == ("tools[*].x", 2, {"m": 1, "n": 1})
    assert [len(one.value) for one in loss.examples] == [0, 200]


def test_tallies_add_up() -> None:
    """As if all had been counted together; examples have the numbers of the file, and what is added stays as it is."""
    one, whole = Counter(), Counter()
    one.converted("request", "m", [Loss("seed", "dropped", "why")], HERE, False)
    one.bad(True)
    one.bad(False)
    one.checked("lossy")
    for lines in (0, 10, 20, 30):
        whole.add(one.tally, lines)
    tally = whole.tally
    assert (tally.lines, tally.converted, tally.bad, tally.refused) == (12, 4, 8, 4)
    assert (tally.shapes, tally.checks, tally.losses[0].lines) == ({"request": 4}, {"lossy": 4}, 4)
    assert [example.line for example in tally.losses[0].examples] == [1, 11, 21]
    assert one.tally.losses[0].lines == 1


def test_names_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond what anybody reads, models and losses are counted together."""
    monkeypatch.setattr("diglot.adapters.migrate.tally._MOST_MODELS", 2)
    monkeypatch.setattr("diglot.adapters.migrate.tally._MOST_LOSSES", 2)
    counter = Counter()
    for i in range(5):
        counter.converted("request", f"m{i}", [Loss(f"x{i}", "dropped", "why")], HERE, False)
    assert counter.tally.models == {"m0": 1, "m1": 1, "others": 3}
    assert [(loss.path, loss.lines) for loss in counter.tally.losses] == [("x0", 1), ("x1", 1), ("others", 3)]


def test_three_examples_are_enough() -> None:
    """Of a loss that many lines have."""
    counter = Counter()
    for i in range(5):
        counter.converted("request", "m", [Loss("x", "dropped", "why")], Example("f", i), False)
    [loss] = counter.tally.losses
    assert (loss.lines, loss.models, [one.line for one in loss.examples]) == (5, {"m": 5}, [0, 1, 2])


def test_nothing_is_shared() -> None:
    """Two tallies have nothing in common."""
    first: Any = Tally()
    first.models["m"] = 1
    assert Tally().models == {}
