"""What touches the world: the ASGI middleware, the upstream over HTTP, the server and its commands."""

from .asgi import TranslationMiddleware
from .limits import Limits
from .record import Record
from .upstream import Upstream

__all__ = ["Limits", "Record", "TranslationMiddleware", "Upstream"]
