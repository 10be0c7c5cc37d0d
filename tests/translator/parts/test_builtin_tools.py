import pytest

from diglot.translator.parts import builtin_tools, calls
from diglot.translator.wire import schema


@pytest.mark.parametrize("kind", builtin_tools.NATIVES)
def test_every_stand_in_says_what_it_does(kind: str) -> None:
    """A sentence, and a closed object of parameters whose needed ones are there."""
    description, parameters = builtin_tools.NATIVES[kind]
    assert description.endswith(".")
    assert parameters["additionalProperties"] is False
    assert set(parameters["required"]) <= set(parameters["properties"])
    assert "optional" not in str(parameters)
    assert f"{kind}_call" in calls.CALLS


def test_free_form_input_is_one_strict_string() -> None:
    """Servers that hold to schemas would take it as strict."""
    assert builtin_tools.INPUT_SCHEMA["required"] == ["input"]
    assert schema.is_strict(builtin_tools.INPUT_SCHEMA)
