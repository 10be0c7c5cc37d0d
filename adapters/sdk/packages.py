"""httpx2 and httpx, two packages with the same API: which one to use, and the classes that one of them needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

from ..missing import install_hint

PACKAGES = ("httpx2", "httpx")
MOST_CONNECTIONS, MOST_IDLE = 1000, 100
"""As many as the SDK's own client has."""


def package_of(thing: object) -> Any:
    """Return the package whose class *thing* has, or a subclass; None if there is none."""
    for base in type(thing).__mro__:
        name = base.__module__.partition(".")[0]
        if name in PACKAGES:
            return import_module(name)
    return None


def preferred() -> Any:
    """Return the package that the installed SDK uses, or else one that is installed.

    Raises ModuleNotFoundError, with the command that helps, if there is none.
    """
    names = sorted(filter(find_spec, PACKAGES), key=lambda name: name not in _needed_by_sdk())
    if not names:
        raise ModuleNotFoundError(install_hint("http_client", "httpx", "httpx"), name="httpx")
    return import_module(names[0])


def _needed_by_sdk() -> set[str]:
    try:
        lines = metadata.requires("openai") or ()
    except metadata.PackageNotFoundError:
        return set()
    return {name[0] for line in lines if (name := re.match(r"[\w-]+", line))}


def new_client(package: Any, kind: str, **settings: Any) -> Any:
    """Return a client with proxies and certificates of the environment, and the SDK's pool and redirects.

    *kind* is `Client` or `AsyncClient`.
    """
    pool = package.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_IDLE)
    return getattr(package, kind)(limits=pool, follow_redirects=True, **settings)


@cache
def stream_class(package: Any, base: str, body: type) -> Callable[..., Any]:
    """Return *body* as a subclass of the package's class *base*, which its clients insist on."""
    return type(body.__name__, (body, getattr(package, base)), {})
