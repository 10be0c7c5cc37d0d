"""What one dialect can express and the other cannot: every loss is reported, none is silent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

Kind = Literal["dropped", "approximated", "emulated", "defaulted"]

REFUSED_WHEN_STRICT = ("dropped", "approximated")
_NAMES = re.compile(r"[\w.:/\[\]-]*", re.ASCII)
_LONGEST = 120
MOST = 10_000


class Loss(NamedTuple):
    """One thing that did not arrive as it was sent.

    ``path`` is in the caller's dialect. ``kind`` is *dropped* (it is gone), *approximated* (its meaning has changed),
    *emulated* (done in another way, with the same meaning) or *defaulted* (filled in because it was missing).
    ``value`` may hold private data: show it to the caller, never log it.
    """

    path: str
    kind: Kind
    why: str
    value: Any = None

    def __str__(self) -> str:
        return f"{self.kind} {self.path}: {self.why}"

    @property
    def place(self) -> str:
        """The path as it may appear in a log or a header: bounded in length, and made of plain names only."""
        name = _NAMES.match(self.path[:_LONGEST])
        plain = name[0] if name else ""
        return plain if plain == self.path else f"{plain[: plain.rfind('.') + 1]}?"


class Report:
    """The losses of one exchange, in the order in which they were found; equal losses are kept once.

    Beyond `MOST` they are only counted, in a last entry: a stream could produce them for ever.
    """

    def __init__(self) -> None:
        self._values: dict[tuple[str, Kind, str], Any] = {}  # a Loss is made of each when it is read
        self._more = 0  # that are only counted

    def dropped(self, path: str, why: str, value: Any = None) -> None:
        """It is gone."""
        self._add((path, "dropped", why), value)

    def approximated(self, path: str, why: str, value: Any = None) -> None:
        """Its meaning has changed."""
        self._add((path, "approximated", why), value)

    def emulated(self, path: str, why: str, value: Any = None) -> None:
        """It is done in another way, with the same meaning."""
        self._add((path, "emulated", why), value)

    def defaulted(self, path: str, why: str, value: Any = None) -> None:
        """It was missing and was filled in."""
        self._add((path, "defaulted", why), value)

    def add(self, losses: Iterable[Loss]) -> None:
        """Add losses that were found elsewhere."""
        for loss in losses:
            self._add((loss.path, loss.kind, loss.why), loss.value)

    def move(self, path_of: Callable[[str], str]) -> None:
        """Give all losses the paths that *path_of* returns for theirs."""
        values, self._values = self._values, {}
        for (path, kind, why), value in values.items():
            self._add((path_of(path), kind, why), value)

    def forget(self) -> None:
        """Release the values of all losses."""
        self._values = dict.fromkeys(self._values)

    def _add(self, loss: tuple[str, Kind, str], value: Any) -> None:
        if len(self._values) < MOST:
            self._values.setdefault(loss, value)
        elif loss not in self._values:
            self._more += 1

    def __iter__(self) -> Iterator[Loss]:
        for (path, kind, why), value in self._values.items():
            yield Loss(path, kind, why, value)
        if self._more:
            yield Loss("", "dropped", f"{self._more:,} more losses are not listed")

    def __len__(self) -> int:
        return len(self._values) + self._more

    def refused(self) -> list[Loss]:
        """The losses that strict mode does not allow."""
        return [loss for loss in self if loss.kind in REFUSED_WHEN_STRICT]

    def header(self, limit: int = 1024) -> str:
        """The losses as one HTTP field value: a structured list (RFC 9651) of at most *limit* bytes.

        ``"tools[3]";kind=dropped;why="nothing here runs 'web_search'"``; those that do not fit are counted in a last
        ``more;count=N``. Values are left out, because headers are often logged.
        """
        members: list[str] = []
        room = limit - len(", more;count=99999")
        for loss in self:
            member = f"{_quoted(loss.place)};kind={loss.kind};why={_quoted(loss.why)}"
            room -= len(member) + 2
            if room < 0:
                return ", ".join([*members, f"more;count={len(self) - len(members)}"])
            members.append(member)
        return ", ".join(members)


def _quoted(text: str) -> str:
    """A string of RFC 9651: printable ASCII, quotes and backslashes escaped, at most 200 characters."""
    ascii_text = "".join(c if " " <= c <= "~" else "?" for c in text[:200])
    return '"' + ascii_text.replace("\\", "\\\\").replace('"', '\\"') + '"'
