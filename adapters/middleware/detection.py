"""Finds out which of the two APIs an upstream has, with requests from which nothing can be generated."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import anyio

from ...translator import UpstreamError
from ..asgi.types import App, Message, Receive, Scope, Send
from ..limits import Limits
from . import diagnostics
from .endpoint_check import EMPTY, MISSING, NOT_JSON, DetectionError, EndpointCheck
from .routes import ENDPOINTS, EXCHANGES, endpoint_of_path, path_base

_log = logging.getLogger("diglot")
_ASSUMPTION_LASTS = 300.0
_MAX_PLACES = 1024
_DECIDES = re.compile(rb"auth|key|token|provider|rout|target|project|organization|tenant|deployment|config")
"""Names of headers by which gateways choose an upstream; others describe the client, and may differ each time."""
_IDEMPOTENCY_KEY = b"idempotency-key"

Place = bytes


class Fact(NamedTuple):
    """What is known of one endpoint, why, and since when (Unix time)."""

    there: bool
    because: Literal["asked", "guessed", "a request found nothing"]
    since: float


class Detection:
    """An application, and which endpoints it has: checked when it matters, and remembered.

    Each place is checked on its own, with the credentials of its client. A place is the rest of the path, the query,
    and the headers that gateways route by, so that no client can affect what others get. An endpoint counts as missing
    only if the same client is admitted at the other one. If no check is conclusive, Chat Completions is assumed,
    because most upstreams have it. When a request shows that an endpoint is missing after all, the findings of its
    place are dropped, and an assumption is reversed. The places that were not used for longest are dropped, too.
    """

    def __init__(self, app: App, limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self._places: dict[Place, dict[str, Fact]] = {}
        self._locks: dict[Place, anyio.Lock] = {}

    @property
    def found(self) -> str:
        """Which API the upstream has, as far as is known: `chat`, `responses`, `both` or `unknown`."""
        apis = [api for api, fact in self._newest().items() if fact.there]
        return "both" if len(apis) > 1 else apis[0] if apis else "unknown"

    def findings(self) -> dict[str, dict[str, Any]]:
        """Return what is known of each API, as plain values: the newest positive fact, or else the newest."""
        return {
            api: {
                "there": fact.there,
                "because": fact.because,
                "since": datetime.fromtimestamp(fact.since, UTC).isoformat(timespec="seconds"),
            }
            for api, fact in self._newest().items()
        }

    def _newest(self) -> dict[str, Fact]:
        of_all = {api: [has[path] for has in self._places.values() if path in has] for api, path in ENDPOINTS.items()}
        return {api: max(facts, key=_there_and_new) for api, facts in of_all.items() if facts}

    async def translates(self, endpoint: str, scope: Scope, *, native_last: bool = False) -> bool:
        """Whether to translate the request to *endpoint* in *scope*; raises DetectionError.

        With *native_last*, it is translated whenever it can be.
        """
        other = EXCHANGES[endpoint].endpoint
        order = (other, endpoint) if native_last else (endpoint, other)
        place = place_of(scope, endpoint)
        served = self._known(order, place)
        if served is None:
            lock = self._locks.setdefault(place, anyio.Lock())
            try:
                with anyio.fail_after(self._limits.probe):  # includes waiting for another check
                    async with lock:
                        served = self._known(order, place) or await self._detect(order, endpoint, scope, place)
            except TimeoutError:
                raise DetectionError(diagnostics.during_detection(diagnostics.too_slow())) from None
            finally:
                if not lock.locked():
                    self._locks.pop(place, None)
        return served != endpoint

    def _known(self, order: tuple[str, str], place: Place) -> str | None:
        """The first endpoint of *order* that is known to exist, if all before it are known to be missing."""
        has = self._places.pop(place, None)
        if has is None:
            return None
        has = {path: fact for path, fact in has.items() if not _is_stale(fact)}
        self._places[place] = has  # at the end: it was used
        for path in order:
            if path not in has or has[path].there:
                return path if path in has else None
        return None

    async def _detect(self, order: tuple[str, str], endpoint: str, scope: Scope, place: Place) -> str:
        """Find the first endpoint of *order* that exists."""
        for body in (NOT_JSON, EMPTY):
            check = EndpointCheck(self._app, self._limits, scope, endpoint, body)
            has = await check.compare(order)
            if has:
                self._remember(place, {path: Fact(there, "asked", time.time()) for path, there in has.items()})
                return next(path for path, there in has.items() if there)
            if has is not None and body == NOT_JSON:
                raise self._no_endpoint(order, place)
        _log.warning(
            "Could not find out which API the upstream has; assuming Chat Completions. "
            "Set upstream_api to the API that it implements"
        )
        self._assume(place, ENDPOINTS["chat"], because="guessed")
        return ENDPOINTS["chat"]

    def _no_endpoint(self, order: tuple[str, str], place: Place) -> DetectionError:
        self._places.pop(place, None)
        names = " nor ".join(f"POST /v1{path}" for path in order)
        _log.warning("The upstream has neither %s", names)
        hint = "Is the URL right? If it is, set upstream_api."
        return DetectionError(UpstreamError(f"The upstream has neither {names}. {hint}"))

    def _assume(self, place: Place, path: str, because: Literal["guessed", "a request found nothing"]) -> None:
        """Assume that *path* exists and the other endpoints do not."""
        missing = {endpoint: Fact(False, because, time.time()) for endpoint in EXCHANGES}
        self._remember(place, {**missing, path: Fact(True, "guessed", time.time())})

    def _remember(self, place: Place, facts: Mapping[str, Fact]) -> None:
        self._places[place] = {**self._places.pop(place, {}), **facts}
        if len(self._places) > _MAX_PLACES:
            del self._places[next(iter(self._places))]

    def _correct(self, place: Place, path: str) -> None:
        """A request has found nothing at *path*."""
        has = self._places.get(place, {})
        others = [other for other in ENDPOINTS.values() if other != path]
        if path in has and has[path].because == "guessed" and len(others) == 1:
            refuted = has.get(others[0])
            if refuted is None or refuted.because == "guessed":
                self._assume(place, others[0], because="a request found nothing")
                return
        self._places.pop(place, None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, and notice when the endpoint is missing."""
        path = endpoint_of_path(scope["path"]) or ""
        place = place_of(scope, path)
        missing = False

        async def observe(message: Message) -> None:
            nonlocal missing
            if message["type"] == "http.response.start":
                missing = message["status"] in MISSING
            elif missing:
                missing = b"model" not in message.get("body", b"")  # a 404 may be about a model
                if missing and not message.get("more_body", False):
                    self._correct(place, path)
            await send(message)

        await self._app(scope, receive, observe)


def _is_stale(fact: Fact) -> bool:
    """An assumption expires after a while, because another check may be conclusive."""
    return fact.because != "asked" and time.time() - fact.since > _ASSUMPTION_LASTS


def _there_and_new(fact: Fact) -> tuple[bool, float]:
    return fact.there, fact.since


def place_of(scope: Scope, endpoint: str) -> Place:
    """Return a digest (it covers keys) of what all endpoints of one upstream have in common."""
    headers = sorted((name, value) for name, value in scope["headers"] if _decides(name))
    known = (path_base(scope["path"], endpoint), scope.get("query_string", b""), headers)
    return blake2b(repr(known).encode(), digest_size=16).digest()


def _decides(name: bytes) -> bool:
    return name != _IDEMPOTENCY_KEY and _DECIDES.search(name) is not None
