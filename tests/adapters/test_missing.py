"""The errors for packages that are not installed."""

import pytest

from diglot.adapters.missing import named, words


def test_words() -> None:
    """They have the command."""
    assert words("Upstream", "httpx", "httpx") == "Upstream needs httpx: pip install 'diglot[httpx]'"


def test_a_package() -> None:
    """It keeps its name, so that others can ask for it."""
    error = named(ModuleNotFoundError("x", name="anyio._core"), "diglot.adapters", "asgi")
    assert (error.name, str(error)) == ("anyio._core", words("diglot.adapters", "anyio._core", "asgi"))


@pytest.mark.parametrize("name", [None, "diglot", "diglot.translator.nothing"])
def test_our_own_modules(name: str | None) -> None:
    """A module of ours that is missing is nothing that could be installed."""
    error = ModuleNotFoundError("x", name=name)
    assert named(error, "diglot.adapters", "asgi") is error
