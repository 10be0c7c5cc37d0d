"""Which of the two APIs an upstream has, found out by asking in a way that nothing can come of."""

from __future__ import annotations

import logging

import anyio

from ..translator import BadUpstream, TranslationError
from . import explain
from .asgi_types import ABOUT_THE_BODY, App, Headers, Message, Receive, Scope, Send, without
from .endpoints import PATHS, SERVED
from .limits import Limits
from .upstream_scope import upstream_scope

_log = logging.getLogger("diglot")
_QUESTION = b"diglot asks whether there is such an endpoint; this is no JSON, and no request"
_MISSING = (404, 405, 501)
_AT_THE_DOOR = (401, 402, 403, 407, 408, 429)  # nobody has looked yet whether there is such an endpoint
_MOST_WORDS = 65536


class Unclear(Exception):
    """It could not be found out; ``error`` is for the client, and so are ``headers``."""

    def __init__(self, error: TranslationError, headers: Headers | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.headers = headers or []


class Probe:
    """An application, and what is known of it: whether it has an endpoint is asked when it matters, and remembered.

    One asks at a time, in the name of its client. When a request shows that an endpoint is missing after all, what was
    found is forgotten.
    """

    def __init__(self, app: App, limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self._has: dict[str, bool] = {}
        self._lock = anyio.Lock()

    @property
    def found(self) -> str:
        """What the upstream is known to have: `chat`, `responses`, `both` or `unknown`."""
        apis = [api for api, path in PATHS.items() if self._has.get(path)]
        return "both" if len(apis) > 1 else apis[0] if apis else "unknown"

    async def translates(self, endpoint: str, scope: Scope) -> bool:
        """Whether requests to *endpoint* are to be translated; raises Unclear. *scope* is that of the request."""
        other = SERVED[endpoint].endpoint
        native = next(path for path in PATHS.values() if path != other)
        if self._has.get(native):
            return False
        if self._has.get(other) and native in self._has:
            return True
        try:
            with anyio.fail_after(self._limits.probe):  # the wait for others who ask is part of it
                async with self._lock:
                    return await self._found(native, endpoint, scope) != native
        except TimeoutError:
            raise Unclear(explain.probed(explain.too_slow())) from None

    async def _found(self, native: str, endpoint: str, scope: Scope) -> str:
        """The first endpoint that is there, *native* before the other one."""
        paths = sorted(PATHS.values(), key=lambda path: path != native)
        for path in paths:
            has = self._has.get(path)
            if has is None:
                has = self._has[path] = await self._ask(path, endpoint, scope)
            if has:
                return path
        self._has.clear()
        names = " nor ".join(f"POST /v1{path}" for path in paths)
        _log.warning("There is neither %s behind this server", names)
        raise Unclear(BadUpstream(f"There is neither {names} behind this server: is the URL right?"))

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
        missing = False

        async def watched(message: Message) -> None:
            nonlocal missing
            if message["type"] == "http.response.start":
                missing = message["status"] in _MISSING
            elif missing and b"model" not in message.get("body", b""):  # a 404 may be about a model
                self._has.clear()
            await send(message)

        await self._app(scope, receive, watched)


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
        if status in _MISSING or (200 <= status < 300 and b"html" in kind):
            return False
        if 200 <= status < 300 or status == 500 or (400 <= status < 500 and status not in _AT_THE_DOOR):
            return True
        error = explain.error(status, self._headers, self._words)
        raise Unclear(explain.probed(error), without(self._headers, ABOUT_THE_BODY))
