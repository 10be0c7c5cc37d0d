from typing import Any

import pytest

from diglot.translator import BadRequest, Profile, Report
from diglot.translator.parts import formats
from diglot.translator.profiles import Terms

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
    terms = Terms(Profile(), Report())
    assert formats.to_chat(form, "text.format", terms) == expected
    assert len(terms.report) == 0


@pytest.mark.parametrize(
    ("form", "param"),
    [("json", "text.format"), ({}, "text.format.type"), ({"type": "grammar"}, "text.format.type")],
)
def test_other_formats_are_refused(form: Any, param: str) -> None:
    """What is no object, or of no known type, is a 400 with its path."""
    with pytest.raises(BadRequest) as raised:
        formats.to_chat(form, "text.format", Terms(Profile(), Report()))
    assert raised.value.param == param


def test_a_schema_that_the_upstream_does_not_take_is_emulated() -> None:
    """It is asked for some JSON, and told the schema."""
    terms = Terms(Profile(json_schema=False), Report())
    assert formats.to_chat(FLAT, "text.format", terms) == {"type": "json_object"}
    assert [(loss.path, loss.kind) for loss in terms.report] == [("text.format", "emulated")]


@pytest.mark.parametrize(
    ("form", "told"), [(FLAT, '{"type":"object","properties":{}}'), ({"type": "json_schema"}, "{}")]
)
def test_the_instruction_holds_the_schema(form: Any, told: str) -> None:
    """The schema stands in the instruction as it is."""
    assert formats.instruction(form).endswith(":\n" + told)
