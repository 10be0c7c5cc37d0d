"""Everything that does I/O: ASGI middleware, upstreams over HTTP, transports for SDKs, the server and its commands.

Names are imported when they are first used: a process that migrates data does not load an HTTP client.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .missing import with_install_hint

if TYPE_CHECKING:
    from .limits import Limits
    from .middleware.app import TranslationMiddleware
    from .middleware.record import Record
    from .sdk.async_transport import AsyncTransport
    from .sdk.clients import async_http_client, http_client
    from .sdk.transport import Transport
    from .upstream.app import Upstream

__all__ = [
    "AsyncTransport",
    "Limits",
    "Record",
    "TranslationMiddleware",
    "Transport",
    "Upstream",
    "async_http_client",
    "http_client",
]

_MODULES = {
    "AsyncTransport": "sdk.async_transport",
    "Limits": "limits",
    "Record": "middleware.record",
    "TranslationMiddleware": "middleware.app",
    "Transport": "sdk.transport",
    "Upstream": "upstream.app",
    "async_http_client": "sdk.clients",
    "http_client": "sdk.clients",
}


def _imported(name: str) -> Any:
    """Return a name of one of the modules. Raises ModuleNotFoundError, with the extra to install."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    except ModuleNotFoundError as error:
        raise with_install_hint(error, "diglot.adapters", "asgi") from None
    globals()[name] = found
    return found


globals()["__getattr__"] = _imported  # unseen by type checkers, which would allow any name
