"""What the source says about fields."""

import msgspec

from diglot.adapters import Limits
from diglot.adapters.cli.field_docs import field_docs
from diglot.adapters.server.config import Settings
from diglot.translator import Profile


class Example(msgspec.Struct):
    """Not this."""

    one: int = 1
    """What it is.

    And more about it."""
    two: int = 2
    three: str = "x"
    """On two
    lines."""
    four: int = 3
    assert four

    def method(self) -> int:
        """Nor this."""
        return self.one


def test_docs() -> None:
    """The first paragraph, on one line."""
    assert field_docs(Example) == {"one": "What it is.", "two": "", "three": "On two lines.", "four": ""}


def test_all_settings_are_explained() -> None:
    """Whoever lists the settings sees what each is for."""
    assert set(field_docs(Limits)) == set(Limits.__struct_fields__)
    assert set(field_docs(Profile)) == set(Profile.__struct_fields__)
    assert all(field_docs(Settings).values())
