"""The report: what was converted, what was lost, and what to do about it. It shows no texts of the data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from ...translator import encode_json
from . import report_page
from .advice import advice
from .errors import MigrationError, SettingError
from .run import Outcome
from .tally import LossCount

ENDINGS = (".html", ".md", ".json")
_MODELS = 5
_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_MARKUP = re.compile(r"[\\`*<>&\[\]]")
_NAMES = {"chat": "Chat Completions", "responses": "Responses"}


class About(msgspec.Struct, frozen=True):
    """What was migrated."""

    version: str
    to: str
    profile: str
    size: int
    """Of all inputs, in bytes."""
    sample: int = 0


def check_path(name: str) -> None:
    """Raise SettingError if a report cannot have this name, has no folder, or its package is missing."""
    ending = Path(name).suffix
    if ending not in ENDINGS:
        raise SettingError(f"--report {name}: a report ends with {', '.join(ENDINGS)}")
    if not Path(name).absolute().parent.is_dir():
        raise SettingError(f"--report {name}: there is no such folder")
    if ending == ".html":
        report_page.check()


def write(path: Path, outcome: Outcome, about: About) -> None:
    """Write the report in the form that its name says. Raises MigrationError."""
    facts = facts_of(outcome, about)
    made = _FORMS[path.suffix](facts)
    try:
        path.write_text(made, "utf-8")
    except OSError as error:
        raise MigrationError(f"{path}: {error.strerror}") from None


def facts_of(outcome: Outcome, about: About) -> dict[str, Any]:
    """Return what all forms of the report show."""
    tally = outcome.tally
    return {
        "version": about.version,
        "to": about.to,
        "profile": about.profile,
        "complete": outcome.is_complete,
        "lines": tally.lines,
        "converted": tally.converted,
        "bad": tally.bad,
        "refused": tally.refused,
        "parts": outcome.parts,
        "bytes_in": tally.bytes_in,
        "bytes_out": tally.bytes_out,
        "sample": about.sample,
        "estimated_lines": _estimate(outcome, about),
        "shapes": _sorted(tally.shapes),
        "models": _sorted(tally.models),
        "checks": _sorted(tally.checks),
        "losses": [_loss(loss, tally.converted) for loss in sorted(tally.losses, key=_weight)],
    }


def _estimate(outcome: Outcome, about: About) -> int | None:
    """Return how many lines there probably are, if only a sample was converted."""
    return about.size * outcome.lines // outcome.size if about.sample and outcome.size else None


def _weight(loss: LossCount) -> tuple[int, str, str]:
    return -loss.lines, loss.path, loss.why


def _sorted(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _loss(loss: LossCount, lines: int) -> dict[str, Any]:
    examples = [
        {"file": one.file, "line": one.line} | ({"value": one.value} if one.value else {}) for one in loss.examples
    ]
    return {
        "path": loss.path,
        "kind": loss.kind,
        "why": loss.why,
        "lines": loss.lines,
        "share": round(loss.lines / lines, 4) if lines else 0.0,
        "models": _sorted(loss.models),
        "examples": examples,
        "advice": advice(loss.path, loss.kind),
    }


def _as_json(facts: dict[str, Any]) -> str:
    return msgspec.json.format(encode_json(facts)).decode() + "\n"


def _as_markdown(facts: dict[str, Any]) -> str:
    lines = [f"# {_title(facts)}", "", f"- profile: `{facts['profile']}`"]
    lines += [f"- {label}: {text}" for label, text in headline(facts)]
    for title in ("shapes", "models", "checks"):
        if facts[title]:
            counted = ", ".join(f"{_cell(_plain(name or 'none'))} {count:,}" for name, count in facts[title].items())
            lines.append(f"- {title}: {counted}")
    lines += [
        "",
        "| Field | Kind | Lines | Reason | Models | Examples | What to do |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for loss in facts["losses"]:
        cells = (
            f"`{loss['path'] or 'the line'}`",
            loss["kind"],
            f"{loss['lines']:,} ({loss['share']:.1%})",
            loss["why"],
        )
        examples = _plain("; ".join(example_words(one) for one in loss["examples"]))
        lines.append(f"| {' | '.join(map(_cell, (*cells, _plain(_models(loss)), examples, loss['advice'])))} |")
    return "\n".join(lines) + "\n"


def _title(facts: dict[str, Any]) -> str:
    return f"What was lost on the way to {_NAMES[facts['to']]}"


def headline(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the figures at the top, with their names."""
    estimate = facts["estimated_lines"]
    return [
        ("lines", f"{facts['lines']:,}" + (f" as a sample of about {estimate:,}" if estimate else "")),
        ("converted", f"{facts['converted']:,}"),
        ("bad", f"{facts['bad']:,}" + (f", {facts['refused']:,} of them refused" if facts["refused"] else "")),
        ("parts", f"{facts['parts']:,}" + ("" if facts["complete"] else ", not complete")),
        ("size", f"{_size(facts['bytes_in'])} in, {_size(facts['bytes_out'])} out"),
    ]


def _size(count: float) -> str:
    units = iter(_UNITS)
    unit = next(units)
    while count >= 1_000 and (larger := next(units, "")):
        count, unit = count / 1_000, larger
    return f"{count:,.0f} {unit}" if unit == _UNITS[0] else f"{count:,.1f} {unit}"


def example_words(example: dict[str, Any]) -> str:
    """Return where a loss was found, in words."""
    value = f": {example['value']}" if "value" in example else ""
    return f"{example['file']}, line {example['line']}{value}"


def _models(loss: dict[str, Any]) -> str:
    shown = [f"{name or 'none'} {count:,}" for name, count in [*loss["models"].items()][:_MODELS]]
    return ", ".join(shown) + (", ..." if len(loss["models"]) > _MODELS else "")


def _plain(text: str) -> str:
    """Return a text of the data in which nothing is Markdown or HTML."""
    return _MARKUP.sub(r"\\\g<0>", text)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _as_html(facts: dict[str, Any]) -> str:
    return report_page.page(facts, headline(facts), _title(facts))


_FORMS = {".json": _as_json, ".md": _as_markdown, ".html": _as_html}
