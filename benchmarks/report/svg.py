"""Two kinds of plots as SVG, by hand: small files that show well on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

_WIDTH = 760
_LEFT = 250  # the names of bars
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 14px }
  .note { fill: #6e7781 }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .c0 { fill: #d9480f; stroke: #d9480f }
  .c1 { fill: #1c7ed6; stroke: #1c7ed6 }
  .c2 { fill: #2b8a3e; stroke: #2b8a3e }
  .c3 { fill: #868e96; stroke: #868e96 }
  polyline { fill: none !important; stroke-width: 2 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .note { fill: #9198a1 } .grid { stroke: #3d444d } }
"""

Group = tuple[str, Sequence[tuple[str, float]]]
Line = tuple[str, Sequence[tuple[float, float]]]


def bars(title: str, groups: Sequence[Group], ours: str) -> str:
    """Horizontal bars in groups, each with its value; those named *ours* stand out."""
    most = max(value for _, rows in groups for _, value in rows)
    parts, y = [_text(0, 16, title, "title")], 30
    for name, rows in groups:
        parts.append(_text(0, y + 14, name, "note"))
        y += 22
        for label, value in rows:
            width = max(1.0, (_WIDTH - _LEFT - 80) * value / most)
            parts.append(_text(_LEFT - 8, y + 14, label, anchor="end"))
            parts.append(
                f'<rect class="{_kind(label, ours)}" x="{_LEFT}" y="{y + 3}" width="{width:.1f}" height="14"/>'
            )
            parts.append(_text(_LEFT + width + 6, y + 14, number(value)))
            y += 21
        y += 8
    return _document(y, parts)


def lines(title: str, below: str, series: Sequence[Line]) -> str:
    """Lines over two logarithmic axes, each named at its end; the first one stands out."""
    left, right, top, bottom = 60, _WIDTH - 170, 34, 250
    xs = [math.log10(x) for _, points in series for x, _ in points]
    ys = [math.log10(y) for _, points in series for _, y in points]
    low, high = math.floor(min(ys)), max(math.ceil(max(ys)), math.floor(min(ys)) + 1)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - min(xs)) / (max(xs) - min(xs))
        up = (math.log10(y) - low) / (high - low)
        return left + across * (right - left), bottom - up * (bottom - top)

    parts = [_text(0, 16, title, "title"), _text((left + right) / 2, bottom + 40, below, "note", "middle")]
    for power in range(low, high + 1):
        _, y = place(10 ** min(xs), 10**power)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(left - 8, y + 4, number(10.0**power), "note", "end"))
    for x in sorted({x for _, points in series for x, _ in points}):
        parts.append(_text(place(x, 1)[0], bottom + 20, f"{x:,.0f}", "note", "middle"))
    ends: list[float] = []
    for n, (name, points) in enumerate(series):
        placed = [place(x, y) for x, y in points]
        parts.append(f'<polyline class="c{n}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in placed)}"/>')
        parts += [f'<circle class="c{n}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in placed]
        ends.append(_free(placed[-1][1] + 4, ends))
        parts.append(_text(placed[-1][0] + 10, ends[-1], name))
    return _document(bottom + 50, parts)


def number(value: float) -> str:
    """Three digits are enough."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _free(y: float, taken: list[float]) -> float:
    """Names must not cover one another."""
    while any(abs(y - other) < 15 for other in taken):
        y += 5
    return y


def _kind(label: str, ours: str) -> str:
    return "c0" if label == ours else "c3" if label.startswith(("floor", "pass-through", "bare", "no proxy")) else "c1"


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _document(height: float, parts: list[str]) -> str:
    size = f'viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" height="{height:.0f}"'
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', f"<style>{_STYLE}</style>", *parts, "</svg>", ""]
    )
