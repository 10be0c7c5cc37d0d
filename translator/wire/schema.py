"""JSON schemas, as far as strict mode restricts them (protocol 3.2)."""

from __future__ import annotations

from typing import Any

_SCHEMAS_BY_NAME = ("properties", "$defs", "definitions")
_NOT_STRICT = {
    "allOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
}
_SAYS_WHAT = {"type", "properties", "anyOf", "$ref", "enum", "const"}
_NO_SCHEMAS = ("enum", "const", "default", "examples")


def is_strict(schema: Any) -> bool:
    """Whether OpenAI would accept *schema* as strict: closed objects, all properties required, all the way down."""
    if isinstance(schema, list):
        return all(is_strict(member) for member in schema)
    if not isinstance(schema, dict):
        return True
    if not _NOT_STRICT.isdisjoint(schema):
        return False
    if _SAYS_WHAT.isdisjoint(schema):
        return False
    kinds, properties, required = (schema.get(name) for name in ("type", "properties", "required"))
    if properties is not None or kinds == "object" or (isinstance(kinds, list) and "object" in kinds):
        names = set(properties) if isinstance(properties, dict) else set()
        closed = schema.get("additionalProperties") is False
        if not closed or not isinstance(required, list) or names != {r for r in required if isinstance(r, str)}:
            return False
    inner: list[Any] = []
    for key, value in schema.items():
        if key in _SCHEMAS_BY_NAME and isinstance(value, dict):
            inner += value.values()
        elif key not in _NO_SCHEMAS:
            inner.append(value)
    return all(map(is_strict, inner))
