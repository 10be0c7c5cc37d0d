"""Adaptation to refusals: one request learns a patch of the profile, which is kept for its upstream and model (W12).

The rules, one for each thing that upstreams refuse, are in `refusals.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..profiles import Profile
from ..state import truncation
from .base import Exchange

ProfilePatch = dict[str, Any]
"""The settings of a profile that change: their names and new values."""

MOST_MODELS = 256
"""The most models that are remembered: clients may send any name."""
_LONGEST = 200  # characters of a model's name
_MOST_RETRIES = 2


class Adaptation:
    """The profile patches learned from refusals, by upstream URL and model.

    The least recently used are forgotten. Each setting changes only once, so that nothing oscillates; sets only grow.
    """

    def __init__(self) -> None:
        self._patches: dict[tuple[str, str], ProfilePatch] = {}
        self._patched: dict[tuple[str, str], tuple[Profile, Profile]] = {}  # which profile became which one

    def profile_for(self, upstream: str, model: object, profile: Profile) -> Profile:
        """Return *profile* with what is known of *model* at *upstream*."""
        if not self._patches or not isinstance(model, str):
            return profile
        key = upstream, model
        patch = self._patches.pop(key, None)
        if patch is None:
            return profile
        self._patches[key] = patch  # at the end: it was used
        base, patched = self._patched.get(key, (None, profile))
        if base is not profile:
            settings = {name: _grown(getattr(profile, name), value) for name, value in patch.items()}
            patched = msgspec.structs.replace(profile, **settings)
            self._patched[key] = profile, patched
        return patched

    def add(self, upstream: str, model: object, profile: Profile, patch: Mapping[str, Any]) -> ProfilePatch:
        """Keep *patch* for *model* at *upstream*; return what is new in it (for sets, the new members)."""
        if not isinstance(model, str) or len(model) > _LONGEST:
            return {}
        key = upstream, model
        before, known = self.profile_for(upstream, model, profile), self._patches.get(key, {})
        new: ProfilePatch = {}
        for name, value in patch.items():
            if isinstance(value, frozenset):
                value -= getattr(before, name)
                if value:
                    new[name] = value
            elif name not in known and value != getattr(before, name):
                new[name] = value
        if new:
            self._patches[key] = {**known, **{name: _grown(known.get(name), value) for name, value in new.items()}}
            self._patched.pop(key, None)
        if len(self._patches) > MOST_MODELS:
            oldest = next(iter(self._patches))
            del self._patches[oldest]
            self._patched.pop(oldest, None)
        return new

    def summary(self) -> list[dict[str, Any]]:
        """Return which settings changed, to what, and for how many models; no model names, which clients choose."""
        rows: list[dict[str, Any]] = []
        for patch in self._patches.values():
            for name, value in patch.items():
                plain = sorted(value) if isinstance(value, frozenset) else value
                row = next((row for row in rows if (row["setting"], row["value"]) == (name, plain)), None)
                if row is None:
                    rows.append({"setting": name, "value": plain, "models": 1})
                else:
                    row["models"] += 1
        return rows


class Retries:
    """What one request has learned from refusals: it is sent again at most twice, and no setting changes twice."""

    def __init__(self) -> None:
        self.patch: ProfilePatch = {}
        self._left = _MOST_RETRIES
        self._left_to_shorten = truncation.TRIES

    def learn(self, exchange: Exchange, status: int, body: bytes) -> Profile | None:
        """Return the profile with which *exchange* is worth another try; None if the refusal teaches nothing new."""
        learned = exchange.learned(status, body) if self._left else None
        if learned is None:
            return None
        patch = differences(exchange.profile, learned)
        again = [name for name in patch if name in self.patch and not isinstance(patch[name], frozenset)]
        if not patch or again:
            return None
        self._left -= 1
        self.patch.update(patch)
        return learned

    def shorten(self, exchange: Exchange, status: int, body: bytes) -> frozenset[int] | None:
        """Return what to leave out of *exchange* so that it may fit; None if it is no use, or was tried too often."""
        left_out = exchange.shortened(status, body) if self._left_to_shorten else None
        if left_out is not None:
            self._left_to_shorten -= 1
        return left_out


def differences(before: Profile, after: Profile) -> ProfilePatch:
    """Return the settings of *after* that differ from *before*."""
    values = {name: getattr(after, name) for name in Profile.__struct_fields__}
    return {name: value for name, value in values.items() if value != getattr(before, name)}


def _grown(before: Any, value: Any) -> Any:
    return value | before if isinstance(value, frozenset) and before else value
