"""Python with few packages: the installed diglot, the standard library, and those that a test names."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

SITE = Path(sysconfig.get_path("purelib"))
NEEDED_BY = {
    "msgspec": ("msgspec",),
    "anyio": ("anyio", "idna", "sniffio", "typing_extensions.py"),
    "httpx": ("httpx", "httpcore", "h11", "certifi", "idna"),
    "click": ("click",),
}
"""What each package is made of: folders and files in site-packages; not every version has all of them."""


def run(folder: Path, packages: Iterable[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in *folder*, which is empty, with nothing but diglot and *packages*."""
    for name in ["diglot", *(part for package in packages for part in NEEDED_BY[package])]:
        if (SITE / name).exists() and not (folder / name).exists():
            (folder / name).symlink_to(SITE / name)
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
