"""Which of the two APIs an upstream has, found out by asking in a way that nothing can come of."""

from __future__ import annotations

import logging
import re
from hashlib import blake2b

import anyio

from ..translator import BadUpstream, TranslationError
from . import explain
from .asgi_types import ABOUT_THE_BODY, App, Headers, Message, Receive, Scope, Send, without
from .endpoints import PATHS, SERVED, asked
from .limits import Limits
from .upstream_scope import upstream_scope

_log = logging.getLogger("diglot")
_QUESTION = b"diglot asks whether there is such an endpoint; this is no JSON, and no request"
_MISSING = (404, 405, 501)
_AT_THE_DOOR = (401, 402, 403, 407, 408, 429)  # nobody has looked yet whether there is such an endpoint
_REFUSAL = re.compile(rb'\s*\{\s*"error"')  # LM Studio says so with a 200
_MOST_WORDS = 65536
_MOST_PLACES = 1024
_DECIDES = re.compile(rb"auth|key|token|provider|rout|target|project|organization|tenant|deployment|config")
"""Headers by whose names gateways choose what is behind them; others only tell about the client, often ever anew."""
_TELLS_NOTHING = b"idempotency-key"

Place = bytes


class Unclear(Exception):
    """It could not be found out; ``error`` is for the client, and so are ``headers``."""

    def __init__(self, error: TranslationError, headers: Headers | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.headers = headers or []


class Probe:
    """An application, and what is known of it: whether it has an endpoint is asked when it matters, and remembered.

    One asks for each place, in the name of its client. A place is the rest of the path, the query, and the headers that
    may decide: nobody can make others believe what is true elsewhere. That something is missing is only believed where
    the same client was let in at the other door. When a request shows that an endpoint is missing after all, what was
    found is forgotten, as are the places that were not used for longest.
    """

    def __init__(self, app: App, limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self._places: dict[Place, dict[str, bool]] = {}
        self._asking: dict[Place, anyio.Lock] = {}

    @property
    def found(self) -> str:
        """What the upstream is known to have: `chat`, `responses`, `both` or `unknown`."""
        apis = [api for api, path in PATHS.items() if any(has.get(path) for has in self._places.values())]
        return "both" if len(apis) > 1 else apis[0] if apis else "unknown"

    async def translates(self, endpoint: str, scope: Scope) -> bool:
        """Whether requests to *endpoint* are to be translated; raises Unclear. *scope* is that of the request."""
        other = SERVED[endpoint].endpoint
        native = next(path for path in PATHS.values() if path != other)
        place = _place(scope, endpoint)
        served = self._served(native, other, place)
        if served is None:
            lock = self._asking.setdefault(place, anyio.Lock())
            try:
                with anyio.fail_after(self._limits.probe):  # the wait for others who ask is part of it
                    async with lock:
                        served = self._served(native, other, place) or await self._find(native, endpoint, scope, place)
            except TimeoutError:
                raise Unclear(explain.probed(explain.too_slow())) from None
            finally:
                if not lock.locked():
                    self._asking.pop(place, None)
        return served != native

    def _served(self, native: str, other: str, place: Place) -> str | None:
        """The endpoint that is known to serve those who want *native*."""
        has = self._places.pop(place, None)
        if has is None:
            return None
        self._places[place] = has  # at the end: it was used
        if has.get(native):
            return native
        return other if has.get(other) and native in has else None

    async def _find(self, native: str, endpoint: str, scope: Scope, place: Place) -> str:
        """The first endpoint that is there, *native* before the other one."""
        has: dict[str, bool] = {}
        paths = sorted(PATHS.values(), key=lambda path: path != native)
        for path in paths:
            has[path] = await self._ask(path, endpoint, scope)
            if has[path]:
                self._places[place] = {**self._places.pop(place, {}), **has}
                if len(self._places) > _MOST_PLACES:
                    del self._places[next(iter(self._places))]
                return path
        self._places.pop(place, None)
        names = " nor ".join(f"POST /v1{path}" for path in paths)
        _log.warning("There is neither %s behind this server", names)
        hint = "is the URL right? If so, say what is there (upstream_api)."
        raise Unclear(BadUpstream(f"There is neither {names} behind this server: {hint}"))

    async def _ask(self, path: str, endpoint: str, scope: Scope) -> bool:
        question = _Question(self._limits.shutdown)
        with question.patience:
            try:
                theirs = upstream_scope(scope, endpoint, path, len(_QUESTION), streams=False)
                await self._app(theirs, question.receive, question.send)
            except (TranslationError, OSError):
                pass  # it says nothing about the endpoint
            except Exception as error:
                _log.debug("The application raised, asked for what it has", exc_info=error)
                question.status = question.status or 500  # as any server would say
        has = question.verdict()
        _log.info("The upstream %s POST %s (it answered %d)", "has" if has else "lacks", path, question.status)
        return has

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application serve a request to one of its endpoints."""
        place = _place(scope, asked(scope) or "")
        missing = False

        async def watched(message: Message) -> None:
            nonlocal missing
            if message["type"] == "http.response.start":
                missing = message["status"] in _MISSING
            elif missing:
                missing = b"model" not in message.get("body", b"")  # a 404 may be about a model
                if missing and not message.get("more_body", False):
                    self._places.pop(place, None)
            await send(message)

        await self._app(scope, receive, watched)


def _place(scope: Scope, endpoint: str) -> Place:
    """A digest (there are keys in it) of what is the same for all endpoints of one upstream."""
    headers = sorted((name, value) for name, value in scope["headers"] if _decides(name))
    known = (scope["path"].removesuffix(endpoint), scope.get("query_string", b""), headers)
    return blake2b(repr(known).encode(), digest_size=16).digest()


def _decides(name: bytes) -> bool:
    return name != _TELLS_NOTHING and _DECIDES.search(name) is not None


class _Question:
    """A request that no server can make anything of, and the answer to it."""

    def __init__(self, rest: float) -> None:
        self.patience = anyio.CancelScope()
        self.status = 0
        self._rest = rest
        self._headers: Headers = []
        self._words = b""
        self._said: list[Message] = [{"type": "http.request", "body": _QUESTION, "more_body": False}]
        self._enough = anyio.Event()

    async def receive(self) -> Message:
        if self._said:
            return self._said.pop()
        await self._enough.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The status says it all; for the words of an error there is a moment, and not much room."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = without(message.get("headers", ()), ())
            self.patience.deadline = anyio.current_time() + self._rest
        else:
            self._words += message.get("body", b"")[: _MOST_WORDS - len(self._words)]
            if len(self._words) == _MOST_WORDS:
                self._enough.set()

    def verdict(self) -> bool:
        """Whether there is such an endpoint; raises Unclear."""
        status, kind = self.status, dict(self._headers).get(b"content-type", b"").lower()
        good = 200 <= status < 300
        if status in _MISSING or (good and (b"html" in kind or _REFUSAL.match(self._words))):
            return False
        if good or status == 500 or (400 <= status < 500 and status not in _AT_THE_DOOR):
            return True
        error = explain.error(status, self._headers, self._words)
        raise Unclear(explain.probed(error), without(self._headers, ABOUT_THE_BODY))
