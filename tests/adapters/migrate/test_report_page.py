"""The report as a page."""

import re
import sys
from typing import Any

import pytest

from diglot.adapters.migrate import SettingError
from diglot.adapters.migrate.report_page import check, page

EXAMPLES = [
    {"file": "/a/in.jsonl", "line": 1},
    {"file": "/a/in.jsonl", "line": 7, "value": "<b>"},
    {"file": "c", "line": 2},
]
LOSS: dict[str, Any] = {
    "path": "seed",
    "kind": "dropped",
    "why": "there is no `seed` <i>",
    "lines": 1_500,
    "share": 0.255,
    "models": {f"m{i}": 10 - i for i in range(7)},
    "examples": EXAMPLES,
    "advice": "Do without it.",
}
FACTS: dict[str, Any] = {
    "version": "1.0",
    "profile": "dataset",
    "shapes": {"batch": 5},
    "models": {"": 5},
    "checks": {},
    "losses": [LOSS],
}


def text_of(**changes: Any) -> str:
    made = page({**FACTS, **changes}, [("lines", "5")], "What was lost")
    return " ".join(re.sub(r"<style>.*</style>|<(?!/?code|!)[^>]*>", " ", made, flags=re.DOTALL).split())


def test_a_loss() -> None:
    """Its reason, each file with its lines, the first models and how many the others have."""
    text = text_of()
    assert "seed</code> dropped 1,500 (25.5%) there is no <code>seed</code> &lt;i&gt;" in text
    assert "in.jsonl , lines 1, 7: <code>&lt;b&gt;</code> c , line 2" in text
    assert "m0 10 m1 9 m2 8 m3 7 m4 6 others 9 Do without it." in text
    assert "Shapes batch 5 Models none 5 " in text
    assert "Converted back" not in text


def test_no_losses() -> None:
    """It says so."""
    assert text_of(losses=[]).endswith("Nothing was lost. diglot 1.0, profile dataset")


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the command that installs it."""
    check()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(SettingError, match=r"pip install 'diglot\[migrate\]'"):
        check()
