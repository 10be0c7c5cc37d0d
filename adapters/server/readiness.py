"""Whether the server should get requests: `/readyz`, for load balancers and Kubernetes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic

import anyio

from ..asgi.types import BESIDE_API, App, Message, Scope
from ..upstream.failure import failure_of

EVERY = 5.0
"""Seconds for which an answer of an upstream counts."""
PATIENCE = 4.0
"""Seconds that it may take."""
_API = "/v1/"
AWAY = frozenset({0, 502, 503, 504, 529})
"""Statuses of an upstream that cannot be reached, or cannot serve."""
_log = logging.getLogger("diglot")

Check = Callable[[], Awaitable[bool]]
"""Tells whether an upstream can be reached; it raises nothing."""


async def is_reachable(app: App, path: str) -> bool:
    """Whether an upstream answers a GET of *path*; it may refuse it, because there is no key."""
    return await status_of(app, path) not in AWAY


async def status_of(app: App, path: str) -> int:
    """Return the status of an upstream's answer to a GET of *path*, 0 if there is none.

    A path below `/v1/` is one of its API; any other one is beside that, as `/health` is. Only the head is read.
    """
    extensions = {} if path.startswith(_API) else {BESIDE_API: {"path": path}}
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "extensions": extensions,
    }
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]
    status = 0

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await anyio.sleep_forever()
        raise AssertionError("forever has an end")

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            reading.cancel()

    with anyio.move_on_after(PATIENCE) as reading:
        try:
            await app(scope, receive, send)
        except Exception as error:  # of whatever kind: it is not there
            _log.debug("The upstream could not be asked for %s: %s", path, type(error).__name__)
    return status if failure_of(scope) is None else 0


def any_of(checks: Sequence[Check]) -> Check:
    """Return the check of an upstream with several replicas: one that can be reached is enough."""

    async def check() -> bool:
        found = False

        async def ask(one: Check) -> None:
            nonlocal found
            if await one():
                found = True
                tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            for one in checks:
                tasks.start_soon(ask, one)
        return found

    return check


class Readiness:
    """Knows whether all upstreams can be reached; each is asked at most every few seconds, and by nobody else.

    *checks* are those of the upstreams by name: the log says who is away.
    """

    def __init__(self, checks: Mapping[str, Check], clock: Callable[[], float] = monotonic) -> None:
        self.started: bool = False
        """Whether the application has started; whoever runs it says so."""
        self._upstreams = [_Upstream(name, check, clock) for name, check in checks.items()]

    async def reaches_all(self) -> bool:
        """Whether no upstream is away."""
        async with anyio.create_task_group() as tasks:
            for upstream in self._upstreams:
                tasks.start_soon(upstream.ask)
        return all(upstream.is_there for upstream in self._upstreams)


class _Upstream:
    def __init__(self, name: str, check: Check, clock: Callable[[], float]) -> None:
        self.is_there: bool = True
        self._name = name
        self._check = check
        self._clock = clock
        self._asked_at = -EVERY
        self._lock = anyio.Lock()

    async def ask(self) -> None:
        """Ask, unless it was asked a moment ago or is being asked."""
        async with self._lock:
            if self._clock() - self._asked_at < EVERY:
                return
            was_there, self.is_there = self.is_there, await self._check()
            self._asked_at = self._clock()
        if self.is_there and not was_there:
            _log.info("Readiness: %s is back", self._name)
        elif was_there and not self.is_there:
            _log.warning("Readiness: %s cannot be reached", self._name)
