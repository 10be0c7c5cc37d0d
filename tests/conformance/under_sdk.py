"""Run the Agents SDK with a transport and without a server, over both demo upstreams.

    PYTHONPATH=tests python tests/conformance/under_sdk.py

The clients come from PyPI into `.venv-clients`, and with them the wheel in dist/. The official SDK alone does the same
in `tests/adapters/test_under_sdk.py`. The exit code is 0 when nothing failed. See README.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import anyio
import clients

from diglot.adapters.demo import app as demo
from diglot.adapters.server.app import on_loopback

ROOT = Path(__file__).resolve().parent.parent.parent
UPSTREAMS = {"chat": demo.upstream, "responses": demo.responses_upstream}


async def run(api: str) -> int:
    """Run the scenarios over the upstream that has *api*; returns how many failed."""
    async with on_loopback(UPSTREAMS[api]()) as url:
        environment = {**os.environ, "DIGLOT_BASE": f"{url}/v1", "DIGLOT_UPSTREAM_API": api, "NO_PROXY": "*"}
        command = [str(clients.PYTHON), "-B", str(clients.HERE / "run_transport.py")]
        ran = await anyio.run_process(command, env=environment, check=False)
    lines = [line for line in ran.stdout.decode().splitlines() if line.startswith(clients.VERDICTS)]
    print(*(f"{api:9} upstream  {line}" for line in lines), sep="\n")
    if ran.returncode or not lines:
        print(ran.stderr.decode()[-2000:])
    return sum(line.startswith("FAIL ") for line in lines) + (ran.returncode != 0 or not lines)


def main() -> int:
    clients.install()
    wheel = next((ROOT / "dist").glob("diglot-*.whl"))
    pip = [clients.PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--force-reinstall"]
    subprocess.run([*pip, "--no-deps", wheel], check=True)
    subprocess.run([*pip[:-1], "msgspec"], check=True)
    return 1 if sum(anyio.run(run, api) for api in UPSTREAMS) else 0


if __name__ == "__main__":
    sys.exit(main())
