"""What touches the world: the ASGI middleware, the upstream over HTTP, the server and its commands."""

from .missing import named

try:
    from .asgi import TranslationMiddleware
    from .limits import Limits
    from .record import Record
    from .upstream import Upstream
except ModuleNotFoundError as error:
    raise named(error, "diglot.adapters", "asgi") from None

__all__ = ["Limits", "Record", "TranslationMiddleware", "Upstream"]
