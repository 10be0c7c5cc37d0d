"""Which HTTP client an upstream gets: aiohttp where it can be had, else httpx2 or httpx."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ...translator import BadUpstream
from ..limits import Limits
from ..missing import install_hint
from .client import HTTPX, Client, on_asyncio

_log = logging.getLogger("diglot")


def check_installed() -> None:
    """Raise ModuleNotFoundError, with the command that helps, where there is no HTTP client at all."""
    if not any(find_spec(package) for package in ("aiohttp", *HTTPX)):
        raise ModuleNotFoundError(f"{install_hint('Upstream', 'an HTTP client', 'aiohttp')}, or 'diglot[httpx]'")


def new_client(url: str, limits: Limits) -> Client:
    """Return a client for many users of one upstream: no cookie of one reaches another, no redirect is followed.

    httpx also goes where aiohttp cannot: it runs on trio, and through every kind of proxy that the environment names.
    Raises BadUpstream where that is needed and missing; the log says what to install.
    """
    if find_spec("aiohttp") and on_asyncio() and not _is_behind_a_proxy(url):
        from . import aiohttp

        return aiohttp.new_client(url, limits)
    package = next((package for package in HTTPX if find_spec(package)), None)
    if package is None:
        _log.error(install_hint("An upstream behind a proxy, or under trio,", "httpx", "httpx"))
        raise BadUpstream("This server cannot reach its upstream; its log says what is not installed.")
    from . import httpx

    return httpx.new_client(package, limits)


def wrap_client(client: object, limits: Limits) -> Client:
    """Return a client of one of the packages, also when its class is somebody's own, as one of ours."""
    for base in type(client).__mro__:
        name = base.__module__.partition(".")[0]
        if name == "aiohttp":
            from .aiohttp import AiohttpClient

            return AiohttpClient(client, limits)
        if name in HTTPX:
            from .httpx import HttpxClient

            return HttpxClient(client, name, limits)
    raise TypeError(f"a client of aiohttp, {' or '.join(HTTPX)} is needed, not {type(client).__qualname__}")


def _is_behind_a_proxy(url: str) -> bool:
    parts, proxies = urlsplit(url), getproxies()
    return bool(proxies.get(parts.scheme) or proxies.get("all")) and not proxy_bypass(parts.netloc)
