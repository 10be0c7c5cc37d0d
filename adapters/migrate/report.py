"""The report: what was converted, what was lost, and what to do about it. It shows no texts of the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ...translator import encode_json
from ..missing import install_hint
from .advice import advice
from .errors import MigrationError, SettingError
from .run import Outcome
from .tally import LossCount

ENDINGS = (".html", ".md", ".json")
_MODELS = 5


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
        _environment()


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
    lines = [f"# What was lost: to {facts['to']}, profile `{facts['profile']}`", ""]
    lines += [f"- {label}: {text}" for label, text in headline(facts)]
    for title in ("shapes", "models", "checks"):
        if facts[title]:
            counted = ", ".join(f"{_cell(name or 'none')} {count:,}" for name, count in facts[title].items())
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
        examples = "; ".join(example_words(one) for one in loss["examples"])
        lines.append(f"| {' | '.join(map(_cell, (*cells, _models(loss), examples, loss['advice'])))} |")
    return "\n".join(lines) + "\n"


def headline(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the figures at the top, with their names."""
    estimate = facts["estimated_lines"]
    return [
        ("lines", f"{facts['lines']:,}" + (f" as a sample of about {estimate:,}" if estimate else "")),
        ("converted", f"{facts['converted']:,}"),
        ("bad", f"{facts['bad']:,}" + (f", {facts['refused']:,} of them refused" if facts["refused"] else "")),
        ("parts", f"{facts['parts']:,}" + ("" if facts["complete"] else ", not complete")),
        ("bytes", f"{facts['bytes_in']:,} in, {facts['bytes_out']:,} out"),
    ]


def example_words(example: dict[str, Any]) -> str:
    """Return where a loss was found, in words."""
    value = f": {example['value']}" if "value" in example else ""
    return f"{example['file']}, line {example['line']}{value}"


def _models(loss: dict[str, Any]) -> str:
    shown = [f"{name or 'none'} {count:,}" for name, count in [*loss["models"].items()][:_MODELS]]
    return ", ".join(shown) + (", ..." if len(loss["models"]) > _MODELS else "")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _as_html(facts: dict[str, Any]) -> str:
    environment = _environment()
    environment.globals.update(headline=headline, example_words=example_words, models_of=_models)
    return environment.from_string(_TEMPLATE).render(facts, facts=facts)


def _environment() -> Any:
    try:
        import jinja2
    except ImportError:
        raise SettingError(install_hint("A report in HTML", "jinja2", "migrate")) from None
    return jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)


_FORMS = {".json": _as_json, ".md": _as_markdown, ".html": _as_html}

_TEMPLATE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>What was lost</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #3b6ea5; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
dl { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 0; }
dt { opacity: .7; } dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid var(--line); }
th { position: sticky; top: 0; background: Canvas; }
td.count { white-space: nowrap; font-variant-numeric: tabular-nums; }
code { overflow-wrap: anywhere; }
.bar { height: .35rem; min-width: 6rem; background: var(--soft); border-radius: .2rem; }
.bar div { height: 100%; background: var(--accent); border-radius: .2rem; }
.kind { border: 1px solid var(--line); border-radius: .3rem; padding: 0 .35rem; white-space: nowrap; }
.examples { font-size: .85rem; opacity: .75; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>What was lost on the way to {{ to }}</h1>
<dl>
{% for label, text in headline(facts) %}
<div><dt>{{ label }}</dt><dd>{{ text }}</dd></div>
{% endfor %}
</dl>
{% for title, counts in [("Shapes", shapes), ("Models", models), ("Converted back", checks)] %}
{% if counts %}
<h2>{{ title }}</h2>
<dl>
{% for name, count in counts.items() %}
<div><dt>{{ name or "none" }}</dt><dd>{{ "{:,}".format(count) }}</dd></div>
{% endfor %}
</dl>
{% endif %}
{% endfor %}
<h2>Losses</h2>
{% if losses %}
<table>
<thead><tr>
<th>Field</th><th>Kind</th><th>Lines</th><th>Reason and examples</th><th>Models</th><th>What to do</th>
</tr></thead>
<tbody>
{% for loss in losses %}
<tr>
<td><code>{{ loss.path or "the line" }}</code></td>
<td><span class="kind">{{ loss.kind }}</span></td>
<td class="count">{{ "{:,}".format(loss.lines) }} ({{ "{:.1%}".format(loss.share) }})
<div class="bar"><div style="width: {{ "{:.1f}".format(100 * loss.share) }}%"></div></div></td>
<td>{{ loss.why }}
<div class="examples">{% for one in loss.examples %}{{ example_words(one) }}<br>{% endfor %}</div></td>
<td>{{ models_of(loss) }}</td>
<td>{{ loss.advice }}</td>
</tr>
{% endfor %}
</tbody>
</table>
{% else %}
<p>Nothing was lost.</p>
{% endif %}
<p class="examples">diglot {{ version }}, profile {{ profile }}</p>
</body>
</html>
"""
