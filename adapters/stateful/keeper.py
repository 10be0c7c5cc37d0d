"""What a middleware keeps: its store, whose records they are, and the keys that seal reasoning."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import RunVar

from ...translator import Seals
from ..asgi.late_task import start_late
from ..asgi.types import Message, Receive, Scope, Send, send_error
from ..limits import Limits
from ..store import Opened, Store, StoreError, StoreUnavailable, open_store
from . import endpoints
from .failures import failure_of, in_time
from .guard import guarded
from .leases import LEASE, Leases
from .routes import Target
from .tenants import Callback, Tenant, Tenants

if TYPE_CHECKING:
    from .sealing import Sealer

_log = logging.getLogger("diglot")
_RENEWED_EVERY = LEASE / 3
_SWEPT_EVERY = 600.0
_SECRET = 32  # bytes


class Keeper:
    """The state behind one middleware: *store* is a `Store` or the URL of one, None for sealing without a store.

    *tenant* says whose a record is (see `Tenants`); *seal* are keys, as text, the newest first: without them the store
    keeps one for all processes. Raises ValueError, StoreRefused or ModuleNotFoundError for settings that cannot work.

    The store is opened by `begin`, once in each event loop (those of tests and reloaders come and go), and closed by
    `end`.
    """

    def __init__(
        self,
        store: Store | str | None,
        *,
        tenant: str | Callback = "credential",
        seal: Sequence[str] = (),
        limits: Limits,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.limits: Limits = limits
        self.clock: Callable[[], float] = clock
        self.opened: Opened | None = None
        """What the store says of itself, once it is open."""
        self.has_store: bool = store is not None
        self._url = store if isinstance(store, str) else ""
        self._keys = _read_keys(seal)
        self._rule: str | Callback = tenant
        Tenants(tenant, b"")  # a rule that there is not is an error now
        self._shared = self._open(store) if isinstance(store, str) else None if store is None else guarded(store)
        self._sessions: RunVar[Session] = RunVar(f"diglot.{secrets.token_hex(16)}")
        self._last: Session | None = None
        self._is_taken = False

    def _open(self, url: str) -> Store:
        return open_store(url, memory=self.limits.max_memory, clock=self.clock)

    async def begin(self) -> Session:
        """Return what is open in this event loop; raises StoreUnavailable and StoreRefused."""
        session = self._sessions.get(None)
        if session is None:
            store = self._shared
            if self._url not in ("", "memory") and self._is_taken:  # another loop has the first one
                store = self._open(self._url)
            self._is_taken = True  # from now on, although it is not open yet: loops may begin at once
            session = Session(self, store)
            self._sessions.set(session)
        if not session.is_open:
            await session.open(self._keys, self._rule)
            self._last = session
        return session

    def seals_at_once(self, scope: Scope) -> Seals | None:
        """Return what seals for a request that needs no store: nothing is computed before there is something to seal.

        None if there is more to do before: nothing was open yet, or the request may be refused.
        """
        session = self._last  # of whatever loop: its keys are those of all
        if session is None or session.sealer is None or session.tenants.may_refuse:
            return None
        return session.sealer.for_request(partial(session.seal_of, scope))

    async def end(self) -> None:
        """Close what is open in this event loop."""
        session = self._sessions.get(None)
        if session is not None:
            await session.close()

    async def serve(self, target: Target, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request for what is stored."""
        try:
            with in_time():
                session = await self.begin()
            tenant = await session.tenant_of(scope)
        except Exception as error:
            failure = failure_of(error, self.limits.max_history)
            await send_error(send, failure.error, failure.headers)
            return
        assert session.store is not None
        await endpoints.serve(
            target, scope, receive, send, store=session.store, tenant=tenant.key, limits=self.limits, clock=self.clock
        )

    def following(self, send: Send) -> Send:
        """Return the `send` of an application's lifespan, with which the store is opened and closed."""

        async def follow(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                try:
                    await self.begin()
                except StoreError as error:
                    message = {"type": "lifespan.startup.failed", "message": str(error)}
            elif message["type"].startswith("lifespan.shutdown"):
                await self.end()
            await send(message)

        return follow

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the store open while the context lasts."""
        await self.begin()
        try:
            yield
        finally:
            await self.end()


def _read_keys(texts: Sequence[str]) -> list[bytes]:
    from .sealing import read_key

    return list(map(read_key, texts))


def _nothing() -> None:
    """There is no housekeeping to stop."""


class Session:
    """What is open in one event loop. A lease is renewed, and expired records are deleted, as long as it is."""

    def __init__(self, keeper: Keeper, store: Store | None) -> None:
        self.store: Store | None = store
        self.leases: Leases | None = None if store is None else Leases(store)
        self.is_open: bool = False
        self._keeper = keeper
        self.tenants: Tenants = Tenants("none", b"")
        self.sealer: Sealer | None = None
        self._lock = anyio.Lock()
        self._stop: Callable[[], object] = _nothing

    async def open(self, keys: list[bytes], rule: str | Callback) -> None:
        from . import sealing  # it needs a package that other users of the middleware do not

        async with self._lock:  # several requests may come before it is
            if self.is_open:
                return
            secret = b""
            store, leases = self.store, self.leases
            if store is not None and leases is not None:
                try:
                    opened = await store.open()
                    secret = await store.secret("tenants", secrets.token_bytes(_SECRET))
                    keys = keys or [await store.secret("seal", sealing.new_key())]
                    await leases.renew()
                except StoreUnavailable:
                    await store.close()
                    raise
                self._stop = start_late(partial(self._housekeep, store, leases), 0)
                self._tell(opened)
            self.tenants, self.sealer = Tenants(rule, secret), sealing.Sealer(keys)
            self.is_open = True

    def _tell(self, opened: Opened) -> None:
        if self._keeper.opened is None:
            _log.info("Store: %s: %s", opened.name, opened.durability)
            for warning in opened.warnings:
                _log.warning("Store: %s", warning)
        self._keeper.opened = opened

    async def close(self) -> None:
        if self.is_open and self.store is not None and self.leases is not None:
            self.is_open = False
            self._stop()
            try:
                await self.leases.end()
            except StoreError as error:
                _log.warning("The lease of this process was not returned: %s", error)
            await self.store.close()

    async def tenant_of(self, scope: Scope) -> Tenant:
        """Return whose request this is; raises RequestError (401)."""
        return await self.tenants.of(scope)

    def seals(self, tenant: Tenant) -> Seals:
        """Return what seals and opens for a tenant."""
        assert self.sealer is not None
        return self.sealer.for_tenant(tenant.seal)

    def seal_of(self, scope: Scope) -> bytes:
        """Return what stands in seals for whoever sent a request that cannot be refused."""
        return self.tenants.at_once(scope).seal

    async def _housekeep(self, store: Store, leases: Leases) -> None:
        """Renew the lease, and sweep now and then; a store that is away is asked again the next time."""
        swept_at = 0.0
        while True:
            try:
                await leases.renew()
                if swept_at + _SWEPT_EVERY <= anyio.current_time():
                    while await store.sweep():
                        pass
                    swept_at = anyio.current_time()
            except StoreError as error:
                _log.warning("The store could not be looked after: %s", error)
            await anyio.sleep(_RENEWED_EVERY)
