"""What both transports share: which client sends a request, and what becomes of it and of its answer."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, ClassVar

from ...translator import Profile, TranslationError, encode_json
from ..asgi.types import Headers, Scope
from ..middleware.record import Record
from ..middleware.routes import Api
from . import packages
from .branch import UpstreamRequest
from .call import Call, Head
from .context import TransportContext
from .stored_state import refusal


class BaseTransport:
    """A transport with its settings, and the client or transport beneath it."""

    kind: ClassVar[str]
    """The class of the package's clients that have such transports."""

    def __init__(
        self,
        inner: Any,
        upstream_api: Api,
        profile: Profile | str,
        strict: bool,
        on_exchange: Callable[[Record], object] | None,
    ) -> None:
        self.context: TransportContext = TransportContext(upstream_api, profile, strict, on_exchange)
        self.inner: Any = inner
        """The client or transport that sends the requests; None until the first one, which decides on the package."""
        self._lock = Lock()
        package = packages.package_of(inner)
        is_other = package is not None and isinstance(inner, getattr(package, _OTHER[self.kind]))
        is_client = package is not None and isinstance(inner, getattr(package, self.kind))
        if is_other or not (inner is None or is_client or hasattr(inner, _METHOD[self.kind])):
            raise TypeError(f"{type(self).__name__} needs a {self.kind}, not a {type(inner).__qualname__}")

    def outgoing(self, request: Any) -> Outgoing:
        """Return what belongs to a request of the client; raises TypeError if it and *inner* do not fit together."""
        package = packages.package_of(request)
        with self._lock:
            if self.inner is None:
                self.inner = packages.new_client(package, self.kind)
        own = packages.package_of(self.inner)
        if own not in (None, package):
            raise TypeError(f"a request of {package.__name__} cannot be sent by a client of {own.__name__}")
        return Outgoing(package, request, self.inner, isinstance(self.inner, getattr(package, self.kind)))


_OTHER = {"Client": "AsyncClient", "AsyncClient": "Client"}
_METHOD = {"Client": "handle_request", "AsyncClient": "handle_async_request"}
"""What every transport has."""


class Outgoing:
    """One request of the client, and who sends it: *inner*, of *package*."""

    def __init__(self, package: Any, request: Any, inner: Any, is_client: bool) -> None:
        self.request: Any = request
        self.inner: Any = inner
        self.is_client: bool = is_client
        """Whether *inner* is a client, and not a transport."""
        self.errors: tuple[type[Exception], type[Exception]] = package.HTTPError, package.TimeoutException
        self.scope: Scope = _scope_of(request)
        self._package = package

    def translated(self, request: UpstreamRequest) -> Any:
        """Return a request of the package, to the same host, with the caller's timeouts."""
        url = self.request.url.copy_with(raw_path=request.target)
        return self._package.Request(
            "POST", url, headers=request.headers, content=request.content, extensions=self.request.extensions
        )

    def refused(self, context: TransportContext) -> Any:
        """Return the answer to a request that needs what no transport has; None if it may go on."""
        error = refusal(self.scope, context.upstream_api)
        return None if error is None else self._error(error)

    def answered(self, head: Head, base: str, stream: type, call: Call) -> Any:
        """Return the answer for the client, whose *stream* is a subclass of the package's class *base*."""
        if head.content is not None:
            return self._whole(head.status, head.headers, head.content, head.extensions)
        body = packages.stream_class(self._package, base, stream)(call)
        return self._package.Response(head.status, headers=head.headers, stream=body, extensions=head.extensions)

    def _error(self, error: TranslationError) -> Any:
        headers = [(b"content-type", b"application/json")]
        return self._whole(error.status, headers, encode_json(error.body()), {})

    def _whole(self, status: int, headers: Headers, content: bytes, extensions: dict[str, Any]) -> Any:
        """Return an answer that the client has yet to read, as it expects: only then does it say how long it took."""
        headers = [*headers, (b"content-length", str(len(content)).encode())]
        body = self._package.ByteStream(content)
        return self._package.Response(status, headers=headers, stream=body, extensions=extensions)


def _scope_of(request: Any) -> Scope:
    """Return a request as ASGI says it."""
    url = request.url
    return {
        "type": "http",
        "method": request.method,
        "scheme": url.scheme,
        "server": (url.host, url.port),
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
    }
