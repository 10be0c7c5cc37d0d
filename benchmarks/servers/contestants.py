"""Who stands between the clients and the upstream, and how each is started."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from benchmarks.directions import DIRECTIONS, Api, other
from benchmarks.inputs.requests import MODEL
from benchmarks.settings import Settings

from . import nginx
from .client import KEY, Target
from .process import Server, free_port

DIRECT = "no proxy"
PASSING = "diglot serve, passing through"
OURS = "diglot serve"
SDK = "litellm SDK in a bare application"
RELAY = "codex-relay"
LITELLM = "litellm proxy"
OUR_CLIENT = "aiohttp"
"""The HTTP client of `diglot serve`: the pass-through with the same one is the floor to compare it with."""
FLOOR = f"{OUR_CLIENT} pass-through"
NGINX = "nginx"
FLOORS = (FLOOR, NGINX)
_UVICORN = (sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--no-access-log", "--log-level", "warning")

Starters = dict[str, Callable[[], Server]]


class Contestant(NamedTuple):
    """A server, and how it is asked; it has no server when nobody stands between."""

    name: str
    server: Server | None
    target: Target


def _clients() -> list[str]:
    """The HTTP clients that are installed here, ours first."""
    return [name for name in (OUR_CLIENT, "httpx_aiohttp", "httpx2", "httpx") if importlib.util.find_spec(name)]


@contextmanager
def available(upstream: int, given: Settings, wanted: tuple[str, ...] = ()) -> Iterator[Starters]:
    """What starts each of the contestants, or of those whose names begin like one of *wanted*."""
    with tempfile.TemporaryDirectory() as folder:
        every = _servers(upstream, given, Path(folder))
        found = {name: start for name, start in every.items() if not wanted or name.startswith(wanted)}
        for name, why in _left_out(given).items():
            if not wanted or name.startswith(wanted):
                print(f"{name} is left out: {why}", flush=True)
        yield found


@contextmanager
def running(upstream: int, given: Settings, wanted: tuple[str, ...] = ()) -> Iterator[dict[Api, list[Contestant]]]:
    """Start the contestants and wait until they serve."""
    started: dict[str, Server] = {}
    with available(upstream, given, wanted) as found:
        try:
            for name, start in found.items():
                started[name] = start()
            for server in started.values():
                server.ready()
            yield {api: _taking_part(api, started, upstream) for api in DIRECTIONS}
        finally:
            for server in started.values():
                server.stop()


def _taking_part(api: Api, started: dict[str, Server], upstream: int) -> list[Contestant]:
    """In which API each is asked: those that translate nothing in the upstream's own."""
    found = [Contestant(DIRECT, None, Target(upstream, other(api), MODEL))]
    for name, server in started.items():
        if name.endswith("pass-through") or name == NGINX:
            found.append(Contestant(name, server, Target(server.port, other(api), MODEL)))
        elif name == diglot(api):
            found.append(Contestant(PASSING, server, Target(server.port, other(api), MODEL)))
            found.append(Contestant(OURS, server, Target(server.port, api, MODEL)))
        elif name == SDK:
            found.append(Contestant(name, server, Target(server.port, api, MODEL)))
        elif name.startswith(LITELLM):
            found.append(Contestant(name, server, Target(server.port, api, f"to-{other(api)}")))
        elif name.startswith((RELAY, "responses.js")) and api == "responses":
            found.append(Contestant(name, server, Target(server.port, api, MODEL)))
    return found


def diglot(api: Api) -> str:
    """The name of our server whose clients speak *api*: it is started once for each direction."""
    return f"{OURS}, {api}"


def _servers(upstream: int, given: Settings, folder: Path) -> Starters:
    """All that are installed; those that nobody wants are not started."""
    url = f"http://127.0.0.1:{upstream}"
    found: Starters = {}
    if command := nginx.command():
        found[NGINX] = lambda: nginx.server(command, upstream, folder)
    for client in _clients():
        found[f"{client} pass-through"] = lambda client=client: _passthrough(url, client)
    for api in DIRECTIONS:
        found[diglot(api)] = lambda api=api: _serve(url, api)
    found[SDK] = lambda: _sdk(url)
    if relay := _relay():
        found[f"{RELAY} {metadata.version(RELAY)}"] = lambda: _codex_relay(url, relay)
    if given.litellm:
        found[f"{LITELLM} {_version(given.litellm)}"] = lambda command=given.litellm: _litellm_proxy(
            url, command, folder
        )
    if given.responses_js:
        about = json.loads((given.responses_js / "package.json").read_text())
        found[f"responses.js {about['version']}"] = lambda folder=given.responses_js: _responses_js(url, folder)
    return found


def _left_out(given: Settings) -> dict[str, str]:
    """What is not here, and why."""
    reasons = {
        NGINX: None if nginx.command() else "it is not installed (apt-get install nginx-light)",
        RELAY: None if _relay() else "its command is not beside Python's (pip install codex-relay)",
        LITELLM: None if given.litellm else "it is not installed (make litellm)",
    }
    return {name: why for name, why in reasons.items() if why}


def _relay() -> str | None:
    """The command that its package has installed beside this Python's."""
    return shutil.which(RELAY, path=str(Path(sys.executable).parent))


def _codex_relay(url: str, command: str) -> Server:
    port = free_port()
    told = {"CODEX_RELAY_UPSTREAM": f"{url}/v1", "CODEX_RELAY_API_KEY": "none", "CODEX_RELAY_PORT": str(port)}
    return Server(RELAY, [command], port, told)


def _passthrough(url: str, client: str) -> Server:
    port = free_port()
    told = {"PASSTHROUGH_UPSTREAM": url, "PASSTHROUGH_CLIENT": client}
    command = [*_UVICORN, "--port", str(port), "--ws", "none", "benchmarks.servers.passthrough:app"]
    return Server(f"{client} pass-through", command, port, told)


def _serve(url: str, api: Api) -> Server:
    port = free_port()
    command = [sys.executable, "-m", "diglot.adapters.cli", "serve", "--upstream", url, "--port", str(port)]
    command += ["--upstream-api", other(api)]
    return Server(diglot(api), command, port)


def _sdk(url: str) -> Server:
    port = free_port()
    told = {"LITELLM_UPSTREAM": url, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [*_UVICORN, "--port", str(port), "--ws", "none", "benchmarks.servers.litellm_sdk:app"]
    return Server(SDK, command, port, told)


def _litellm_proxy(url: str, litellm: Path, folder: Path) -> Server:
    """One model for each direction, and what is dropped of a request: as with the SDK."""
    models = {"to-chat": f"custom_openai/{MODEL}", "to-responses": "openai/responses/gpt-4o"}
    common = {"api_base": f"{url}/v1", "api_key": "none"}
    named = [{"model_name": name, "litellm_params": {"model": model, **common}} for name, model in models.items()]
    file = folder / "litellm.yaml"
    file.write_text(json.dumps({"model_list": named, "litellm_settings": {"drop_params": True}}))  # JSON is YAML
    port = free_port()
    command = [str(litellm), "--config", str(file), "--host", "127.0.0.1", "--port", str(port)]
    told = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": KEY}
    return Server(LITELLM, command, port, told)


def _responses_js(url: str, folder: Path) -> Server:
    port = free_port()
    told = {"OPENAI_BASE_URL": f"{url}/v1", "PORT": str(port)}
    return Server("responses.js", ["node", str(folder / "dist" / "index.js")], port, told)


def _version(litellm: Path) -> str:
    """The version of LiteLLM in the environment of its command."""
    python = litellm.parent / ("python.exe" if os.name == "nt" else "python")
    told = subprocess.run(
        [python, "-c", "from importlib.metadata import version; print(version('litellm'))"],
        capture_output=True,
        text=True,
    )
    return told.stdout.strip() or "of unknown version"
