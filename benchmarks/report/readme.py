"""Write the results into README.md, between the marks that name them."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks import results

from . import goals, plots, tables

README = Path(__file__).parent.parent / "README.md"


def main() -> None:
    found = {question: results.load(question) for question in tables.SECTIONS}
    sections = {"goals": goals.table(found)}
    for question, result in found.items():
        if result is not None:
            sections[question] = "\n".join([tables.machine(result), "", *tables.SECTIONS[question](result)]).rstrip()
    readme = README.read_text()
    for name, text in sections.items():
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.S)
        assert mark.search(readme), f"README.md has no place for {name}"
        readme = mark.sub(lambda match, text=text: f"{match[1]}{text}\n{match[2]}", readme)
    README.write_text(readme)
    plots.draw()


if __name__ == "__main__":
    main()
