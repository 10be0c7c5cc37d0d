"""The dashboard and the alert rules are made from the table of metrics."""

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from diglot.adapters.observe.names import METRICS

DEPLOY = Path(__file__).parent.parent / "deploy"
_SUFFIXES = ("", "_bucket", "_count", "_sum")
_BY = re.compile(r"by \(([^)]*)\)")


def monitoring() -> Any:
    spec = importlib.util.spec_from_file_location("monitoring", DEPLOY / "monitoring.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def queries() -> list[str]:
    shown = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"][0]["rules"]
    return [target["expr"] for panel in shown["panels"] for target in panel["targets"]] + [
        rule["expr"] for rule in rules
    ]


@pytest.mark.parametrize("name", ["grafana-dashboard.json", "alerts.yml"])
def test_the_files_are_what_is_made(name: str) -> None:
    """Run `python deploy/monitoring.py` after a change of the table."""
    assert (DEPLOY / name).read_text() == monitoring().FILES[name]()


def test_every_metric_is_shown() -> None:
    """And nothing is asked for that is not in the table."""
    asked = {name for query in queries() for name in re.findall(r"\b(?:diglot|gen_ai_(?:server|client))_\w+", query)}
    known = {metric.name + suffix for metric in METRICS for suffix in _SUFFIXES}
    assert asked <= known
    for metric in METRICS:
        assert asked & {metric.name + suffix for suffix in _SUFFIXES}


def test_labels_exist() -> None:
    """What a query groups by is a label of its metric."""
    for query in queries():
        metrics = [metric for metric in METRICS if metric.name in query]
        labels = {"le", *(label for metric in metrics for label in metric.labels)}
        assert {label.strip() for group in _BY.findall(query) for label in group.split(",")} <= labels


def test_four_rules() -> None:
    """Prometheus' own tool takes them."""
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"][0]["rules"]
    assert len(rules) == 4
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    ran = subprocess.run([tool, "check", "rules", DEPLOY / "alerts.yml"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
