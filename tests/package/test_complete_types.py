"""The types of the public names are complete: no type checker has to guess, and each sees the same."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import diglot
import diglot.adapters
import diglot.translator
import diglot.types

TIERS = (diglot, diglot.types, diglot.translator, diglot.adapters)
INSIDE = "partially unknown"
"""Said of a type that is complete itself, but something deep inside of what it leads to is not."""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def completeness(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `basedpyright --verifytypes` finds in the installed package; in the checkout it would look there first."""
    tool = Path(sys.executable).parent / "basedpyright"
    environment = {**os.environ, "PATH": f"{tool.parent}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": sys.prefix}
    command = [tool, "--verifytypes", "diglot", "--ignoreexternal", "--outputjson"]
    ran = subprocess.run(
        command, cwd=tmp_path_factory.mktemp("empty"), env=environment, capture_output=True, text=True, check=False
    )
    return json.loads(ran.stdout)["typeCompleteness"]


def public_names() -> set[str]:
    """Where the public names are defined, and what they are called there."""
    values = [getattr(tier, name) for tier in TIERS for name in tier.__all__]
    return {f"{value.__module__}.{value.__qualname__}" for value in values if hasattr(value, "__qualname__")}


def test_public_names_have_known_types(completeness: dict[str, Any]) -> None:
    """Classes, their members, functions: all are annotated."""
    public, found = public_names(), []
    seen: set[str] = set()
    for symbol in completeness["symbols"]:
        name = symbol["name"]
        if name in public or name.rpartition(".")[0] in public:
            seen.add(name)
            messages = [diagnostic["message"] for diagnostic in symbol["diagnostics"]]
            is_vague = not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]
            found += [f"{name}: {message}" for message in messages if is_vague and INSIDE not in message]
    assert found == []
    assert {"diglot.translator.convert.chat_request", "diglot.translator.profiles.Profile.replace"} <= seen


def test_nothing_is_unknown(completeness: dict[str, Any]) -> None:
    """Also of what is not public: nothing is left for a type checker to guess."""
    counts = completeness["exportedSymbolCounts"]
    assert (counts["withUnknownType"], counts["withAmbiguousType"]) == (0, 0)
