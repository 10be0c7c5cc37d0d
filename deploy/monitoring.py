"""Writes grafana-dashboard.json and alerts.yml beside this file, from the table of metrics. Run it with `python`.

A test runs it and compares; another one asks a real Prometheus all of its questions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from diglot.adapters.observe import names
from diglot.adapters.observe.names import Metric

FOLDER = Path(__file__).parent
_MODEL = 'gen_ai_request_model=~"$model"'
_QUANTILES = (0.5, 0.95)


class Panel(NamedTuple):
    """One panel: each query with its legend."""

    title: str
    unit: str
    queries: dict[str, str]


def rate(metric: Metric, *by: str, where: str = "", suffix: str = "") -> str:
    """The rate of a counter, or of the *suffix* of a histogram, by some of its labels."""
    assert set(by) <= set(metric.labels), f"{metric.name} has no such labels: {by}"
    return f"sum by ({', '.join(by)}) (rate({metric.name}{suffix}{{{where}}}[$__rate_interval]))"


def quantiles(metric: Metric, by: str, where: str = "") -> dict[str, str]:
    """The median and the 95th percentile of a histogram."""
    assert by in metric.labels
    buckets = f"sum by (le, {by}) (rate({metric.name}_bucket{{{where}}}[$__rate_interval]))"
    return {
        f"p{quantile * 100:.0f} {{{{{by}}}}}": f"histogram_quantile({quantile}, {buckets})" for quantile in _QUANTILES
    }


def panels() -> list[Panel]:
    """All panels: each metric of the table is in one."""
    requests = rate(names.REQUESTS, "endpoint", "way", "outcome")
    errors = rate(names.DURATION, "error_type", where=f'{_MODEL},error_type!=""', suffix="_count")
    tokens = rate(names.TOKENS, "gen_ai_token_type", where=_MODEL, suffix="_sum")
    step = "step"
    spent, counted = (rate(names.TRANSLATION, step, suffix=suffix) for suffix in ("_sum", "_count"))
    return [
        Panel("Requests", "reqps", {"{{way}} {{endpoint}} {{outcome}}": requests}),
        Panel("Errors", "reqps", {"{{error_type}}": errors}),
        Panel("In progress", "short", {"{{endpoint}}": f"sum by (endpoint) ({names.IN_PROGRESS.name})"}),
        Panel("Duration", "s", quantiles(names.DURATION, "gen_ai_request_model", _MODEL)),
        Panel("Time to first token", "s", quantiles(names.FIRST_TOKEN, "gen_ai_request_model", _MODEL)),
        Panel("Time per output token", "s", quantiles(names.OUTPUT_TOKEN, "gen_ai_request_model", _MODEL)),
        Panel("Tokens per second", "short", {"{{gen_ai_token_type}}": tokens}),
        Panel(
            "Calls of the upstream", "reqps", {"{{upstream}} {{result}}": rate(names.ATTEMPTS, "upstream", "result")}
        ),
        Panel("Losses", "short", {"{{way}} {{field}} {{kind}}": rate(names.LOSSES, "field", "kind", "way")}),
        Panel("Settings that were changed", "short", {"{{setting}}": f"sum by (setting) ({names.ADAPTATIONS.name})"}),
        Panel("Time of a translation", "s", {"{{step}}": f"{spent} / {counted}"}),
        Panel("Version", "short", {"{{version}}": f"sum by (version) ({names.BUILD.name})"}),
    ]


def dashboard() -> dict[str, Any]:
    """The dashboard, as Grafana imports it."""
    source = {"type": "prometheus", "uid": "${datasource}"}
    shown = [
        {
            "id": number + 1,
            "type": "timeseries",
            "title": panel.title,
            "datasource": source,
            "gridPos": {"h": 8, "w": 8, "x": number % 3 * 8, "y": number // 3 * 8},
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "targets": [
                {"refId": chr(ord("A") + place), "datasource": source, "expr": expr, "legendFormat": legend}
                for place, (legend, expr) in enumerate(panel.queries.items())
            ],
        }
        for number, panel in enumerate(panels())
    ]
    models = f"label_values({names.DURATION.name}_count, gen_ai_request_model)"
    variables = [
        {"name": "datasource", "type": "datasource", "query": "prometheus"},
        {
            "name": "model",
            "type": "query",
            "datasource": source,
            "query": models,
            "refresh": 2,
            "includeAll": True,
            "allValue": ".*",
            "multi": True,
        },
    ]
    return {
        "uid": "diglot",
        "title": "diglot",
        "tags": ["diglot", "gen_ai"],
        "schemaVersion": 39,
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": variables},
        "panels": shown,
    }


class Alert(NamedTuple):
    """One rule."""

    name: str
    expr: str
    wait: str
    severity: str
    summary: str


def alerts() -> list[Alert]:
    """The rules; their thresholds are a beginning."""
    attempts, losses = names.ATTEMPTS.name, names.LOSSES.name
    bad = '{result=~"5xx|refused|timeout|lost"}'
    first = f"{names.FIRST_TOKEN.name}_bucket"
    by = "field, kind, way"
    return [
        Alert(
            "DiglotErrors",
            f"sum by (upstream) (rate({attempts}{bad}[5m])) / sum by (upstream) (rate({attempts}[5m])) > 0.05",
            "5m",
            "warning",
            "More than 5 % of the calls of {{ $labels.upstream }} fail.",
        ),
        Alert(
            "DiglotSlowFirstToken",
            f"histogram_quantile(0.95, sum by (le, gen_ai_request_model) (rate({first}[5m]))) > 5",
            "10m",
            "warning",
            "1 of 20 streams of {{ $labels.gen_ai_request_model }} takes more than 5 s to begin.",
        ),
        Alert(
            "DiglotNewLoss",
            f"sum by ({by}) ({losses}) unless sum by ({by}) (max_over_time({losses}[1d] offset 10m))",
            "0m",
            "info",
            "Clients send {{ $labels.field }}, which is {{ $labels.kind }} ({{ $labels.way }}): that is new today.",
        ),
        Alert(
            "DiglotNoUpstream",
            f"sum by (upstream) (increase({attempts}{bad}[2m])) > 0 "
            f'unless sum by (upstream) (increase({attempts}{{result=~"ok|4xx"}}[2m])) > 0',
            "1m",
            "critical",
            "Nothing comes back from {{ $labels.upstream }}.",
        ),
    ]


def alert_rules() -> str:
    """The rules, as Prometheus loads them; JSON's strings are YAML's, too."""
    lines = ["# Made by monitoring.py.", "groups:", "  - name: diglot", "    rules:"]
    for alert in alerts():
        lines += [
            f"      - alert: {alert.name}",
            f"        expr: {json.dumps(alert.expr)}",
            f"        for: {alert.wait}",
            f"        labels: {{severity: {alert.severity}}}",
            f"        annotations: {{summary: {json.dumps(alert.summary)}}}",
        ]
    return "\n".join(lines) + "\n"


FILES = {
    "grafana-dashboard.json": lambda: json.dumps(dashboard(), indent=2) + "\n",
    "alerts.yml": alert_rules,
}

if __name__ == "__main__":
    for name, make in FILES.items():
        (FOLDER / name).write_text(make(), "utf-8")
