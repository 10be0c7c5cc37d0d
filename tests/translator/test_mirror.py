"""The tests mirror the translator, and the translator says what is public."""

from pathlib import Path

import pytest

from diglot import translator

TESTS = Path(__file__).parent
SOURCE = TESTS.parent.parent / "translator"
FILES = [path.relative_to(SOURCE) for path in sorted(SOURCE.rglob("*.py")) if path.name != "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_has_its_test_file(path: Path) -> None:
    """`parts/calls.py` is tested in `parts/test_calls.py`, and so on."""
    assert (TESTS / path.parent / f"test_{path.name}").is_file()


def test_public_names() -> None:
    """The public names are sorted, and all are there."""
    assert sorted(translator.__all__, key=lambda n: (not n.isupper(), n)) == translator.__all__
    assert all(hasattr(translator, name) for name in translator.__all__)
