"""Write the results into README.md, between the marks that name them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from benchmarks import measure

README = Path(__file__).parent / "README.md"


def table(cases: dict[str, Any]) -> str:
    """One row for each contestant, one column for each case: microseconds, and the ratios to the floor and to us."""
    names = list(dict.fromkeys(name for case in cases.values() for name in case["rows"]))
    lines = ["| | " + " | ".join(cases) + " |", "|---" * (len(cases) + 1) + "|"]
    for name in names:
        shown = f"**{name}**" if name == measure.OURS else name
        lines.append(f"| {shown} | " + " | ".join(_cell(case["rows"].get(name)) for case in cases.values()) + " |")
    return "\n".join(lines)


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    return f"{_short(row['median'])} ({_short(row['x floor'])} / {_short(row['x diglot'])})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def machine(result: dict[str, Any]) -> str:
    kind = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    where = f"{kind['python']}, {kind['system']} {kind['architecture']}, {kind['cpus']} CPUs"
    return f"{where}; {result['rounds']} rounds; {versions}."


def section(question: str) -> str:
    result = json.loads((measure.RESULTS / f"{question}.json").read_text())
    more = {"requests": _requests, "answers": lambda result: [], "streams": _streams}[question](result)
    return "\n".join([machine(result), "", table(result["cases"]), *(f"\n{line}" for line in more)])


def _requests(result: dict[str, Any]) -> list[str]:
    cases = result["cases"].items()
    alone = ", ".join(f"{name} {case['mapping: litellm x diglot']:.2f}" for name, case in cases)
    peak = ", ".join(f"{name} {case['peak memory, bodies']:.2f}" for name, case in cases)
    return [f"LiteLLM's mapping alone, x ours: {alone}.", f"Peak memory of ours, x the body: {peak}."]


def _streams(result: dict[str, Any]) -> list[str]:
    case = result["cases"]["text, 100,000 chunks"]
    grown = ", ".join(f"{name} {row['x shortest']:.2f}" for name, row in case["rows"].items())
    held = result["memory"]
    return [
        f"A chunk of 100,000, x one of 1,000: {grown}.",
        f"Held after {held['chunks']:,} chunks: {held['held']:,} bytes, for a text of {held['text']:,} characters.",
    ]


def main() -> None:
    if "--quick" in sys.argv:
        return
    readme = README.read_text()
    for question in ("requests", "answers", "streams"):
        mark = re.compile(rf"(<!-- {question} -->\n).*?(<!-- end -->)", re.S)
        found = section(question)
        readme = mark.sub(lambda match, found=found: f"{match[1]}{found}\n{match[2]}", readme)
    README.write_text(readme)


if __name__ == "__main__":
    main()
