"""How far it is."""

import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from diglot.adapters.migrate.progress import Progress
from diglot.adapters.migrate.tally import Tally


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def clock() -> Iterator[float]:
    yield from (4.0 * i for i in range(1_000))


def shown(out: io.StringIO, *, earlier: int = 0, **settings: Any) -> str:
    progress = Progress(out, clock=clock().__next__, **settings)
    with progress:
        progress.begin(1_000, earlier)
        for i in range(9):
            progress.show(Tally(lines=7, bad=1), is_ending=i == 8)
            progress.advance(100)
    return out.getvalue()


def test_lines_of_json() -> None:
    """One in ten seconds, with the rate and what is left."""
    first, *others = [json.loads(line) for line in shown(io.StringIO()).splitlines()]
    assert first == {
        "lines": 7,
        "bad": 1,
        "bytes": first["bytes"],
        "of": 1_000,
        "seconds": first["seconds"],
        "left": first["left"],
    }
    assert len(others) < 9


def test_nothing_is_left_to_say_before_anything_is_done() -> None:
    """Without a rate, nobody knows how long it takes."""
    out = io.StringIO()
    progress = Progress(out, clock=iter([0.0, 20.0, 20.0, 20.0, 20.0]).__next__)
    progress.show(Tally())
    assert json.loads(out.getvalue())["left"] is None


def test_a_bar() -> None:
    """On a terminal."""
    text = shown(Terminal())
    assert "7 lines, 1 bad" in text
    assert "7 lines, 1 bad, ending" in text


def test_what_was_done_earlier() -> None:
    """It is done, and says nothing of the rate: what is left takes as long as it takes now."""
    assert " 10%" in shown(Terminal(), earlier=100).split("\r")[1]
    (now, *_), (then, *_) = (
        [json.loads(line) for line in shown(io.StringIO(), earlier=size).splitlines()] for size in (0, 100)
    )
    assert (then["bytes"], then["seconds"]) == (now["bytes"] + 100, now["seconds"])
    assert then["left"] < now["left"]


def test_quiet() -> None:
    """Nothing at all."""
    assert shown(Terminal(), is_quiet=True) == shown(io.StringIO(), is_quiet=True) == ""


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that installs it is named, and lines of JSON do as well."""
    monkeypatch.setitem(sys.modules, "tqdm", None)
    hint, line, *_ = shown(Terminal()).splitlines()
    assert "pip install 'diglot[migrate]'" in hint
    assert json.loads(line)["lines"] == 7
