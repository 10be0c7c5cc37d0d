"""What a converter needs besides the value and its path."""

from __future__ import annotations

from typing import Any, NamedTuple

from .losses import Report
from .presets import resolve_profile
from .profiles import Profile
from .seals import PLAIN, Seals


class Context(NamedTuple):
    """What a converter needs besides the value and its path."""

    profile: Profile
    report: Report
    live: bool = False
    """Whether the answer is translated, too: then some things can be emulated that no request can express."""
    seals: Seals = PLAIN
    """What seals the state that goes through the client."""
    strict: bool = False
    """Whether what would be lost is refused."""

    @classmethod
    def of(
        cls, profile: Profile | str | None, report: Report | None, live: bool = False, seals: Seals = PLAIN
    ) -> Context:
        """Return the context for a profile or its name; without a *report*, it gets a new one.

        Raises ValueError for an unknown name, and TypeError for a value of another type.
        """
        if report is None:
            report = Report()
        elif not isinstance(report, Report):
            raise TypeError(f"a report is a Report, not a {type(report).__name__}")
        return cls(resolve_profile(profile), report, live, seals)

    def report_unread(self, value: dict[str, Any], fields: frozenset[str] | None, path: str) -> None:
        """Report the fields of *value* that are not read."""
        if fields is not None and not fields.issuperset(value):
            for name in value:
                if name not in fields and value[name] is not None:
                    self.report.dropped(f"{path}.{name}", "unknown field", value[name])
