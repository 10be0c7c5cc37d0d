"""The tests mirror the adapters."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent.parent / "adapters"
FILES = [path.relative_to(SOURCE) for path in sorted(SOURCE.rglob("*.py")) if path.name != "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_has_its_test_file(path: Path) -> None:
    """`probe.py` is tested in `test_probe.py`, and so on."""
    assert (TESTS / path.parent / f"test_{path.name}").is_file()
