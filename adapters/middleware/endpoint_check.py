"""Asking an upstream whether it has an endpoint, in a way that nothing can come of.

An endpoint is there if it answers in another way than a path that cannot exist: many servers read JSON before they look
at the path, or have one page for everything.
"""

from __future__ import annotations

import logging
import re

import anyio

from ...translator import TranslationError, explain_status
from ..asgi.types import ABOUT_THE_BODY, ONCE, App, Headers, Message, Scope, without
from ..limits import Limits
from . import diagnostics
from .upstream_scope import upstream_scope

_log = logging.getLogger("diglot")

NOT_JSON = b"diglot asks whether there is such an endpoint; this is no JSON, and no request"
EMPTY = b"{}"
NOWHERE = "/diglot-control-question"
"""The path that cannot exist."""
MISSING = (404, 405, 501)
_AT_THE_DOOR = (401, 402, 403, 407, 408, 429)  # nobody has looked yet whether there is such an endpoint
_REFUSAL = re.compile(rb'\s*\{\s*"error"')  # LM Studio says so with a 200
_MOST_WORDS = 65536


class Unclear(Exception):
    """It could not be found out; ``error`` is for the client, and so are ``headers``."""

    def __init__(self, error: TranslationError, headers: Headers | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.headers = headers or []


class Asker:
    """Asks one question at several paths, in the name of one client."""

    def __init__(self, app: App, limits: Limits, scope: Scope, endpoint: str, body: bytes) -> None:
        self._app = app
        self._limits = limits
        self._scope = scope
        self._endpoint = endpoint
        self._body = body

    async def compare(self, paths: tuple[str, str]) -> dict[str, bool] | None:
        """Return which of two *paths* is there, the first one first; nothing if neither; None if it cannot be told.

        Raises Unclear.
        """
        first, second = paths
        asked = await self._ask(first)
        if asked.verdict():
            nowhere = await self._ask(NOWHERE, self._limits.probe / 4)
            self._tell(first, asked, "has" if nowhere.status != asked.status else "says nothing of")
            return {first: True} if nowhere.status != asked.status else None
        self._tell(first, asked, "lacks")
        asked = await self._ask(second)
        there = asked.verdict()
        self._tell(second, asked, "has" if there else "lacks")
        return {first: False, second: True} if there else {}

    def _tell(self, path: str, asked: Question, what: str) -> None:
        _log.info("The upstream %s POST %s (it answered %d)", what, path, asked.status)

    async def _ask(self, path: str, wait: float = float("inf")) -> Question:
        question = Question(self._body, wait, self._limits.shutdown)
        with question.patience:
            try:
                theirs = upstream_scope(self._scope, self._endpoint, path, len(self._body), streams=False)
                theirs["extensions"] = {**theirs["extensions"], ONCE: {}}
                await self._app(theirs, question.receive, question.send)
            except (TranslationError, OSError):
                pass  # it says nothing about the endpoint
            except Exception as error:
                _log.debug("The application raised, asked for what it has", exc_info=error)
                question.status = question.status or 500  # as any server would say
        return question


class Question:
    """A request that no server can make anything of, and the answer to it."""

    def __init__(self, body: bytes, wait: float, rest: float) -> None:
        self.patience = anyio.CancelScope(deadline=anyio.current_time() + wait)
        self.status = 0
        self._rest = rest
        self._headers: Headers = []
        self._words = b""
        self._said: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
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
        if status in MISSING or (good and (b"html" in kind or _REFUSAL.match(self._words))):
            return False
        if good or status == 500 or (400 <= status < 500 and status not in _AT_THE_DOOR):
            return True
        location = dict(self._headers).get(b"location", b"").decode("latin-1")
        error = explain_status(status, self._words, location)
        raise Unclear(diagnostics.probed(error), without(self._headers, ABOUT_THE_BODY))
