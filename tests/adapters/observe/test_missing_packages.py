"""Without the packages of its extra, each module says how to install them; unused, none of them is imported."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from diglot.adapters.observe import metrics, otel_setup, traces


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [
        (metrics, "prometheus_client", "metrics"),
        (traces, "opentelemetry", "otel"),
        (otel_setup, "opentelemetry", "otel"),
    ],
)
def test_what_is_missing(monkeypatch: pytest.MonkeyPatch, module: object, package: str, extra: str) -> None:
    """The error names the package and the command."""
    monkeypatch.setitem(sys.modules, package, None)
    spec = spec_from_file_location("diglot.adapters.observe.once_more", str(getattr(module, "__file__", "")))
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(ModuleNotFoundError, match=rf"needs {package}: pip install 'diglot\[{extra}\]'"):
        spec.loader.exec_module(module_from_spec(spec))


SERVE = """
import sys
from diglot.adapters.server.app import application
from diglot.adapters.server.config import Settings
application(Settings(demo=True, **%s))
print(*sorted({name.split(".")[0] for name in sys.modules} & {"prometheus_client", "opentelemetry"}))
"""


@pytest.mark.parametrize(
    ("settings", "imported"),
    [({}, ""), ({"metrics": True}, "prometheus_client"), ({"otel": True}, "opentelemetry")],
)
def test_what_is_not_used_is_not_imported(settings: dict[str, bool], imported: str) -> None:
    """Neither by the middleware nor by the server."""
    ran = subprocess.run([sys.executable, "-c", SERVE % settings], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == imported
