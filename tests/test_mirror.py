"""The tests mirror the sources."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FILES = [
    path.relative_to(TESTS.parent)
    for folder in ("translator", "adapters")
    for path in sorted((TESTS.parent / folder).rglob("*.py"))
    if path.name not in ("__init__.py", "__main__.py")
]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_has_its_test_file(path: Path) -> None:
    """`translator/parts/calls.py` is tested in `tests/translator/parts/test_calls.py`, and so on."""
    assert (TESTS / path.parent / f"test_{path.name}").is_file()
