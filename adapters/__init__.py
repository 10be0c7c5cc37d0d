"""What touches the world: the ASGI middleware, the upstream over HTTP, the server and its commands."""

from .asgi import ResponsesMiddleware
from .limits import Limits
from .record import Record
from .upstream import Upstream

__all__ = ["Limits", "Record", "ResponsesMiddleware", "Upstream"]
