"""What is counted: lines, shapes, models and losses. Tallies of parts add up."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ...translator import Loss

_INDEX = re.compile(r"\[\d+\]")
_EXAMPLES = 3
_MOST_MODELS = 200
_MOST_LOSSES = 5_000
_OTHERS = "others"
_LONGEST_VALUE = 200


class Example(msgspec.Struct):
    """Where a loss was found. ``line`` is a number from 1."""

    file: str
    line: int
    value: str = ""


class LossCount(msgspec.Struct):
    """One kind of loss: in how many lines it was found, and of which models."""

    path: str
    kind: str
    why: str
    lines: int = 0
    models: dict[str, int] = {}
    examples: list[Example] = []


class Tally(msgspec.Struct):
    """The counts of a part, or of all parts."""

    lines: int = 0
    """All lines that are not blank."""
    converted: int = 0
    bad: int = 0
    """Lines that could not be read or converted; those that strict mode refused are among them."""
    refused: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    shapes: dict[str, int] = {}
    models: dict[str, int] = {}
    losses: list[LossCount] = []
    checks: dict[str, int] = {}
    """With `--check`: how many lines come back identical, equivalent, or with losses."""


class Counter:
    """Counts while lines are converted; ``tally`` is the sum so far."""

    def __init__(self) -> None:
        self.tally: Tally = Tally()
        self._losses: dict[tuple[str, str, str], LossCount] = {}

    def converted(self, shape: str, model: str, losses: list[Loss], where: Example, values: bool) -> None:
        """Count a line."""
        self.tally.lines += 1
        self.tally.converted += 1
        _count(self.tally.shapes, shape, 1)
        _count(self.tally.models, model, 1)
        if not losses:
            return
        found: dict[tuple[str, str, str], Loss] = {}
        for loss in losses:
            found.setdefault((_place(loss), loss.kind, loss.why), loss)
        for key, loss in found.items():
            known = self._known(key)
            known.lines += 1
            _count(known.models, model, 1)
            if len(known.examples) < _EXAMPLES:
                known.examples.append(Example(where.file, where.line, _shown(loss.value) if values else ""))

    def bad(self, refused: bool) -> None:
        """Count a line that became nothing."""
        self.tally.lines += 1
        self.tally.bad += 1
        self.tally.refused += refused

    def checked(self, outcome: str) -> None:
        """Count what became of a line that was converted back."""
        _count(self.tally.checks, outcome, 1)

    def add(self, other: Tally, lines_before: int = 0) -> None:
        """Add the tally of a part, in front of which its file has some lines."""
        whole = self.tally
        for name in ("lines", "converted", "bad", "refused", "bytes_in", "bytes_out"):
            setattr(whole, name, getattr(whole, name) + getattr(other, name))
        for name in ("shapes", "models", "checks"):
            for key, count in getattr(other, name).items():
                _count(getattr(whole, name), key, count)
        for loss in other.losses:
            examples = [Example(one.file, one.line + lines_before, one.value) for one in loss.examples]
            self._add(msgspec.structs.replace(loss, examples=examples, models={**loss.models}))

    def _add(self, loss: LossCount) -> None:
        known = self._known((loss.path, loss.kind, loss.why))
        known.lines += loss.lines
        for model, count in loss.models.items():
            _count(known.models, model, count)
        known.examples += loss.examples[: _EXAMPLES - len(known.examples)]

    def _known(self, key: tuple[str, str, str]) -> LossCount:
        """Return the count of one kind of loss; beyond the most, of all others."""
        known = self._losses.get(key)
        if known is None:
            if len(self._losses) >= _MOST_LOSSES:
                key = _OTHERS, key[1], "more kinds of losses than are listed"
            known = self._losses.setdefault(key, LossCount(*key))
            if known.lines == 0:
                known.models, known.examples = {}, []
                self.tally.losses.append(known)
        return known


def _place(loss: Loss) -> str:
    place = loss.place
    return _INDEX.sub("[*]", place) if "[" in place else place


def _count(counts: dict[str, int], key: str, count: int) -> None:
    if key not in counts and len(counts) >= _MOST_MODELS:
        key = _OTHERS
    counts[key] = counts.get(key, 0) + count


def _shown(value: Any) -> str:
    return str(value)[:_LONGEST_VALUE]
