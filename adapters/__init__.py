"""Everything that does I/O: the ASGI middleware, the upstream over HTTP, the server and its commands."""

from .missing import with_install_hint

try:
    from .limits import Limits
    from .middleware.app import TranslationMiddleware
    from .middleware.record import Record
    from .upstream.app import Upstream
except ModuleNotFoundError as _error:
    raise with_install_hint(_error, "diglot.adapters", "asgi") from None

__all__ = ["Limits", "Record", "TranslationMiddleware", "Upstream"]
