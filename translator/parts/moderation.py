"""Moderation results: chat lists them, a Response has one for its input and one for its output (protocol 4.6)."""

from __future__ import annotations

from typing import Any

from ..wire import json


def to_responses(moderation: Any) -> dict[str, Any] | None:
    """Return `moderation` of a Response; several results are one: flagged if one is, with the highest scores."""
    if not isinstance(moderation, dict) or json.is_deep(moderation):
        return None
    return {side: _result(results) for side, results in moderation.items() if isinstance(results, dict)}


def to_chat(moderation: Any) -> dict[str, Any] | None:
    """Return `moderation` of a chat completion: each result in a list, its model beside the list too."""
    if not isinstance(moderation, dict) or json.is_deep(moderation):
        return None
    return {side: _results(result) for side, result in moderation.items() if isinstance(result, dict)} or None


def _results(result: dict[str, Any]) -> dict[str, Any]:
    if result.get("type") != "moderation_result":
        return result
    return {"type": "moderation_results", "model": result.get("model"), "results": [result]}


def _result(result: dict[str, Any]) -> dict[str, Any]:
    listed = result.get("results")
    results = [r for r in listed if isinstance(r, dict)] if isinstance(listed, list) else []
    if not results:
        return result
    first = {"model": result.get("model"), **results[0], "type": "moderation_result"}
    if len(results) == 1:
        return first
    first["flagged"] = any(bool(one.get("flagged")) for one in results)
    for field in ("categories", "category_scores"):
        values = [one[field] for one in results if isinstance(one.get(field), dict)]
        if len(values) > 1 and isinstance(first.get(field), dict):
            first[field] = _highest(values)
    return first


def _highest(members: list[dict[str, Any]]) -> dict[str, Any]:
    """The highest of the scores, or whether one of the flags is set."""
    highest: dict[str, Any] = {}
    for values in members:
        for name, value in values.items():
            if isinstance(value, (int, float)):
                highest[name] = max(highest.get(name, value), value)
    return highest
