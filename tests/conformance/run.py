"""Run public conformance suites against diglot, with the demo upstream behind it or any other.

    python tests/conformance/run.py [--api responses|chat] [--upstream URL] [--model NAME] [--only llm-comply|llmprobe]

llm-comply comes from PyPI into an environment of its own (.venv-conformance), llmprobe from npm with npx (Node 20 or
newer; without npx it is left out, and that is said). The exit code is 0 when no check failed. See README.md here.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = ROOT / ".venv-conformance"
LLM_COMPLY = "llm-comply==0.5.0"
LLMPROBE = "llmprobe@0.6.12"
FORMATS = {"responses": "open-responses", "chat": "openai-chat"}
SURFACES = {"responses": ("models", "chat", "responses"), "chat": ("models", "chat")}
"""What of llmprobe counts: behind a Responses upstream, its own Responses endpoint is none of our business."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--api", choices=list(SURFACES), default="responses", help="what is translated; the upstream has the other API"
    )
    parser.add_argument("--upstream", help="the URL of an upstream instead of the embedded demo")
    parser.add_argument("--model", default="gpt-5", help="the model (with gpt-5, llm-comply tests reasoning too)")
    parser.add_argument("--profile", help="diglot's profile for the upstream")
    parser.add_argument("--only", choices=["llm-comply", "llmprobe"])
    given = parser.parse_args()
    options = ["--upstream-api", "chat" if given.api == "responses" else "responses"]
    # both suites test Open Responses: its event names and its [DONE]
    options += ["--set", "events=openresponses"]
    options += ["--upstream", given.upstream] if given.upstream else ["--demo"]
    options += ["--profile", given.profile] if given.profile else []
    failed = 0
    with served(options) as base:
        if given.only != "llmprobe":
            failed += llm_comply(base, given.model, FORMATS[given.api])
        if given.only != "llm-comply":
            failed += llmprobe(base, given.model, SURFACES[given.api])
    return 1 if failed else 0


@contextmanager
def served(options: list[str]) -> Iterator[str]:
    """`diglot serve` on a free port; yields its base URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("diglot")), "serve", "--port", str(port), "--log-level", "error"]
    with subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", server)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if server.poll() is not None:
            sys.exit(f"diglot serve ended with {server.returncode}")
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    sys.exit(f"diglot serve does not answer at {url}")


def llm_comply(base: str, model: str, form: str) -> int:
    """Compliance with a format; returns the number of failed checks."""
    program = ENVIRONMENT / "bin" / "llm-comply"
    if not program.exists():
        venv.create(ENVIRONMENT, with_pip=True)
        pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", LLM_COMPLY], check=True)
    ran = subprocess.run(
        [str(program), "-u", base, "-k", "none", "-m", model, "--format", form, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = parsed(ran, "llm-comply")
    print(f"\n{LLM_COMPLY}: {found['summary']}")
    for result in found["results"]:
        print(f"  {result['status']:8} {result['id']}")
        for line in [*result.get("errors", []), *(f"warning: {w}" for w in result.get("warnings", []))]:
            print(f"           {line}")
    return found["summary"]["failed"]


def llmprobe(base: str, model: str, surfaces: tuple[str, ...]) -> int:
    """llmprobe's engine conformance; returns the number of failed checks. What it says about the model is left out."""
    if not shutil.which("npx"):
        print(f"\n{LLMPROBE}: left out, because there is no npx here")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        command = ["npx", "--yes", LLMPROBE, base, "-m", model, "--no-bench", "--no-save", "--json", "--no-color"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=os.environ)
    found = parsed(ran, "llmprobe")["conformance"]
    counted = [surface for surface in found["bySurface"] if surface["surface"] in surfaces]
    passed, total = (sum(surface[name] for surface in counted) for name in ("passed", "total"))
    print(f"\n{LLMPROBE}: {passed} of {total} assertions")
    for surface in counted:
        print(f"  {surface['surface']:12} {surface['passed']} of {surface['total']}")
    results = [result for result in found["results"] if result["id"].startswith(surfaces)]
    failed = [result for result in results if result["outcome"] == "fail"]
    for result in failed:
        print(f"  failed       {result['id']}: {[failure['message'] for failure in result['failures']]}")
    absent = [result["id"] for result in results if result["outcome"] == "unsupported"]
    print(f"  not there    {', '.join(absent)}")
    for result in found["inconclusive"]:
        print(f"  inconclusive {result['id']}: {result['reason']}")
    return len(failed)


def parsed(ran: subprocess.CompletedProcess[str], name: str) -> dict[str, Any]:
    try:
        return json.loads(ran.stdout)
    except ValueError:
        sys.exit(f"{name} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")


if __name__ == "__main__":
    sys.exit(main())
