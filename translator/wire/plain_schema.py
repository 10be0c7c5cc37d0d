"""JSON schemas for servers that support a small part of JSON Schema: the rest is rewritten or left out.

That part is the OpenAPI 3.0 subset of Google's API (https://ai.google.dev/api/caching#Schema): one type per schema,
only strings in `enum`, nothing beside `anyOf`, no references. Anything else gets a 400 there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..losses import Report
from . import json

Schema = dict[str, Any]

_OF_TYPE: dict[str, tuple[str, ...]] = {
    "object": ("properties", "required", "propertyOrdering", "minProperties", "maxProperties"),
    "array": ("items", "minItems", "maxItems"),
    "string": ("enum", "format", "pattern", "minLength", "maxLength"),
    "number": ("format", "minimum", "maximum"),
    "integer": ("format", "minimum", "maximum"),
    "boolean": (),
}
"""What there is to say of each type, and of all of them: `_ABOUT`."""
_ABOUT = ("title", "description", "nullable", "default")
_FORMATS = {"string": ("date-time", "enum"), "number": ("float", "double"), "integer": ("int32", "int64")}
_DEEPEST = 32
_INLINED = 20  # times the size of a schema is what its references may make of it


def plain(schema: Any) -> Any:
    """Return *schema* as such servers take it, equal to *schema* if it was so already; what is no object stays.

    References are replaced by what they mean, as far as that has an end and is not many times as large.
    """
    return _SchemaCleaner(schema).clean(schema, 0) if isinstance(schema, dict) else schema


def reported(schema: Any, path: str, report: Report) -> Any:
    """Return the plain schema for the one at *path*, and report it when that says something else."""
    made = plain(schema)
    if made != schema and {name: value for name, value in schema.items() if name not in _SAYS_NOTHING} != made:
        report.approximated(path, "the upstream supports only part of JSON Schema")
    return made


_SAYS_NOTHING = ("$schema", "$id", "$comment")


class _SchemaCleaner:
    def __init__(self, whole: Schema) -> None:
        self._whole: Schema = whole
        self._budget: int = _INLINED * _size(whole)
        self._targets: dict[str, tuple[Any, int]] = {}  # what references mean, and the size of that
        self._open: dict[str, None] = {}  # references that are being replaced: inside of itself, one has no end

    def clean(self, schema: Any, depth: int) -> Schema:
        """The plain schema for any schema, which may be `true`, too."""
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return {"type": "string"}
        outside = len(self._open)
        made = self._cleaned(self._merged(self._followed(schema)), depth)
        while len(self._open) > outside:
            self._open.popitem()
        return made

    def _cleaned(self, schema: Schema, depth: int) -> Schema:
        options = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(options, list) and options:
            return self._one_of(schema, options, depth)
        kinds = _kinds(schema)
        made = [self._of_type(schema, kind, depth) for kind in kinds if kind != "null"]
        return _combine(made, schema, "null" in kinds)

    def _followed(self, schema: Schema) -> Schema:
        """What a reference means, with what is said beside it; one to nowhere, or one too many, means an object."""
        while "$ref" in schema:
            reference = schema["$ref"]
            if not isinstance(reference, str):
                break
            beside = {name: value for name, value in schema.items() if name != "$ref"}
            target, size = self._target(reference)
            if not isinstance(target, dict) or size > self._budget or reference in self._open:
                break
            self._budget -= size
            self._open[reference] = None
            schema = {**target, **beside}
        else:
            return schema
        return {"type": "object", **{name: schema[name] for name in _ABOUT if name in schema}}

    def _target(self, reference: str) -> tuple[Any, int]:
        if reference not in self._targets:
            target: Any = self._whole if reference.startswith("#") else None
            for step in reference.split("/")[1:]:
                name = step.replace("~1", "/").replace("~0", "~")
                target = target.get(name) if isinstance(target, dict) else None
            self._targets[reference] = target, _size(target)
        return self._targets[reference]

    def _merged(self, schema: Schema) -> Schema:
        """*schema* together with all that its `allOf` says."""
        together = schema.get("allOf")
        if not isinstance(together, list):
            return schema
        parts = [schema, *(self._followed(part) for part in together if isinstance(part, dict))]
        merged: Schema = {}
        properties: Schema = {}
        required: dict[Any, None] = {}
        for part in parts:
            for name, value in part.items():
                merged.setdefault(name, value)
            properties.update(part["properties"] if isinstance(part.get("properties"), dict) else {})
            required.update(dict.fromkeys(_names(part.get("required"))))
        return {**merged, **({"properties": properties, "required": list(required)} if properties else {})}

    def _one_of(self, schema: Schema, options: list[Any], depth: int) -> Schema:
        """Alternatives stand alone: what was said beside them is said in the first one, if it can be."""
        others = [option for option in options if not (isinstance(option, dict) and _kinds(option) == ["null"])]
        if len(others) == 1 and isinstance(others[0], dict):
            beside = {name: value for name, value in schema.items() if name not in ("anyOf", "oneOf", *_ABOUT)}
            others = [{**beside, **others[0]}]
        made: list[Schema] = []
        for option in others:
            part = self.clean(option, depth + 1)
            made += part.get("anyOf") or [part]
        return _combine(made, schema, len(others) < len(options))

    def _of_type(self, schema: Schema, kind: str, depth: int) -> Schema:
        made: Schema = {"type": kind}
        for name in _OF_TYPE[kind]:
            if name in schema and (member := _SHAPES.get(name, _same)(self, schema[name], kind, depth)) is not None:
                made[name] = member
        if kind == "array":
            made.setdefault("items", {"type": "string"})
        if "required" in made:
            made["required"] = [name for name in made["required"] if name in made.get("properties", {})]
        return made

    def _properties(self, value: Any, kind: str, depth: int) -> Schema | None:
        if not isinstance(value, dict):
            return None
        return {name: self.clean(schema, depth + 1) for name, schema in value.items()}

    def _items(self, value: Any, kind: str, depth: int) -> Schema:
        return self.clean(value, depth + 1)


def _same(cleaner: _SchemaCleaner, value: Any, kind: str, depth: int) -> Any:
    return value


def _texts(cleaner: _SchemaCleaner, value: Any, kind: str, depth: int) -> list[str] | None:
    return _names(value) or None


def _format(cleaner: _SchemaCleaner, value: Any, kind: str, depth: int) -> str | None:
    return value if isinstance(value, str) and value in _FORMATS[kind] else None


_SHAPES: dict[str, Callable[[_SchemaCleaner, Any, str, int], Any]] = {
    "properties": _SchemaCleaner._properties,
    "items": _SchemaCleaner._items,
    "required": _texts,
    "enum": _texts,
    "format": _format,
}


def _kinds(schema: Schema) -> list[str]:
    """The types that *schema* allows; where it does not say, what else it says tells."""
    declared = schema.get("type")
    named = [kind for kind in (declared if isinstance(declared, list) else [declared]) if isinstance(kind, str)]
    kinds = [kind for kind in named if kind == "null" or kind in _KNOWN]
    if kinds:
        return list(dict.fromkeys(kinds))
    for kind, member_name in (("object", "properties"), ("array", "items")):
        if member_name in schema:
            return [kind]
    members = _enum(schema)
    return list(dict.fromkeys(_TYPES.get(type(member), "string") for member in members)) or ["string"]


_KNOWN = frozenset(_OF_TYPE)
_TYPES: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def _enum(schema: Schema) -> list[Any]:
    if "const" in schema:
        return [schema["const"]]
    return schema["enum"] if isinstance(schema.get("enum"), list) else []


def _names(value: Any) -> list[str]:
    return [member for member in value if isinstance(member, str) and member] if isinstance(value, list) else []


def _combine(made: list[Schema], schema: Schema, nullable: bool) -> Schema:
    """One schema for the alternatives in *made*, with what *schema* says about itself."""
    first, *others = made or [{"type": "string"}]
    about = {name: schema[name] for name in _ABOUT if name in schema}
    members = _enum(schema)
    if first["type"] == "string" and "const" in schema and _names(members):
        about["enum"] = members
    elif any(not isinstance(member, str) and member is not None for member in members):  # only texts are enumerated
        listed = f"One of: {', '.join(map(json.encode_text, members))}."
        about["description"] = f"{about.get('description', '')} {listed}".strip()
    if nullable:
        about["nullable"] = True
    first = {**first, **about}
    return {"anyOf": [first, *others]} if others else first


def _size(value: Any) -> int:
    """How many values there are in *value*."""
    size, stack = 0, [value]
    while stack:
        size += 1
        inner = stack.pop()
        if isinstance(inner, (dict, list)):
            stack += inner.values() if isinstance(inner, dict) else inner
    return size
