"""Old names of `diglot.translator`: they work until 0.3, with a DeprecationWarning."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

RENAMED = {
    "BadRequest": "RequestError",
    "BadUpstream": "UpstreamError",
    "Misuse": "ProtocolMisuse",
    "NotSayable": "UntranslatableError",
    "Received": "RequestBody",
}
"""The current name for each old one."""


def getter(module: dict[str, Any]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module, given its globals: it resolves old names."""

    def find(name: str) -> Any:
        if name not in RENAMED:
            raise AttributeError(f"module {module['__name__']!r} has no attribute {name!r}")
        message = f"{module['__name__']}.{name} is now {RENAMED[name]}; the old name will be removed in 0.3"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return module[RENAMED[name]]

    return find
