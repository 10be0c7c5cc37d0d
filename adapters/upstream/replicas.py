"""Several servers with the same models and API as one application: requests go round, and on when one cannot serve.

A request is repeated only for what no server has worked on: the next replica gets it if one refuses connections, says
that it cannot serve now, or breaks off before its first byte; each one once, before anything was sent to the client,
and only for a short time. Everything else is the client's to repeat.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b
from itertools import count
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING

from ...translator import TranslationError
from ..asgi.types import MODEL_ROUTE, App, Message, Receive, Scope, Send, send_error
from ..middleware.notes import LOST, REFUSED, TIMEOUT, notes_of
from .repeatable import RepeatableRequest
from .retry_after import seconds

if TYPE_CHECKING:
    from ..middleware.model_route import ModelRoute

_log = logging.getLogger("diglot")
FAILURES = frozenset({429, 502, 503, 504, 529})
"""Statuses of a replica that cannot serve now. Those of a refused or lost connection are among them (`Upstream`)."""
_REASONS = {REFUSED: "it cannot be reached", TIMEOUT: "it took too long", LOST: "it broke off before its first byte"}
"""Why a replica that has not answered is left, by the result of its call; of an answer, the status says why."""
_SHORTEST, _LONGEST, _MOST_DOUBLED = 5.0, 60.0, 4
_MOST_REMEMBERED = 10_000


class Replica:
    """One of the servers. After a failure it is left alone for a while, unless all others are, too."""

    def __init__(self, name: str, app: App, clock: Callable[[], float] = monotonic) -> None:
        self.name: str = name
        """Its address, without secrets."""
        self.app: App = app
        self.left_until: float = 0.0
        self._clock = clock
        self._failures = 0  # one after the other

    @property
    def is_left(self) -> bool:
        """Whether it is left alone."""
        return self._clock() < self.left_until

    @property
    def state(self) -> str:
        """For people: `ok`, or for how long it is left."""
        return f"left for {ceil(self.left_until - self._clock())} s" if self.is_left else "ok"

    def leave(self, wait: float | None, why: str) -> None:
        """Leave it alone for *wait* seconds; if it does not say how long, longer each time."""
        was_left = self.is_left
        if wait is None:
            if was_left:  # several requests failed at once
                return
            wait = min(_SHORTEST * (1 << self._failures), _LONGEST)
            self._failures = min(self._failures + 1, _MOST_DOUBLED)
        self.left_until = max(self.left_until, self._clock() + wait)
        if not was_left:
            _log.warning("Replica %s: %s; it is left for %.3g s", self.name, why, wait)

    def serve(self) -> None:
        """It has served a request. What began before it failed says nothing of later."""
        if not self.is_left:
            self._failures = 0
            if self.left_until:
                self.left_until = 0.0
                _log.info("Replica %s: serves again", self.name)


class Replicas:
    """The application. Requests of one conversation go to the same replica, whose cache knows their beginning."""

    def __init__(
        self, replicas: Sequence[Replica], retry_within: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._replicas = replicas
        self._retry_within = retry_within
        self._clock = clock
        self._turns = count()
        self._answered: dict[str, str] = {}

    def remember(self, response_id: str, replica: str) -> None:
        """Remember who answered, for the request that continues this response."""
        self._answered[response_id] = replica
        if len(self._answered) > _MOST_REMEMBERED:
            del self._answered[next(iter(self._answered))]

    @property
    def states(self) -> dict[str, str]:
        """The state of each replica, by its address."""
        return {replica.name: replica.state for replica in self._replicas}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        route: ModelRoute | None = scope.get(MODEL_ROUTE)
        notes = notes_of(scope)
        request, until = RepeatableRequest(receive), self._clock() + self._retry_within
        remaining, goes_on = self._order(route)[::-1], True
        while goes_on:
            replica = remaining.pop()
            if route is not None:
                route.replica = replica.name
            if notes is not None:
                notes.replica = replica.name
            may_repeat = partial(self._may_repeat, route, until) if remaining else _never
            request.rewind()
            goes_on = await _Attempt(replica, request, send, may_repeat).run(scope) and not await request.is_gone()

    def _may_repeat(self, route: ModelRoute | None, until: float) -> bool:
        return self._clock() < until and not (route is not None and route.began)

    def _order(self, route: ModelRoute | None) -> list[Replica]:
        """All replicas in the order in which to try them: those that are left alone come last."""
        ready = [replica for replica in self._replicas if not replica.is_left]
        left = sorted((replica for replica in self._replicas if replica.is_left), key=_left_until)
        before = self._answered.get(route.previous) if route is not None else None
        if route is not None and route.conversation:
            ready.sort(key=lambda replica: _weight(route.conversation, replica.name))
        elif ready:
            first = next(self._turns) % len(ready)
            ready = ready[first:] + ready[:first]
        if before is not None:
            ready.sort(key=lambda replica: replica.name != before)
        return [*ready, *left]


def _never() -> bool:
    """Whether the last one may be repeated."""
    return False


def _left_until(replica: Replica) -> float:
    return replica.left_until


def _weight(conversation: bytes, name: str) -> bytes:
    """The order of replicas for a conversation: of one that is gone, only its own conversations move (rendezvous)."""
    return blake2b(name.encode(), key=conversation[:64], digest_size=8).digest()


class _GoOn(Exception):
    """The next replica gets the request."""


class _Attempt:
    """One call of a *replica*. Its head is held back until the first byte: until then, another one may answer."""

    def __init__(
        self, replica: Replica, request: RepeatableRequest, send: Send, may_repeat: Callable[[], bool]
    ) -> None:
        self._replica = replica
        self._request = request
        self._send = send
        self._may_repeat = may_repeat
        self._head: Message | None = None
        self._began = False

    async def run(self, scope: Scope) -> bool:
        """Call the replica; return whether the next one should get the request."""
        self._notes = notes_of(scope)
        self._earlier = len(self._notes.attempts) if self._notes is not None else 0
        try:
            await self._replica.app(scope, self._request.receive, self._take)
        except _GoOn:
            return True
        except TranslationError as error:
            if self._began:
                raise
            self._replica.leave(None, _REASONS[LOST])
            if self._may_repeat():
                return True
            await send_error(self._send, error)
        return False

    async def _take(self, message: Message) -> None:
        if self._began:
            await self._send(message)
        elif message["type"] != "http.response.start":
            if self._head is None or message.get("body") or not message.get("more_body"):
                await self._begin(message)
        else:
            status = message["status"]
            if status in FAILURES:
                self._replica.leave(seconds(message.get("headers", ())), self._reason(status))
                if self._may_repeat():
                    raise _GoOn
            else:
                self._replica.serve()
            self._head = message

    def _reason(self, status: int) -> str:
        """Why it is left: a call that had no answer is noted before its error is sent, any other one after its end."""
        ended = self._notes.attempts[self._earlier :] if self._notes is not None else ()
        return _REASONS.get(ended[-1].result if ended else "", f"status {status}")

    async def _begin(self, message: Message) -> None:
        self._began = True
        self._request.forget()
        if self._head is not None:
            await self._send(self._head)
        await self._send(message)
