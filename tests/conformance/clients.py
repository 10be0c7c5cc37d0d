"""Run real clients against two servers on one store, with multi-turn tool loops over a chat upstream.

    PYTHONPATH=tests python tests/conformance/clients.py [--store KIND ...] [--only CLIENT ...]

Each loop runs twice: chained, where the servers know what was said, and with everything sent. What reaches the upstream
must be the same. The clients come from PyPI and npm into `.venv-clients`. Those from npm are left out where there is no
npm, and stores where their server is missing, and that is said. The exit code is 0 when nothing failed. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import store_servers
from processes import Processes, serving

HERE = Path(__file__).resolve().parent / "clients"
ENVIRONMENT = HERE.parent.parent.parent / ".venv-clients"
PYTHON = ENVIRONMENT / "bin" / "python"
CLIENTS = {
    "openai-js": "run_openai.mjs",
    "openai-agents": "run_openai_agents.py",
    "ai-sdk": "run_ai_sdk.mjs",
    "langchain": "run_langchain.py",
    "pydantic-ai": "run_pydantic_ai.py",
}
VERDICTS = ("PASS ", "FAIL ", "LOOP ")
KINDS = ["sqlite", "postgres", "redis"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--only", nargs="+", choices=list(CLIENTS), default=list(CLIENTS))
    options = parser.parse_args()
    install()
    failed = 0
    for kind in options.store:
        try:
            failed += run_all(kind, options.only)
        except pytest.skip.Exception as missing:
            print(f"{kind:9} left out: {missing}")
    return 1 if failed else 0


def run_all(kind: str, clients: list[str]) -> int:
    """Run clients over one store; returns how many scenarios failed."""
    with store_url(kind) as store, serving(store) as servers, serving(store, "responses") as chat_servers:
        return sum(run(kind, client, servers, chat_servers) for client in clients)


def install() -> None:
    if not PYTHON.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    pip = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "-r", HERE / "requirements.txt"]
    subprocess.run(pip, check=True)
    if shutil.which("npm"):
        shutil.copy(HERE / "package.json", ENVIRONMENT)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], check=True, cwd=ENVIRONMENT)


@contextmanager
def store_url(kind: str) -> Iterator[str]:
    with ExitStack() as stack:
        if kind == "sqlite":
            yield f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/store.db"
        elif kind == "postgres":
            yield stack.enter_context(store_servers.postgres())
        else:
            yield stack.enter_context(store_servers.redis("--appendonly", "yes"))


def run(kind: str, client: str, servers: Processes, chat_servers: Processes) -> int:
    """Run the scenarios of one client; returns how many failed."""
    script = CLIENTS[client]
    if script.endswith(".mjs") and not shutil.which("npm"):
        print(f"{kind:9} {client:14} left out, because there is no npm here")
        return 0
    bases = {"DIGLOT_BASES": " ".join(servers.bases), "DIGLOT_CHAT_BASES": " ".join(chat_servers.bases)}
    ran = subprocess.run(
        command(script), capture_output=True, text=True, check=False, env={**os.environ, **bases, "NO_PROXY": "*"}
    )
    lines = [line.split(" ", 2) for line in ran.stdout.splitlines() if line.startswith(VERDICTS)]
    failed = 0
    for verdict, name, *about in lines:
        problem = about[0] if about else ""
        if verdict == "LOOP":
            problem = difference(servers, f"sk-{client}-{name}")
        failed += bool(problem)
        print(f"{kind:9} {client:14} {name:32} {problem or 'ok'}", flush=True)
    if ran.returncode or not lines:
        print(f"{kind:9} {client:14} ended with {ran.returncode}: {ran.stderr[-2000:]}")
        failed += 1
    return failed


def command(script: str) -> list[str | Path]:
    if script.endswith(".py"):
        return [PYTHON, "-B", HERE / script]
    for path in HERE.glob("*.mjs"):  # Node looks for packages beside the script
        shutil.copy(path, ENVIRONMENT)
    return ["node", ENVIRONMENT / script]


def difference(servers: Processes, credential: str) -> str:
    """Say where the requests of a chained loop differ from those of the same loop sent in full; empty if nowhere."""
    chained, in_full = servers.recorded(credential), servers.recorded(f"{credential}-full")
    if len(chained) != len(in_full) or not in_full:
        return f"{len(chained)} chat requests when chained, {len(in_full)} when sent in full"
    for number, (one, other) in enumerate(zip(chained, in_full, strict=True)):
        for name in sorted({*one, *other}):
            if one.get(name) != other.get(name):
                return f"request {number} differs in {name}: {first_difference(one.get(name), other.get(name))}"
    return ""


def first_difference(one: Any, other: Any) -> str:
    if isinstance(one, list) and isinstance(other, list):
        pairs = [(left, right) for left, right in zip(one, other, strict=False) if left != right]
        one, other = pairs[0] if pairs else (f"{len(one)} entries", f"{len(other)} entries")
    return f"{json.dumps(one)[:300]} when chained, {json.dumps(other)[:300]} when sent in full"


if __name__ == "__main__":
    sys.exit(main())
