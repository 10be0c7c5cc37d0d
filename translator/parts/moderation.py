"""Moderation results: chat lists them, a Response has one for its input and one for its output (protocol 4.6)."""

from __future__ import annotations

from typing import Any

from ..wire import json


def to_responses(moderation: Any) -> dict[str, Any] | None:
    """Return `moderation` of a Response; several results are one: flagged if one is, with the highest scores."""
    if not isinstance(moderation, dict) or json.is_deep(moderation):
        return None
    return {side: _result(given) for side, given in moderation.items() if isinstance(given, dict)}


def to_chat(moderation: Any) -> dict[str, Any] | None:
    """Return `moderation` of a chat completion: each result in a list, its model beside the list too."""
    if not isinstance(moderation, dict) or json.is_deep(moderation):
        return None
    return {side: _results(given) for side, given in moderation.items() if isinstance(given, dict)} or None


def _results(given: dict[str, Any]) -> dict[str, Any]:
    if given.get("type") != "moderation_result":
        return given
    return {"type": "moderation_results", "model": given.get("model"), "results": [given]}


def _result(given: dict[str, Any]) -> dict[str, Any]:
    listed = given.get("results")
    results = [r for r in listed if isinstance(r, dict)] if isinstance(listed, list) else []
    if not results:
        return given
    first = {"model": given.get("model"), **results[0], "type": "moderation_result"}
    if len(results) == 1:
        return first
    first["flagged"] = any(bool(result.get("flagged")) for result in results)
    for field in ("categories", "category_scores"):
        told = [result[field] for result in results if isinstance(result.get(field), dict)]
        if len(told) > 1 and isinstance(first.get(field), dict):
            first[field] = _highest(told)
    return first


def _highest(given: list[dict[str, Any]]) -> dict[str, Any]:
    """The highest of the scores, or whether one of the flags is set."""
    highest: dict[str, Any] = {}
    for values in given:
        for name, value in values.items():
            if isinstance(value, (int, float)):
                highest[name] = max(highest.get(name, value), value)
    return highest
