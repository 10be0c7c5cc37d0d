"""The plots that the READMEs show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmarks import measure, results
from benchmarks.directions import DIRECTIONS, TITLES
from benchmarks.servers import contestants

from .tables import number

mpl.use("svg")
from matplotlib import pyplot as plt

PLOTS = Path(__file__).parent.parent / "plots"
_OURS, _FLOOR, _PEER, _OTHER_PEER = "#d9480f", "#868e96", "#1c7ed6", "#2b8a3e"
_STYLE = {
    "axes.axisbelow": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "diglot",  # the same results make the same files
}
Found = dict[str, Any]
Bars = dict[str, list[tuple[str, float]]]


def draw() -> None:
    """Renew all plots whose results are there."""
    PLOTS.mkdir(exist_ok=True)
    for name, (question, plot) in _PLOTS.items():
        found = results.load(question)
        if found is not None:
            with plt.rc_context(_STYLE):
                figure = plot(found)
                figure.savefig(PLOTS / f"{name}.svg", metadata={"Date": None})
                plt.close(figure)


def _streams(found: Found) -> Any:
    bars = {TITLES[api]: _medians(found["directions"][api]["text"]["rows"]) for api in DIRECTIONS}
    return _bars("One chunk of a text stream, microseconds of CPU time", bars)


def _requests(found: Found) -> Any:
    bars = {TITLES[api]: _medians(found["directions"][api]["Codex"]["rows"]) for api in DIRECTIONS}
    return _bars("One Codex request of 240 KB, microseconds of CPU time", bars)


def _proxy(found: Found) -> Any:
    bars = {TITLES[api]: _medians(found["directions"][api]["rows"]) for api in DIRECTIONS}
    return _bars("One chunk through a whole proxy, microseconds of CPU time", bars)


def _lengths(found: Found) -> Any:
    return _lines("Cost of a chunk against the length of the stream", "chunks", found["stream"])


def _conversations(found: Found) -> Any:
    return _lines("Cost of a message against the length of the conversation", "messages", found["conversation"])


def _medians(rows: Found) -> list[tuple[str, float]]:
    return [(name, row["median"]) for name, row in rows.items() if "median" in row]


def _bars(title: str, groups: Bars) -> Any:
    """One below the other, each bar with its value."""
    heights = [len(rows) for rows in groups.values()]
    size = (8, 0.26 * sum(heights) + 1.3)
    figure, axes = plt.subplots(len(groups), 1, figsize=size, height_ratios=heights, sharex=True, layout="constrained")
    figure.suptitle(title, fontweight="bold")
    for axis, (name, rows) in zip(axes, groups.items(), strict=True):
        drawn = axis.barh(*zip(*rows, strict=True), color=[_color(label) for label, _ in rows])
        axis.bar_label(drawn, labels=[number(value) for _, value in rows], padding=3)
        axis.set_title(name, loc="left")
        axis.invert_yaxis()
        axis.margins(x=0.1)
        axis.xaxis.set_visible(False)
        axis.spines["bottom"].set_visible(False)
    return figure


def _lines(title: str, below: str, cases: Found) -> Any:
    """Both directions beside each other, over logarithmic axes."""
    figure, axes = plt.subplots(1, len(cases), figsize=(8, 3), sharey=True, layout="constrained")
    figure.suptitle(title, fontweight="bold")
    for axis, api in zip(axes, cases, strict=True):
        rows = cases[api]["rows"]
        for name in sorted(rows, key=lambda name: -max(_values(rows[name]))):
            sizes = [int(size) for size in rows[name]]
            axis.plot(sizes, _values(rows[name]), marker="o", markersize=4, label=name, color=_color(name))
        axis.set(title=TITLES[api], xlabel=below, xscale="log", yscale="log")
        axis.grid(axis="y")
        axis.legend(frameon=False)
    axes[0].set_ylabel("microseconds")
    return figure


def _values(row: Found) -> Sequence[float]:
    return [cell["median"] for cell in row.values()]


def _color(name: str) -> str:
    if name in (measure.OURS, contestants.OURS):
        return _OURS
    if name.startswith(("floor", "stdlib", contestants.NGINX)) or name.endswith(("pass-through", "passing through")):
        return _FLOOR
    return _OTHER_PEER if name.startswith("openai-agents") else _PEER


_PLOTS = {
    "streams": ("streams", _streams),
    "requests": ("requests", _requests),
    "proxy": ("proxy", _proxy),
    "stream-length": ("scaling", _lengths),
    "conversation-length": ("scaling", _conversations),
}
