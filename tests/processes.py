"""Server processes in front of a scripted upstream that keeps what it is asked, for tests with real clients."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from openai import DefaultHttpxClient, OpenAI

SCENARIOS = Path(__file__).parent / "scenarios"
_DIGLOT = Path(sys.executable).with_name("diglot")
_PATIENCE = 60


class Processes(NamedTuple):
    """Servers on one store."""

    bases: list[str]
    """Where a client finds each: `http://HOST:PORT/v1`."""
    upstream: str
    http: DefaultHttpxClient

    def sdk(self, number: int, credential: str) -> OpenAI:
        """The official client for one of them; numbers go round."""
        base = self.bases[number % len(self.bases)]
        return OpenAI(base_url=base, api_key=credential, max_retries=0, http_client=self.http)

    def recorded(self, credential: str) -> list[dict[str, Any]]:
        """The chat requests that the upstream got with a credential."""
        headers = {"authorization": f"Bearer {credential}"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.upstream}/requests", headers=headers)) as answer:
            return json.load(answer)


@contextmanager
def serving(store: str, api: str = "chat", count: int = 2) -> Iterator[Processes]:
    """Run `diglot serve` on a *store*, given as its URL, in front of an upstream with one *api*."""
    with ExitStack() as stack:
        port = stack.enter_context(_running(sys.executable, "-B", SCENARIOS / "chat_upstream.py", api))
        upstream = f"http://127.0.0.1:{port}"
        options = ["--upstream", upstream, "--upstream-api", api, "--store", store, "--log-level", "error", "--quiet"]
        ports = [stack.enter_context(_running(_DIGLOT, "serve", *options, "--port")) for _ in range(count)]
        http = stack.enter_context(DefaultHttpxClient())
        yield Processes([f"http://127.0.0.1:{port}/v1" for port in ports], upstream, http)


@contextmanager
def _running(*command: str | Path) -> Iterator[int]:
    """Run a server whose command ends with its port; yields that when it takes connections."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            yield port
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args} takes no connections")
