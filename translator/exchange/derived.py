"""Ids and times derived from the input, for callers that pass none: the same input gives the same bytes.

Servers pass random ids and a real clock: two clients that send the same request must not get the same ids.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ..wire import json


class Ids:
    """Makes ids for prefixes (``resp`` -> ``resp_...``) from the values it was given and the number of ids so far."""

    def __init__(self, *values: Any) -> None:
        self._hash = hashlib.sha256()
        self._count = 0
        for value in values:
            self.add(value)

    def add(self, value: Any) -> None:
        """Let all later ids depend on one more decoded JSON value; what cannot be encoded does not count."""
        try:
            self._hash.update(json.encode(value) + b"\n")
        except (RecursionError, ValueError, OverflowError):
            self._hash.update(b"?\n")

    def __call__(self, prefix: str) -> str:
        digest = self._hash.copy()
        digest.update(b"%d" % self._count)
        self._count += 1
        return f"{prefix}_{digest.hexdigest()[:32]}"


def no_time() -> float:
    """The clock of those who have none: an answer then has the time that the upstream says, or 0."""
    return 0.0


_HEAD = ("id", "created", "created_at", "model")


def identity(answer: Any) -> Any:
    """Return what tells an answer from others, and its first chunk or event says as well; all of it without an id."""
    if not isinstance(answer, dict):
        return None
    nested = answer.get("response")  # as events have it
    about = nested if isinstance(nested, dict) else answer
    return {name: about.get(name) for name in _HEAD} if about.get("id") else about


def model_of(answer: Any) -> str:
    """Return the model that an answer, or the first chunk or event of one, names."""
    about = identity(answer) or {}
    model = about.get("model")
    return model[:_LONGEST_MODEL] if model and isinstance(model, str) else "unknown"


_LONGEST_MODEL = 1_000
