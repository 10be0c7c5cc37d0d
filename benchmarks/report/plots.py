"""The plots that the READMEs show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import measure, results
from benchmarks.directions import DIRECTIONS, TITLES
from benchmarks.servers import contestants

from . import svg

PLOTS = Path(__file__).parent.parent / "plots"
Found = dict[str, Any]


def draw() -> None:
    """Renew all plots whose results are there."""
    PLOTS.mkdir(exist_ok=True)
    for name, (question, plot) in _PLOTS.items():
        found = results.load(question)
        if found is not None:
            (PLOTS / f"{name}.svg").write_text(plot(found))


def _streams(found: Found) -> str:
    groups = [(TITLES[api], _medians(found["directions"][api]["text"]["rows"])) for api in DIRECTIONS]
    return svg.bars("One chunk of a text stream, microseconds of CPU time", groups, measure.OURS)


def _requests(found: Found) -> str:
    groups = [(TITLES[api], _medians(found["directions"][api]["Codex"]["rows"], "mapping")) for api in DIRECTIONS]
    return svg.bars("One Codex request of 240 KB, microseconds of CPU time", groups, measure.OURS)


def _proxy(found: Found) -> str:
    groups = []
    for api in DIRECTIONS:
        rows = found["directions"][api]["rows"]
        groups.append((TITLES[api], [(name, row["median"]) for name, row in rows.items() if "median" in row]))
    return svg.bars("One chunk through a whole proxy, microseconds of CPU time", groups, contestants.OURS)


def _lengths(found: Found) -> str:
    title = f"Cost of a chunk against the length of the stream, microseconds ({TITLES['responses']})"
    return svg.lines(title, "chunks", _series(found["stream"]["responses"]))


def _conversations(found: Found) -> str:
    title = f"Cost of a message against the length of the conversation, microseconds ({TITLES['responses']})"
    return svg.lines(title, "messages", _series(found["conversation"]["responses"]))


def _medians(rows: Found, without: str = " ") -> list[tuple[str, float]]:
    return [(name, row["median"]) for name, row in rows.items() if without == " " or without not in name]


def _series(case: Found) -> list[svg.Line]:
    names = sorted(case["rows"], key=lambda name: name != measure.OURS)  # ours first
    return [(name, [(int(size), cell["median"]) for size, cell in case["rows"][name].items()]) for name in names]


_PLOTS = {
    "streams": ("streams", _streams),
    "requests": ("requests", _requests),
    "proxy": ("proxy", _proxy),
    "stream-length": ("scaling", _lengths),
    "conversation-length": ("scaling", _conversations),
}
