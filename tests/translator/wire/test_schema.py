from typing import Any

import pytest

from diglot.translator.wire import schema as schemas

OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (closed(), True),
        (closed(a={"type": "string", "enum": ["x"], "default": {"type": "object"}}), True),
        (closed(a={"anyOf": [{"type": "null"}, closed()]}), True),
        (closed(a={"type": "array", "items": closed(b={"type": "string"})}), True),
        ({**closed(a={"$ref": "#/$defs/x"}), "$defs": {"x": closed()}}, True),
        (closed(type={"type": "string"}, properties={"type": "string"}), True),
        (OPEN, False),
        ({**closed(a={}), "required": []}, False),
        ({**closed(), "required": None}, False),
        ({**closed(), "required": [1, "b"]}, False),
        ({**closed(), "properties": None}, True),
        ({**closed(), "additionalProperties": True}, False),
        ({"type": "object"}, False),
        ({"type": ["object", "null"]}, False),
        ({"properties": {}}, False),
        (closed(a={"type": "array", "items": OPEN}), False),
        (closed(a={"anyOf": [{"type": "null"}, OPEN]}), False),
        ({**closed(), "$defs": {"x": OPEN}}, False),
        ({**closed(), "$defs": {"default": OPEN}}, False),
        (closed(default=OPEN), False),
        (closed(enum=OPEN), False),
        ({**closed(), "oneOf": []}, False),
        (closed(not_={"not": {}}), False),
    ],
)
def test_a_strict_schema_is_closed_all_the_way_down(schema: Any, strict: bool) -> None:
    """Closed objects, all properties required, whatever the properties are called."""
    assert schemas.is_strict(schema) is strict
