"""Optional packages: when one is missing, the error names the command that installs it."""

from __future__ import annotations


def with_install_hint(error: ModuleNotFoundError, user: str, extra: str) -> ModuleNotFoundError:
    """Return the error to raise when *user* cannot be imported; for our own modules, *error* itself."""
    if error.name is None or error.name.partition(".")[0] == "diglot":
        return error
    return ModuleNotFoundError(install_hint(user, error.name, extra), name=error.name)


def install_hint(user: str, package: str, extra: str) -> str:
    """Return the message for a *user* that needs *package*: the command that installs it."""
    return f"{user} needs {package}: pip install 'diglot[{extra}]'"
