"""What the wheel holds, what importing it costs, and which names are public."""

import json
import subprocess
import sys
import tomllib
from importlib import metadata
from importlib.resources import files
from pathlib import Path

import pytest

import diglot.translator

ROOT = Path(__file__).parent.parent
FOLDERS = {
    "diglot": ROOT / "package",
    "diglot.translator": ROOT / "translator",
    "diglot.adapters": ROOT / "adapters",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_installed_package_is_tested_and_not_the_checkout() -> None:
    """`diglot` comes from the environment."""
    assert ROOT / "translator" not in Path(diglot.translator.__file__).parents


def imported_by(module: str) -> set[str]:
    """The top-level names of all modules that importing *module* loads in a new interpreter."""
    code = (
        f"import sys; before = set(sys.modules); import {module}; import json;"
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(ran.stdout))


def test_importing_the_translator_imports_msgspec_and_the_standard_library_only() -> None:
    """No other package is loaded than msgspec and what that loads, nor the library's modules that touch the world."""
    loaded = imported_by("diglot.translator")
    assert not loaded - set(sys.stdlib_module_names) - {"diglot"} - imported_by("msgspec")
    assert not loaded & {"asyncio", "socket", "logging"}


def test_the_translator_is_typed_and_documented() -> None:
    """py.typed and FIELDS.md are installed."""
    assert files("diglot.translator").joinpath("py.typed").is_file()
    assert files("diglot.translator").joinpath("FIELDS.md").is_file()


@pytest.mark.parametrize("package", FOLDERS)
def test_every_source_file_is_in_the_package(package: str) -> None:
    """pyproject.toml lists every folder that holds a module."""
    folder = FOLDERS[package]
    found = {".".join([package, *f.relative_to(folder).parts[:-1]]) for f in folder.rglob("*.py")}
    others = [other for other in FOLDERS if other.startswith(f"{package}.")]
    listed = {name for name in PROJECT["tool"]["setuptools"]["packages"] if name.startswith(package)}
    assert found == {name for name in listed if not name.startswith(tuple(others))}
    installed = {str(f) for f in metadata.files("diglot") or ()}
    for source in folder.rglob("*.py"):
        assert f"{package.replace('.', '/')}/{source.relative_to(folder).as_posix()}" in installed


def test_public_names_are_sorted_and_there() -> None:
    """__all__ is sorted the way ruff sorts it, and every name in it exists and is documented."""
    names = diglot.translator.__all__
    assert list(names) == sorted(names, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    for name in names:
        assert getattr(diglot.translator, name).__doc__
