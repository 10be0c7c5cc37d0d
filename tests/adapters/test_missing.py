"""The errors for packages that are not installed."""

import pytest

from diglot.adapters.missing import install_hint, with_install_hint


def test_words() -> None:
    """They have the command."""
    assert install_hint("Upstream", "httpx", "httpx") == "Upstream needs httpx: pip install 'diglot[httpx]'"


def test_a_package() -> None:
    """It keeps its name, so that others can ask for it."""
    error = with_install_hint(ModuleNotFoundError("x", name="anyio._core"), "diglot.adapters", "asgi")
    assert (error.name, str(error)) == ("anyio._core", install_hint("diglot.adapters", "anyio._core", "asgi"))


@pytest.mark.parametrize("name", [None, "diglot", "diglot.translator.nothing"])
def test_our_own_modules(name: str | None) -> None:
    """A module of ours that is missing is nothing that could be installed."""
    error = ModuleNotFoundError("x", name=name)
    assert with_install_hint(error, "diglot.adapters", "asgi") is error
