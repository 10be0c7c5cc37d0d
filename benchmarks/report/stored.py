"""The figures of stored state, by store, beside their goals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks import measure

Found = dict[str, Any]


class Figure(NamedTuple):
    """One row; *value* is what was measured on one store, None if there is nothing to measure."""

    about: str
    limit: float
    value: Callable[[Found], float | None]
    sqlite: float | None = None
    """The limit for SQLite, where that is another one."""

    @property
    def bound(self) -> str:
        return f"{self.limit:g}" if self.sqlite is None else f"{self.limit:g} (SQLite: {self.sqlite:g})"

    def cell(self, store: str, found: Found) -> str:
        value = self.value(found)
        limit = self.sqlite if store == "SQLite" and self.sqlite is not None else self.limit
        if value is None:
            return ""
        text = f"{value:.3g}"
        return text if value <= limit else f"**{text}**"


def _ratio(figure: str, name: str, key: str = "x floor") -> Callable[[Found], float | None]:
    return lambda found: found[figure][name][key] if figure in found else None


def _loaded(found: Found) -> float:
    return found["loading"]["rows"][measure.OURS]["x floor"]


def _loaded_plain(found: Found) -> float:
    rows = found["loading"]["rows"]
    return rows[measure.OURS]["median"] / rows["decoding in one piece, not compressed"]["median"]


def _later(found: Found) -> float | None:
    """Milliseconds of wall time more than the driver needs."""
    if "writing" not in found:
        return None
    ours, bare = (found["writing"][name]["ms"]["median"] for name in (measure.OURS, "the driver alone"))
    return ours - bare


FIGURES = (
    Figure("request, `store: false`, x without a store", 1.02, _ratio("request", "store: false")),
    Figure("chunk, `store: false`, x without a store", 1.02, _ratio("chunk", "store: false")),
    Figure("chunk of a stored response, x without a store", 1.02, _ratio("chunk", "stored")),
    Figure("CPU of storing a response, x the driver alone", 2, _ratio("writing", measure.OURS), 4),
    Figure(
        "all that a request costs more that is stored, x the same",
        2,
        _ratio("writing", "all that a request costs more when it is stored"),
        4,
    ),
    Figure("its wall time, ms more than the driver alone", 1, _later),
    Figure("200 turns loaded, x decompressing and decoding them in one piece", 5, _loaded),
    Figure("the same, x decoding JSON that was never compressed", 5, _loaded_plain),
    Figure("round trips of that", 2, lambda found: found["loading"]["round trips"]),
    Figure("a turn at depth 200, x its history in the body", 1.5, _ratio("deep turn", measure.OURS)),
    Figure("bytes of a turn, x its items, compressed", 2, lambda found: found["size"]["x items, compressed"]),
    Figure("second hundred turns, x the first", 1.05, lambda found: found["size"]["second half x first"]),
)


def rows(stores: Found) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the table; what missed its goal is bold."""
    head = ["", "at most", *stores]
    return head, [
        [figure.about, figure.bound, *(figure.cell(name, found) for name, found in stores.items())]
        for figure in FIGURES
    ]
