"""Everything that does I/O: ASGI middleware, upstreams over HTTP, transports for SDKs, the server and its commands."""

from .missing import with_install_hint

try:
    from .limits import Limits
    from .middleware.app import TranslationMiddleware
    from .middleware.record import Record
    from .sdk.async_transport import AsyncTransport
    from .sdk.clients import async_http_client, http_client
    from .sdk.transport import Transport
    from .upstream.app import Upstream
except ModuleNotFoundError as _error:
    raise with_install_hint(_error, "diglot.adapters", "asgi") from None

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
