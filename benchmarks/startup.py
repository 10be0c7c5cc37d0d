"""How long does it take until one can begin: to import the translator, to start the server?"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from benchmarks import measure, results, settings
from benchmarks.servers import contestants, traffic
from benchmarks.servers.process import Server
from benchmarks.servers.upstream import Upstream

UNIT = "milliseconds"
BARE = "python alone"
IMPORTS = {
    BARE: "pass",
    "msgspec": "import msgspec",
    "diglot.translator": "import diglot.translator",
    "diglot.adapters": "import diglot.adapters",
    "openai": "import openai",
    "litellm": "import litellm",
    "openai-agents": "import agents",
}
"""What is imported; the last are the peers."""


def importing(code: str) -> tuple[float, int]:
    """CPU milliseconds of a new process that runs *code*, and its peak resident memory."""
    told = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    tail = "\nimport resource as r\nu = r.getrusage(r.RUSAGE_SELF)\nprint(u.ru_utime + u.ru_stime, u.ru_maxrss)"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], env=told, capture_output=True, text=True, check=True, cwd=settings.ROOT
    )
    seconds, size = done.stdout.split()[-2:]
    return float(seconds) * 1e3, int(size) * (1 if sys.platform == "darwin" else 1024)


def imports(given: settings.Settings) -> measure.Rows:
    """Each in a new process; what Python itself takes is taken off."""
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    sizes: dict[str, list[float]] = {name: [] for name in IMPORTS}
    if not given.short:
        for code in IMPORTS.values():
            importing(code)  # the files are in memory from now on
    for name in measure.in_turns(list(IMPORTS), given.rounds):
        took, size = importing(IMPORTS[name])
        times[name].append(took)
        sizes[name].append(size)
    bare, empty = measure.summary(times[BARE])["median"], measure.summary(sizes[BARE])["median"]
    rows: measure.Rows = {}
    for name in IMPORTS:
        off = 0.0 if name == BARE else bare
        more = measure.summary(sizes[name])["median"] - (0 if name == BARE else empty)
        rows[name] = {**measure.summary([value - off for value in times[name]]), "resident": round(more)}
    return rows


async def servers(given: settings.Settings) -> measure.Rows:
    """From the start of the process until it takes connections, and the CPU time that it took for that."""
    upstream = Upstream()
    port = await upstream.listen()
    wanted = (contestants.FLOOR, contestants.diglot("responses"), contestants.SDK, contestants.LITELLM)
    rows: measure.Rows = {}
    with contestants.available(port, given, wanted[: 2 if given.short else 4]) as found:
        for name, start in found.items():
            starts = [_started(start()) for _ in range(given.rounds if "litellm" not in name else 2)]
            rows[name] = measure.summary([clock for clock, _ in starts])
            rows[name]["CPU ms"] = measure.summary([cpu for _, cpu in starts])["median"]
    return rows


def _started(server: Server) -> tuple[float, float]:
    took = server.ready() * 1e3, server.cpu() * 1e3
    server.stop()
    return took


def main() -> None:
    given = settings.from_command_line()
    few = given.few(1 if given.short else 5)
    found: dict[str, Any] = {"imports": imports(few)}
    measure.show("imports: CPU time", found["imports"], "ms")
    found["servers"] = traffic.run(lambda: servers(few))
    measure.show("servers: from the start until connections are taken", found["servers"], "ms")
    results.save("startup", UNIT, few, found)


if __name__ == "__main__":
    main()
