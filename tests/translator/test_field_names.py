"""Losses are counted by the fields of the tables, of which there are only so many."""

import pytest

from diglot.translator import fields_as_markdown, table_field
from diglot.translator.field_names import NAMES


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("tools", "tools"),
        ("tools[3].function.strict", "tools"),
        ("reasoning.effort", "reasoning.effort"),
        ("reasoning.unheard_of", "reasoning"),
        ("messages[0].content[12].type", "messages"),
        ("choices[0].message.content", "choices.message.content"),
        ("output[1].content", "output"),
        ("", "other"),
        ("[0]", "other"),
        ("what a client made up", "other"),
        ("tools" + "x" * 10_000, "other"),
        ("tools[" + "0" * 10_000, "other"),
        (".".join("a" * 9_999), "other"),
    ],
)
def test_a_path(path: str, name: str) -> None:
    """Indexes are left out, and whatever is inside a field counts as that field."""
    assert table_field(path) == name


def test_names_are_those_of_the_tables() -> None:
    """Each is in FIELDS.md, and each means itself."""
    text = "\n".join(fields_as_markdown()).replace("[]", "")
    for name in NAMES:
        assert table_field(name) == name
        assert f"`{name}`" in text
