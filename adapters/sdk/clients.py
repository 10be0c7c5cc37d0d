"""Clients of httpx2 and httpx for `OpenAI(http_client=...)` and `AsyncOpenAI(http_client=...)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...translator import Profile
from ..middleware.record import Record
from ..middleware.routes import Api
from . import packages
from .async_transport import AsyncTransport
from .transport import Transport

_KEPT = ("headers", "params", "cookies", "base_url", "timeout", "follow_redirects", "max_redirects")
"""Settings of a client that hold for the one in front of it."""


def http_client(
    inner: Any = None,
    *,
    upstream_api: Api = "chat",
    profile: Profile | str = "default",
    strict: bool = False,
    on_exchange: Callable[[Record], object] | None = None,
) -> Any:
    """Return a `Client` with a `Transport`; the arguments are those of it.

    It is one of the package of *inner*, or else of the one that the installed SDK uses. Without *inner*, it has the
    SDK's own settings, and the proxies and certificates of the environment. Closing it closes *inner*. Raises
    ModuleNotFoundError if neither package is installed.

    >>> client = http_client(profile="vllm")  # for OpenAI(base_url=..., http_client=client)
    >>> client.close()
    """
    settings = {"upstream_api": upstream_api, "profile": profile, "strict": strict, "on_exchange": on_exchange}
    return _client(inner, Transport, settings)


def async_http_client(
    inner: Any = None,
    *,
    upstream_api: Api = "chat",
    profile: Profile | str = "default",
    strict: bool = False,
    on_exchange: Callable[[Record], object] | None = None,
) -> Any:
    """Return an `AsyncClient` with an `AsyncTransport`; otherwise as `http_client`.

    >>> client = async_http_client(upstream_api="responses")  # for AsyncOpenAI(base_url=..., http_client=client)
    """
    settings = {"upstream_api": upstream_api, "profile": profile, "strict": strict, "on_exchange": on_exchange}
    return _client(inner, AsyncTransport, settings)


def _client(inner: Any, transport: type[Transport] | type[AsyncTransport], settings: dict[str, Any]) -> Any:
    package = packages.package_of(inner) or packages.preferred()
    made = transport(inner, **settings)
    kind = getattr(package, transport.kind)
    if isinstance(inner, kind):
        kept = {name: getattr(inner, name) for name in _KEPT}
        return kind(transport=made, **kept)
    return packages.new_client(package, transport.kind, transport=made)
