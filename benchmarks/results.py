"""The results as files: what was measured, on what kind of machine, with which versions. No names, no paths."""

from __future__ import annotations

import json
import os
import platform
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.settings import Settings

RESULTS = Path(__file__).parent / "results"
SLOW = "neither PGO nor LTO"
_OPTIMISATIONS = {"PGO": "--enable-optimizations", "LTO": "--with-lto"}
_PACKAGES = (
    "diglot",
    "msgspec",
    "litellm",
    "codex-relay",
    "openai-agents",
    "openai",
    "pydantic",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "httpx2",
    "httpx",
    "httpx-aiohttp",
    "aiohttp",
    "sqlalchemy",
    "asyncpg",
    "redis",
    "ray",
)


def save(question: str, unit: str, given: Settings, found: dict[str, Any]) -> None:
    """Write what was *found*; a short run leaves the files alone."""
    if given.short:
        return
    if build() == SLOW:
        print("Python was built without PGO and LTO: our code takes 13 to 25 % longer with it, the floors do not.")
    about = {"question": question, "unit": unit, "machine": machine(), "versions": versions(), "rounds": given.rounds}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{question}.json").write_text(json.dumps(_bare({**about, **found}), indent=1) + "\n")


def load(question: str) -> dict[str, Any] | None:
    """What was found, or None if nobody has asked."""
    file = RESULTS / f"{question}.json"
    return json.loads(file.read_text()) if file.exists() else None


def machine() -> dict[str, Any]:
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "build": build(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
    }


def build() -> str:
    """With which optimisations Python was built: without them, our code takes longer and the floors do not."""
    options = sysconfig.get_config_var("CONFIG_ARGS")
    if not isinstance(options, str):
        return "build unknown"
    found = [name for name, option in _OPTIMISATIONS.items() if option in options]
    return " and ".join(found) if found else SLOW


def versions() -> dict[str, str]:
    installed = {package.metadata["Name"].lower(): package.version for package in metadata.distributions()}
    return {name: installed[name] for name in _PACKAGES if name in installed}


def _cpu() -> str:
    """The model of the processor, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _bare(value: Any) -> Any:
    """Without the single rounds: their quartiles are enough."""
    if isinstance(value, dict):
        return {key: _bare(inner) for key, inner in value.items() if not (key == "rounds" and isinstance(inner, list))}
    return value
