from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.parts import formats

SCHEMA = {"type": "object", "properties": {}}
FLAT = {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True, "description": None}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"type": "json_object"}),
        (FLAT, {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
        ),
    ],
)
def test_formats(form: Any, expected: Any) -> None:
    """Text is the default and left out, a schema is nested, nulls are left out, the rest stays."""
    context = Context(Profile(), Report())
    assert formats.to_chat(form, "text.format", context) == expected
    assert len(context.report) == 0


def test_schemas_as_the_upstream_takes_them() -> None:
    """They are simplified as those of functions are; a format without one stays without."""
    context = Context(Profile(schemas="clean"), Report())
    made = formats.to_chat({**FLAT, "schema": {**SCHEMA, "additionalProperties": False}}, "text.format", context)
    assert made is not None
    assert made["json_schema"]["schema"] == SCHEMA
    assert [(loss.path, loss.kind) for loss in context.report] == [("text.format.schema", "approximated")]
    bare = formats.to_chat({"type": "json_schema", "name": "n"}, "text.format", context)
    assert bare == {"type": "json_schema", "json_schema": {"name": "n"}}


@pytest.mark.parametrize(
    ("form", "param"),
    [("json", "text.format"), ({}, "text.format.type"), ({"type": "grammar"}, "text.format.type")],
)
def test_other_formats_are_refused(form: Any, param: str) -> None:
    """What is no object, or of no known type, is a 400 with its path."""
    with pytest.raises(RequestError) as raised:
        formats.to_chat(form, "text.format", Context(Profile(), Report()))
    assert raised.value.param == param


def test_a_schema_that_the_upstream_does_not_take_is_emulated() -> None:
    """It is asked for some JSON, and told the schema."""
    context = Context(Profile(json_schema=False), Report())
    assert formats.to_chat(FLAT, "text.format", context) == {"type": "json_object"}
    assert [(loss.path, loss.kind) for loss in context.report] == [("text.format", "emulated")]


@pytest.mark.parametrize(
    ("form", "told"), [(FLAT, '{"type":"object","properties":{}}'), ({"type": "json_schema"}, "{}")]
)
def test_the_instruction_holds_the_schema(form: Any, told: str) -> None:
    """The schema stands in the instruction as it is."""
    assert formats.instruction(form).endswith(":\n" + told)


# --- chat -> Responses

NESTED = {"name": "n", "schema": SCHEMA, "strict": None}


def flat(form: Any) -> tuple[Any, list[tuple[str, str]]]:
    """The text format for a response format, and what was lost."""
    context = Context(Profile(), Report())
    return formats.to_responses(form, "f", context), [(loss.path, loss.kind) for loss in context.report]


@pytest.mark.parametrize(
    ("form", "made", "losses"),
    [
        ({"type": "text"}, {"type": "text"}, []),
        ({"type": "json_object"}, {"type": "json_object"}, []),
        ({"type": "json_schema", "json_schema": NESTED}, {"type": "json_schema", "name": "n", "schema": SCHEMA}, []),
        ({"type": "json_schema", **NESTED}, {"type": "json_schema", "name": "n", "schema": SCHEMA}, []),
        (
            {"type": "json_schema", "json_schema": {"name": "n"}},
            {"type": "json_schema", "name": "n", "schema": {}},
            [("f.json_schema.schema", "defaulted")],
        ),
        ({"type": "json_schema"}, {"type": "json_schema", "schema": {}}, [("f.schema", "defaulted")]),
        (
            {"type": "json_schema", "json_schema": NESTED, "strict": True},
            {"type": "json_schema", "name": "n", "schema": SCHEMA},
            [("f.strict", "dropped")],
        ),
    ],
)
def test_a_schema_comes_out_of_its_nesting(form: Any, made: Any, losses: Any) -> None:
    """In either spelling; a missing one is supplied, as Responses need one."""
    assert flat(form) == (made, losses)


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ("json", "f"),
        ({}, "f.type"),
        ({"type": "grammar"}, "f.type"),
        ({"type": "json_schema", "json_schema": {"schema": "x"}}, "f.json_schema.schema"),
        ({"type": "json_schema", "schema": 5}, "f.schema"),
    ],
)
def test_what_is_no_format_is_refused(form: Any, param: str) -> None:
    """A 400 with the path of what is wrong."""
    with pytest.raises(RequestError) as raised:
        flat(form)
    assert raised.value.param == param
