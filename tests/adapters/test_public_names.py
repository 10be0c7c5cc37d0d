"""The public surface of the package."""

import subprocess
import sys

from diglot import adapters


def test_names() -> None:
    """The names are sorted, and all are there."""
    assert adapters.__all__ == sorted(adapters.__all__)
    assert all(hasattr(adapters, name) for name in adapters.__all__)


def test_import_is_cheap() -> None:
    """Importing the middleware imports neither a server nor a client nor the commands."""
    program = "import sys, diglot.adapters; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"uvicorn", "click", "starlette", "aiohttp", "httpx", "httpx2"} & set(done.stdout.split())
