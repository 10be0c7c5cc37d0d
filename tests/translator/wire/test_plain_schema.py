from typing import Any

import pytest

from diglot.translator import Report
from diglot.translator.wire import plain_schema
from diglot.translator.wire.plain_schema import plain

STRING = {"type": "string"}


def an_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        an_object(a={"type": "string", "enum": ["x"], "description": "d"}, b={"type": "array", "items": STRING}),
        {**an_object(a={"anyOf": [STRING, {"type": "integer", "minimum": 1}]}), "required": ["a"]},
        an_object(a={"type": "string", "format": "date-time", "nullable": True, "default": "x"}),
        "not a schema",
        None,
    ],
)
def test_plain_schemas_stay(schema: Any) -> None:
    """What such servers take is not changed."""
    assert plain(schema) == schema


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({}, STRING),
        (True, STRING),
        ({"type": "strange"}, STRING),
        ({"type": "string", "format": "uri", "$comment": "x"}, STRING),
        ({"type": "string", "format": ["x"]}, STRING),
        ({"type": "integer", "exclusiveMinimum": 0, "format": "int32"}, {"type": "integer", "format": "int32"}),
        ({"properties": {"a": {}}, "additionalProperties": False}, an_object(a=STRING)),
        ({"type": "object", "properties": []}, {"type": "object"}),
        ({"type": "object", "required": ["a"]}, {"type": "object", "required": []}),
        ({**an_object(a=STRING), "required": ["b", "a", 5]}, {**an_object(a=STRING), "required": ["a"]}),
        ({"items": STRING}, {"type": "array", "items": STRING}),
        ({"type": "array"}, {"type": "array", "items": STRING}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": "null"}, {"type": "string", "nullable": True}),
        (
            {"type": ["string", "number"], "minimum": 1, "minLength": 2, "title": "t"},
            {"anyOf": [{"type": "string", "minLength": 2, "title": "t"}, {"type": "number", "minimum": 1}]},
        ),
        ({"const": "x"}, {"type": "string", "enum": ["x"]}),
        ({"const": 5}, {"type": "integer", "description": "One of: 5."}),
        (
            {"enum": [1, 2.5], "description": "d"},
            {"anyOf": [{"type": "integer", "description": "d One of: 1, 2.5."}, {"type": "number"}]},
        ),
        (
            {"enum": ["a", None]},
            {"type": "string", "enum": ["a"], "nullable": True},
        ),
        ({"enum": [[]]}, {**STRING, "description": "One of: []."}),
        ({"type": "string", "enum": "x"}, STRING),
        ({"anyOf": [STRING, {"type": "null"}], "default": None}, {**STRING, "default": None, "nullable": True}),
        ({"oneOf": [STRING, {"type": "boolean"}]}, {"anyOf": [STRING, {"type": "boolean"}]}),
        ({"anyOf": [{"type": "null"}]}, {**STRING, "nullable": True}),
        ({"anyOf": [{"anyOf": [STRING, {"type": "boolean"}]}, True]}, {"anyOf": [STRING, {"type": "boolean"}, STRING]}),
        ({"anyOf": [], "type": "string"}, STRING),
        (
            {"anyOf": [{"required": ["a"]}], **an_object(a=STRING)},
            {**an_object(a=STRING), "required": ["a"]},
        ),
        (
            {"description": "d", "anyOf": [STRING, {"type": "boolean"}, {"type": "null"}]},
            {"anyOf": [{**STRING, "description": "d", "nullable": True}, {"type": "boolean"}]},
        ),
        (
            {"allOf": [an_object(a=STRING), {"properties": {"b": {}}, "required": ["b"]}, 5], "required": ["a"]},
            {**an_object(a=STRING, b=STRING), "required": ["a", "b"]},
        ),
        ({"allOf": [{"description": "d"}, STRING]}, {**STRING, "description": "d"}),
        ({"allOf": "x", "type": "string"}, STRING),
    ],
)
def test_the_rest_is_said_in_that_part(schema: Any, made: Any) -> None:
    """As far as it can be said: types, alternatives, constants; everything else is left out."""
    assert plain({"type": "object", "properties": {"p": schema}})["properties"]["p"] == made


@pytest.mark.parametrize(
    ("reference", "made"),
    [
        ("#/$defs/a~1b", {**STRING, "description": "d"}),
        ("#/$defs/again", {**STRING, "description": "d"}),
        ("#/$defs/gone", {"type": "object", "description": "d"}),
        ("#/$defs/a~1b/type", {"type": "object", "description": "d"}),
        ("https://example.com/x", {"type": "object", "description": "d"}),
        (5, {"type": "object", "description": "d"}),
    ],
)
def test_references_are_replaced_by_what_they_mean(reference: Any, made: Any) -> None:
    """What cannot be found is an object; what is said beside a reference stays."""
    found = {"a/b": STRING, "again": {"$ref": "#/$defs/a~1b"}}
    schema = {**an_object(p={"$ref": reference, "description": "d"}), "$defs": found}
    assert plain(schema) == an_object(p=made)


def test_recursion_ends() -> None:
    """A schema inside of itself is an object there, and as deep as can be it is text."""
    node = an_object(next={"$ref": "#/$defs/node"}, value=STRING)
    schema = {"$ref": "#/$defs/node", "$defs": {"node": node}}
    assert plain(schema) == an_object(next={"type": "object"}, value=STRING)
    deep: Any = STRING
    for _ in range(100):
        deep = {"type": "array", "items": deep}
    assert str(plain(deep)).count("array") == 33


def test_references_cannot_blow_up() -> None:
    """Twice as much at each step would be too much: then an object stands for it."""
    defs: dict[str, Any] = {"d0": an_object(a=STRING, b=STRING)}
    for i in range(1, 30):
        defs[f"d{i}"] = an_object(a={"$ref": f"#/$defs/d{i - 1}"}, b={"$ref": f"#/$defs/d{i - 1}"})
    assert len(str(plain({"$ref": "#/$defs/d29", "$defs": defs}))) < 50 * len(str(defs))


@pytest.mark.parametrize("kind", [{}, [[]], 5, [None, "string"]])
def test_types_may_be_anything(kind: Any) -> None:
    """What is no type is none."""
    assert plain({"type": kind}) == STRING


@pytest.mark.parametrize(
    ("schema", "losses"),
    [
        (an_object(a=STRING), []),
        ({**an_object(a=STRING), "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x"}, []),
        ({**an_object(a=STRING), "additionalProperties": False}, [("p", "approximated")]),
        (an_object(a={"$schema": "x"}), [("p", "approximated")]),
    ],
)
def test_what_is_lost_is_reported(schema: Any, losses: Any) -> None:
    """Marks that say nothing about values are not."""
    report = Report()
    plain_schema.reported(schema, "p", report)
    assert [(loss.path, loss.kind) for loss in report] == losses
