"""The report."""

import json
import re
import sys
from pathlib import Path

import pytest

from diglot import Loss
from diglot.adapters.migrate import MigrationError, SettingError, report
from diglot.adapters.migrate.run import Outcome
from diglot.adapters.migrate.tally import Counter, Example, Tally

ABOUT = report.About("1.0", "responses", "dataset", 1_000)


def outcome(*, values: bool = False, models: int = 1) -> Outcome:
    counter = Counter()
    for i in range(models):
        losses = [Loss("tools[0].<b>", "dropped", "a | b", "<script>"), Loss("seed", "dropped", "no seed", 7)]
        counter.converted("request", f"m{i}", losses[: 2 if i < 2 else 1], Example("in.jsonl", i + 1), values)
    counter.bad(True)
    counter.tally.bytes_in = 100
    return Outcome(counter.tally, 2, True)


def written(folder: Path, ending: str, made: Outcome, about: report.About = ABOUT) -> str:
    path = folder / f"report{ending}"
    report.check_path(str(path))
    report.write(path, made, about)
    return path.read_text()


def test_json(tmp_path: Path) -> None:
    """All facts, the heaviest loss first; no values."""
    facts = json.loads(written(tmp_path, ".json", outcome(models=4)))
    assert (facts["lines"], facts["bad"], facts["refused"], facts["estimated_lines"]) == (5, 1, 1, None)
    assert [(loss["path"], loss["lines"], loss["share"]) for loss in facts["losses"]] == [
        ("tools[*].?", 4, 1.0),
        ("seed", 2, 0.5),
    ]
    assert facts["losses"][1]["examples"][0] == {"file": "in.jsonl", "line": 1}
    assert facts["losses"][1]["advice"].startswith("Do without it")
    assert facts["losses"][1]["models"] == {"m0": 1, "m1": 1}


@pytest.mark.parametrize(
    ("count", "text"),
    [(999, "999 bytes in"), (1_500, "1.5 kB in"), (2 * 10**9, "2.0 GB in"), (10**16, "10,000.0 TB in")],
)
def test_sizes(tmp_path: Path, count: int, text: str) -> None:
    """They are rounded."""
    made = outcome()
    made.tally.bytes_in = count
    assert text in written(tmp_path, ".md", made)


def test_markdown(tmp_path: Path) -> None:
    """A table, whose cells do not break it."""
    text = written(tmp_path, ".md", outcome(models=7, values=True))
    assert "| `seed` | dropped | 2 (28.6%) | no seed | m0 1, m1 1 | in.jsonl, line 1: 7; in.jsonl, line 2: 7 |" in text
    assert "a \\| b" in text
    assert ", ..." in text


def test_markup_in_markdown(tmp_path: Path) -> None:
    """What is in the data is only text."""
    counter = Counter()
    losses = [Loss("seed", "dropped", "no `seed`", "<script>")]
    counter.converted("request", "<img src=x>`|[a](b)", losses, Example("<b>*.jsonl", 1), True)
    text = written(tmp_path, ".md", Outcome(counter.tally, 1, True))
    assert "- models: \\<img src=x\\>\\`\\|\\[a\\](b) 1" in text
    assert (
        "| `seed` | dropped | 1 (100.0%) | no `seed` | \\<img src=x\\>\\`\\|\\[a\\](b) 1 "
        "| \\<b\\>\\*.jsonl, line 1: \\<script\\> |"
    ) in text


def test_html(tmp_path: Path) -> None:
    """One file that needs no network; what is in the data is only text."""
    text = written(tmp_path, ".html", outcome(values=True))
    assert not re.search(r"https?://|<script|src=|<b>", text)
    assert "&lt;script&gt;" in text
    assert "50.0%" not in text
    assert "Nothing was lost" in written(tmp_path, ".html", Outcome(Tally(), 0, True))


def test_values_are_shown_only_on_request(tmp_path: Path) -> None:
    """Neither form has them otherwise."""
    for ending in report.ENDINGS:
        assert "script&gt;" not in (text := written(tmp_path, ending, outcome()))
        assert "<script>" not in text


def test_samples(tmp_path: Path) -> None:
    """They say how many lines there are, about; a run that was interrupted says so."""
    about = report.About("1.0", "chat", "dataset", 1_000, sample=2)
    made = Outcome(outcome().tally, 2, False, lines=40, size=500)
    text = written(tmp_path, ".md", made, about)
    assert "2 as a sample of about 80" in text
    assert "2, not complete" in text


def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ending says the form; what cannot be written is a failure; what is missing has its command."""
    with pytest.raises(SettingError, match=r"ends with \.html, \.md, \.json"):
        report.check_path("report.txt")
    with pytest.raises(MigrationError, match="nothing"):
        report.write(tmp_path / "nothing" / "r.md", outcome(), ABOUT)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(SettingError, match=r"pip install 'diglot\[migrate\]'"):
        report.check_path("report.html")
