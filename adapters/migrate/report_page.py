"""The report as a page: one file, readable without network, in a wide and in a narrow window, light and dark."""

from __future__ import annotations

import os
import re
from itertools import groupby
from typing import Any

from ..missing import install_hint
from .errors import SettingError

_CODE = re.compile(r"`([^`]*)`")
_MODELS = 5


def check() -> None:
    """Raise SettingError if jinja2 is missing."""
    _environment()


def page(facts: dict[str, Any], headline: list[tuple[str, str]], title: str) -> str:
    """Return the page for the facts of a report."""
    environment = _environment()
    environment.filters.update(pieces=_CODE.split, places=_places, heaviest=_heaviest)
    return environment.from_string(_TEMPLATE).render(facts, headline=headline, title=title)


def _places(examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return where a loss was found, each file once."""
    return [
        {"file": file, "name": os.path.basename(file), "examples": [*group]}
        for file, group in groupby(examples, lambda example: example["file"])
    ]


def _heaviest(models: dict[str, int]) -> list[tuple[str, int]]:
    """Return the first models; what the others have is one more."""
    known = [*models.items()]
    rest = sum(count for _, count in known[_MODELS:])
    return known[:_MODELS] + [("others", rest)] * bool(rest)


def _environment() -> Any:
    try:
        import jinja2
    except ImportError:
        raise SettingError(install_hint("A report in HTML", "jinja2", "migrate")) from None
    return jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)


_TEMPLATE = """\
{% macro words(text) %}
{% for piece in text | pieces %}{% if loop.index is even %}<code>{{ piece }}</code>{% else %}{{ piece }}{% endif %}
{%- endfor %}
{% endmacro %}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: light-dark(#3b6ea5, #6fa8dc); }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 80rem; padding: 0 1.25rem; }
h1 { font-size: 1.4rem; margin: 0 0 1rem; }
dl { display: flex; flex-wrap: wrap; gap: .4rem 2.2rem; margin: 0; }
dt { opacity: .7; } dd { margin: 0; font-size: 1.15rem; }
dd, .count { font-variant-numeric: tabular-nums; }
.counts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 1.25rem 0 1.5rem; }
.counts span { white-space: nowrap; margin-right: 1.25rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .5rem .7rem; border-bottom: 1px solid var(--line); }
th { position: sticky; top: 0; background: Canvas; }
th:first-child, td:first-child { padding-left: 0; }
.count { white-space: nowrap; }
code { font-size: .92em; overflow-wrap: anywhere; }
.path { overflow-wrap: break-word; }
.bar { height: .35rem; min-width: 6rem; margin-top: .3rem; background: var(--soft); border-radius: .2rem; }
.bar div { height: 100%; background: var(--accent); border-radius: .2rem; }
.kind { border: 1px solid var(--line); border-radius: .3rem; padding: 0 .35rem; white-space: nowrap; }
.small { font-size: .86rem; opacity: .75; overflow-wrap: anywhere; }
.models div { white-space: nowrap; }
@media (max-width: 60rem) {
thead { display: none; }
table, tbody, tr, td { display: block; }
td { border: 0; padding: .15rem 0; }
tr { border-top: 1px solid var(--line); padding: .6rem 0; }
.counts { grid-template-columns: 1fr; }
}
</style>
</head>
<body>
<h1>{{ title }}</h1>
<dl>
{% for label, text in headline %}
<div><dt>{{ label }}</dt><dd>{{ text }}</dd></div>
{% endfor %}
</dl>
<div class="counts">
{% for name, counts in [("Shapes", shapes), ("Models", models), ("Converted back", checks)] %}
{% if counts %}
<strong>{{ name }}</strong>
<div>
{% for name, count in counts.items() %}
<span>{{ name or "none" }} {{ "{:,}".format(count) }}</span>
{% endfor %}
</div>
{% endif %}
{% endfor %}
</div>
{% if losses %}
<table>
<thead><tr>
<th>Field</th><th>Kind</th><th>Lines</th><th>Reason and examples</th><th>Models</th><th>What to do</th>
</tr></thead>
<tbody>
{% for loss in losses %}
<tr>
<td><code class="path">{% for step in (loss.path or "the line").split(".") %}{{ step }}
{%- if not loop.last %}.<wbr>{% endif %}{% endfor %}</code></td>
<td><span class="kind">{{ loss.kind }}</span></td>
<td class="count">{{ "{:,}".format(loss.lines) }} ({{ "{:.1%}".format(loss.share) }})
<div class="bar"><div style="width: {{ "{:.1f}".format(100 * loss.share) }}%"></div></div></td>
<td>{{ words(loss.why) }}
{% for place in loss.examples | places %}
<div class="small"><span title="{{ place.file }}">{{ place.name }}</span>,
{{ "lines" if place.examples | length > 1 else "line" }}
{% for one in place.examples %}{{ one.line }}{% if "value" in one %}: <code>{{ one.value }}</code>{% endif %}
{% if not loop.last %}, {% endif %}{% endfor %}</div>
{% endfor %}</td>
<td class="models small count">
{% for name, count in loss.models | heaviest %}<div>{{ name or "none" }} {{ "{:,}".format(count) }}</div>{% endfor %}
</td>
<td>{{ words(loss.advice) }}</td>
</tr>
{% endfor %}
</tbody>
</table>
{% else %}
<p>Nothing was lost.</p>
{% endif %}
<p class="small">diglot {{ version }}, profile {{ profile }}</p>
</body>
</html>
"""
