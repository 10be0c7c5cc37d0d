"""The public surface of the package."""

import importlib
import subprocess
import sys

import pytest

from diglot import adapters
from diglot.adapters import inspector


def test_names() -> None:
    """The names are sorted, and all are there."""
    assert adapters.__all__ == sorted(adapters.__all__)
    assert all(hasattr(adapters, name) for name in adapters.__all__)


def test_import_is_cheap() -> None:
    """Importing the middleware imports neither a server nor a client nor the commands."""
    program = "import sys, diglot.adapters; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"uvicorn", "click", "starlette", "aiohttp", "httpx", "httpx2"} & set(done.stdout.split())


def test_an_inspector_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The inspector needs what the server needs."""
    monkeypatch.delitem(sys.modules, "diglot.adapters.inspector.app")
    monkeypatch.setitem(sys.modules, "starlette.requests", None)
    with pytest.raises(ModuleNotFoundError, match=r"diglot.adapters.inspector needs starlette.*'diglot\[server\]'"):
        importlib.reload(inspector)
