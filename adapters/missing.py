"""Packages that are installed with an extra only: the error that misses one names the command that brings it."""

from __future__ import annotations


def with_install_hint(error: ModuleNotFoundError, user: str, extra: str) -> ModuleNotFoundError:
    """Return what to raise instead of *error* when *user* cannot be imported; modules of ours cannot be installed."""
    if error.name is None or error.name.partition(".")[0] == "diglot":
        return error
    return ModuleNotFoundError(install_hint(user, error.name, extra), name=error.name)


def install_hint(user: str, package: str, extra: str) -> str:
    """Return what to say where *user* needs *package*."""
    return f"{user} needs {package}: pip install 'diglot[{extra}]'"
