"""Chooses the HTTP client of an upstream: aiohttp if it is installed and can do it, otherwise httpx2 or httpx."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ...translator import UpstreamError
from ..limits import Limits
from ..missing import install_hint
from .client import HTTPX, Client, on_asyncio

_log = logging.getLogger("diglot")


def check_installed() -> None:
    """Raise ModuleNotFoundError, with the command that helps, if no HTTP client is installed."""
    if not any(find_spec(package) for package in ("aiohttp", *HTTPX)):
        raise ModuleNotFoundError(f"{install_hint('Upstream', 'an HTTP client', 'aiohttp')}, or 'diglot[httpx]'")


def new_client(url: str, limits: Limits) -> Client:
    """Return a client for many users of one upstream: it keeps no cookies and follows no redirects.

    httpx is used where aiohttp cannot be: on trio, and with proxies from the environment. Raises UpstreamError if it is
    needed and missing; the log names what to install.
    """
    if find_spec("aiohttp") and on_asyncio() and not _is_behind_a_proxy(url):
        from . import aiohttp

        return aiohttp.new_client(url, limits)
    package = next((package for package in HTTPX if find_spec(package)), None)
    if package is None:
        _log.error(install_hint("An upstream behind a proxy or under trio", "httpx", "httpx"))
        raise UpstreamError("This server cannot reach its upstream: a package is missing; its log says which.")
    from . import httpx

    return httpx.new_client(package, limits)


def wrap_client(client: object, limits: Limits) -> Client:
    """Wrap a client of one of the packages, or of a subclass."""
    for base in type(client).__mro__:
        name = base.__module__.partition(".")[0]
        if name == "aiohttp":
            from .aiohttp import AiohttpClient

            return AiohttpClient(client, limits)
        if name in HTTPX:
            from .httpx import HttpxClient

            return HttpxClient(client, name, limits)
    raise TypeError(f"a client of aiohttp, {' or '.join(HTTPX)} is expected, not {type(client).__qualname__}")


def _is_behind_a_proxy(url: str) -> bool:
    parts, proxies = urlsplit(url), getproxies()
    return bool(proxies.get(parts.scheme) or proxies.get("all")) and not proxy_bypass(parts.netloc)
