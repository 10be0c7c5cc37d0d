"""The public surface: names, signatures, and that every one of them is documented."""

import doctest
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

import diglot
import diglot.adapters
import diglot.translator
import diglot.types

SERVE = "body, *, profile=None, strict=False, live=True, new_id=None, clock=no_time, seals=PLAIN"
TRANSPORT = "(inner=None, *, upstream_api='chat', profile='default', strict=False, on_exchange=None)"
FUNCTIONS = {
    "chat_request": "(request, /, *, profile=None, strict=False)",
    "responses_request": "(request, /, *, profile=None, strict=False)",
    "responses_answer": "(completion, /, *, request=None, profile=None, strict=False, new_id=None, clock=None)",
    "chat_answer": "(finished, /, *, request=None, profile=None, strict=False, new_id=None, clock=None)",
    "responses_stream": "(chunks, /, *, request=None, profile=None, new_id=None, clock=None)",
    "chat_stream": "(events, /, *, request=None, profile=None, new_id=None, clock=None)",
    "convert": "(body, /, *, profile=None, strict=False)",
    "preset": "(name, **changes)",
    "ServeResponses": f"({SERVE}, continuation=None, left_out=frozenset(), summary=None, answer_model='')",
    "ServeChat": f"({SERVE}, keeps=False, answer_model='')",
    **dict.fromkeys(("Transport", "AsyncTransport", "http_client", "async_http_client"), TRANSPORT),
}
ERRORS = ["TranslationError", "RequestError", "UntranslatableError", "UpstreamError", "ProtocolMisuse"]
VALUES = ["Profile", "Loss", "__version__"]
DOCUMENTED = [
    *((diglot, name) for name in diglot.__all__ if name != "__version__"),
    *((diglot.translator, name) for name in diglot.translator.__all__),
]


def shown(function: Callable[..., Any]) -> str:
    """The signature, without types."""
    empty = inspect.Parameter.empty
    signature = inspect.signature(function)
    parameters = [one.replace(annotation=empty) for one in signature.parameters.values()]
    bare = str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))
    return re.sub(r"<function (\w+) at \w+>", r"\1", bare.replace(repr(diglot.translator.PLAIN), "PLAIN"))


def test_names() -> None:
    """These and no others; a new one is a decision."""
    assert sorted(diglot.__all__) == sorted([*FUNCTIONS, *ERRORS, *VALUES])
    assert all(hasattr(diglot, name) for name in diglot.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures(name: str) -> None:
    """Whatever is not the body is given by name."""
    assert shown(getattr(diglot, name)) == FUNCTIONS[name]


def test_errors() -> None:
    """They are one tree."""
    assert issubclass(diglot.UntranslatableError, diglot.RequestError)
    assert all(issubclass(getattr(diglot, name), diglot.TranslationError) for name in ERRORS)


def test_names_of_adapters_are_imported_when_they_are_used() -> None:
    """Whoever converts does not pay for an HTTP client; there are no other names."""
    program = "import sys, diglot; print(*sys.modules); diglot.http_client; print('diglot.adapters' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported, then = done.stdout.splitlines()
    assert not {"diglot.adapters", "anyio", "httpx", "httpx2"} & set(imported.split())
    assert then == "True"
    with pytest.raises(AttributeError, match="module 'diglot' has no attribute 'httpclient'"):
        _ = diglot.httpclient  # pyright: ignore[reportAttributeAccessIssue]


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra; a module of ours that is missing is a mistake of ours."""
    for missing, words in (("anyio", r"Transport needs anyio: pip install 'diglot\[httpx\]'"), ("diglot.x", "^No")):
        error = ModuleNotFoundError("No module", name=missing)
        monkeypatch.setattr(diglot, "import_module", Mock(side_effect=error))
        with pytest.raises(ModuleNotFoundError, match=words):
            _ = diglot.Transport


def test_modules_of_adapters_are_imported_when_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever migrates data does not pay for a server; all names are there, and no others."""
    program = "import sys, diglot.adapters.migrate; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"anyio", "asyncio", "ssl"} & set(done.stdout.split())
    monkeypatch.delattr(diglot.adapters, "Limits", raising=False)
    assert {getattr(diglot.adapters, name).__name__ for name in diglot.adapters.__all__} == set(diglot.adapters.__all__)
    with pytest.raises(AttributeError, match=r"module 'diglot\.adapters' has no attribute 'Upstreams'"):
        _ = diglot.adapters.Upstreams  # pyright: ignore[reportAttributeAccessIssue]
    error = ModuleNotFoundError("No module", name="anyio")
    monkeypatch.setattr(diglot.adapters, "import_module", Mock(side_effect=error))
    monkeypatch.delattr(diglot.adapters, "Limits")
    with pytest.raises(ModuleNotFoundError, match=r"diglot\.adapters needs anyio: pip install 'diglot\[asgi\]'"):
        _ = diglot.adapters.Limits


def test_one_class_one_name() -> None:
    """What the root has is what the translator has."""
    for name in set(diglot.__all__) & set(diglot.translator.__all__):
        assert getattr(diglot, name) is getattr(diglot.translator, name)


def test_types() -> None:
    """The shapes are sorted, there, and documented."""
    assert diglot.types.__all__ == sorted(diglot.types.__all__)
    for name in diglot.types.__all__:
        assert getattr(diglot.types, name).__doc__


@pytest.mark.parametrize(("module", "name"), DOCUMENTED, ids=[f"{m.__name__}.{name}" for m, name in DOCUMENTED])
def test_examples_in_docstrings_run(module: Any, name: str) -> None:
    """Each prints what it says; what users call has one."""
    value = getattr(module, name)
    if inspect.ismodule(value):
        found = doctest.DocTestFinder(recurse=True).find(value, globs=vars(value))
    else:
        home = importlib.import_module(getattr(value, "__module__", module.__name__))
        found = doctest.DocTestFinder(recurse=True).find(value, name, globs=vars(home) | {name: value})
    runner = doctest.DocTestRunner()
    for test in found:
        runner.run(test)
    assert runner.failures == 0
    assert runner.tries or name not in FUNCTIONS, "no example"


@pytest.mark.parametrize("module", [diglot, diglot.translator], ids=lambda module: module.__name__)
def test_what_modules_say_of_themselves_runs(module: Any) -> None:
    """So do the examples at the top of a module."""
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder(recurse=False).find(module):
        runner.run(test)
    assert runner.failures == 0
    assert runner.tries or module is not diglot.translator


def test_importing_it_is_cheap() -> None:
    """Neither the adapters nor anything that touches the world is loaded."""
    program = "import sys, diglot; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"diglot.adapters", "anyio", "asyncio", "socket", "logging"} & set(loaded)
