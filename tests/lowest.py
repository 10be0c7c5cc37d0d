"""Prints pip's constraints for the lowest versions that pyproject.toml allows of what diglot runs on: `make lowest`."""

import re
import tomllib
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent / "pyproject.toml"
_TOOLS = ("test", "bench")  # extras that nobody installs to use diglot
_FLOOR = re.compile(r"([\w.-]+)>=([\w.]+)(; .+)?")


def constraints(project: dict[str, Any]) -> list[str]:
    """Return `name==version` for each requirement of *project* that has a lowest version."""
    extras = project["optional-dependencies"]
    required = [*project["dependencies"], *(line for name in extras if name not in _TOOLS for line in extras[name])]
    found = [match for line in required if (match := _FLOOR.fullmatch(line))]
    return sorted({f"{match[1]}=={match[2]}{match[3] or ''}" for match in found})


if __name__ == "__main__":
    print("\n".join(constraints(tomllib.loads(PROJECT.read_text("utf-8"))["project"])))
