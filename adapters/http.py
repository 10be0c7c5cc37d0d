"""The HTTP client: `httpx2` if there, else `httpx`; client objects of both are welcome. No other file knows them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import ModuleType
from typing import Any, Protocol

from ..translator import BadUpstream
from .limits import Limits

PACKAGES = ("httpx2", "httpx")
_WRITE = 60.0


class Client(Protocol):
    """What is used of an `AsyncClient`."""

    def build_request(self, method: str, url: Any, **settings: Any) -> Any:
        """Return a request."""
        ...

    async def send(self, request: Any, *, stream: bool = False) -> Any:
        """Send it and return what comes back."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


def new_client(limits: Limits) -> Client:
    """Return a client for many users of one upstream: no cookie of one reaches another, no redirect is followed."""
    name = next(package for package in PACKAGES if importlib.util.find_spec(package))
    package = importlib.import_module(name)
    nobody = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    pool = package.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30)
    return package.AsyncClient(timeout=_timeout(package, limits), limits=pool, cookies=nobody, follow_redirects=False)


def build(
    client: Client,
    limits: Limits,
    method: str,
    url: str,
    headers: list[tuple[bytes, bytes]],
    content: bytes | AsyncIterable[bytes] | None,
) -> Any:
    """Return a request with exactly these headers, `host` and what the client itself always adds aside."""
    timeout = _timeout(_package(client), limits)
    return client.build_request(method, url, headers=headers, content=content, timeout=timeout)


@contextmanager
def foreign_errors(client: Client) -> Iterator[None]:
    """Turn every exception of the client's package into BadUpstream; texts of theirs may hold the URL and stay out."""
    package = _package(client)
    try:
        yield
    except (package.ConnectTimeout, package.ConnectError) as error:
        raise BadUpstream("The upstream cannot be reached.", code="upstream_unreachable") from error
    except package.TimeoutException as error:
        raise BadUpstream("The upstream took too long.", status=504, code="upstream_timeout") from error
    except (package.HTTPError, package.InvalidURL, package.StreamError) as error:
        raise BadUpstream("The connection to the upstream was lost.", code="upstream_disconnected") from error


def cause(error: BaseException) -> str:
    """What went wrong, for the log: the class of the error, and the innermost one below it with its number."""
    inner = error
    while (below := inner.__cause__ or inner.__context__) is not None:
        inner = below
    names = dict.fromkeys((type(error).__name__, type(inner).__name__))
    number = getattr(inner, "errno", None)
    return ": ".join(names) + (f", errno {number}" if isinstance(number, int) else "")


def _package(client: Client) -> ModuleType:
    """The package whose client this is, also when its class is somebody's own."""
    for base in type(client).__mro__:
        name = base.__module__.partition(".")[0]
        if name in PACKAGES:
            return importlib.import_module(name)
    raise TypeError(f"a client of {' or '.join(PACKAGES)} is needed, not {type(client).__qualname__}")


def _timeout(package: ModuleType, limits: Limits) -> Any:
    """The middleware counts more exactly: here is only the last resort."""
    read = max(limits.first_byte, limits.idle) + 30
    return package.Timeout(connect=limits.connect, read=read, write=_WRITE, pool=limits.connect)
