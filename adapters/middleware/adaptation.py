"""What refusals have taught about the models of one upstream: patches of its profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...translator import Profile

MOST_MODELS = 256
"""Of how many models something is remembered: clients may name any."""
_LONGEST = 200  # characters of a model's name


class Learned:
    """Remembers for each model which settings had to be others; those not asked for longest are forgotten.

    Each setting changes once, so that nothing goes to and fro; sets grow.
    """

    def __init__(self) -> None:
        self._models: dict[str, dict[str, Any]] = {}
        self._made: dict[str, tuple[Profile, Profile]] = {}  # of which profile which one was made

    def profile_for(self, model: object, profile: Profile) -> Profile:
        """Return *profile* with what is known of *model*."""
        lessons = self._models.pop(model, None) if isinstance(model, str) else None
        if lessons is None or not isinstance(model, str):
            return profile
        self._models[model] = lessons  # at the end: it was used
        base, made = self._made.get(model, (None, profile))
        if base is not profile:
            settings = {name: _grown(getattr(profile, name), value) for name, value in lessons.items()}
            made = msgspec.structs.replace(profile, **settings)
            self._made[model] = profile, made
        return made

    def add(self, model: object, profile: Profile, lessons: Mapping[str, Any]) -> dict[str, Any]:
        """Remember *lessons* of *model*; return what is new: of sets, the members that are."""
        if not isinstance(model, str) or len(model) > _LONGEST:
            return {}
        before, known = self.profile_for(model, profile), self._models.get(model, {})
        new: dict[str, Any] = {}
        for name, value in lessons.items():
            if isinstance(value, frozenset):
                value -= getattr(before, name)
                if value:
                    new[name] = value
            elif name not in known and value != getattr(before, name):
                new[name] = value
        if new:
            self._models[model] = {**known, **{name: _grown(known.get(name), value) for name, value in new.items()}}
            self._made.pop(model, None)
        if len(self._models) > MOST_MODELS:
            oldest = next(iter(self._models))
            del self._models[oldest]
            self._made.pop(oldest, None)
        return new

    def told(self) -> list[dict[str, Any]]:
        """Return which settings were learned, with their values and for how many models: no names that clients gave."""
        found: list[dict[str, Any]] = []
        for lessons in self._models.values():
            for name, value in lessons.items():
                plain = sorted(value) if isinstance(value, frozenset) else value
                told = next((one for one in found if (one["setting"], one["value"]) == (name, plain)), None)
                if told is None:
                    found.append({"setting": name, "value": plain, "models": 1})
                else:
                    told["models"] += 1
        return found


def _grown(before: Any, value: Any) -> Any:
    return value | before if isinstance(value, frozenset) and before else value
