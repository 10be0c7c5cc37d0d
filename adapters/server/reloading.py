"""A server process whose settings can be read again while it serves.

All of them are checked, and the new application starts, before it takes the place of the old one; exchanges that run
keep the old one until they end. What is wrong changes nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import msgspec

from ..asgi.types import App, Message, Receive, Scope, Send
from . import config
from .config import Settings
from .keys import Keys, keys_of
from .setting_values import ConfigError

RELOADED = frozenset(
    "upstream upstream_api profile set strict paths allow_host allow_origin limits api_keys api_key open".split()
    + "drain_delay ready_path upstreams models model_map".split()
)
"""Settings that are read again; all others need a restart."""
_KEYS = frozenset({"api_keys", "api_key"})
_IDLE_CHECK = 0.1
_log = logging.getLogger("diglot")

Build = Callable[[Settings, Keys | None], App]
"""Makes the application for some settings; raises ValueError for those that cannot work."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where the settings of a process come from, besides its environment, and what they were when it started."""

    flags: dict[str, Any]
    file: str | None
    loaded: Settings

    def load(self) -> Settings:
        """Return the settings as they are now. Raises ConfigError."""
        return config.load(self.flags, os.environ, Path(self.file) if self.file else None)


def source_of(flags: dict[str, Any], file: Path | None, loaded: Settings) -> Source:
    """Return where settings came from; what is relative stays where it was, whatever directory a process has later."""
    return Source(flags=flags, file=str(file.absolute()) if file else None, loaded=loaded)


def reloaded(source: Source, running: Settings) -> Settings:
    """Return the settings to go on with: some stay what they are until a restart, and the log names those.

    Raises ConfigError.
    """
    found = source.load()
    config.require_upstream(found)
    names = [name for name in Settings.__struct_fields__ if name not in RELOADED]
    waiting = [name for name in names if getattr(found, name) != getattr(source.loaded, name)]
    if waiting:
        _log.warning("Reload: changed, but needs a restart: %s", ", ".join(waiting))
    return msgspec.structs.replace(found, **{name: getattr(running, name) for name in names})


class ReloadableApp:
    """The application of a process. *build* makes it; *on_swap* is called with new settings that are served."""

    def __init__(self, settings: Settings, build: Build, on_swap: Callable[[Settings], object]) -> None:
        self.settings: Settings = settings
        self._build = build
        self._on_swap = on_swap
        self._keys = keys_of(settings.api_keys, settings.api_key)
        self._current = _Generation(build(settings, self._keys))
        self._old: set[_Generation] = set()
        self._lock = anyio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection. The server's lifespan is that of the first application and of all that follow."""
        if scope["type"] == "lifespan":
            await self._serve_lifespan(receive, send)
            return
        generation = self._current
        generation.active += 1
        try:
            await generation.app(scope, receive, send)
        finally:
            generation.active -= 1

    async def _serve_lifespan(self, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as self._tasks:
            await receive()
            try:
                await self._current.start(self._in_background)
            except ConfigError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
            for generation in (self._current, *self._old):
                await generation.stop()
            self._tasks.cancel_scope.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    def _in_background(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._tasks.start_soon(run)

    async def reload(self, source: Source) -> bool:
        """Read the settings again; return whether they are served now. It is logged what happened."""
        async with self._lock:
            try:
                settings = reloaded(source, self.settings)
                keys = keys_of(settings.api_keys, settings.api_key)
                names = self._changed(settings, keys)
                if settings != self.settings:
                    await self._swap(settings, keys)
                elif keys is not None and self._keys is not None:
                    self._keys.replace(keys)
            except ValueError as error:
                _log.error("Reload: refused, nothing has changed: %s", error)
                return False
        changes = f"changed: {', '.join(names)}" if names else "nothing has changed"
        _log.info("Reload: %s%s", changes, "" if keys is None else f"; keys: {keys.count}")
        return True

    def _changed(self, settings: Settings, keys: Keys | None) -> list[str]:
        """Return the names of the settings that are not as before; what the file of keys holds is one of them."""
        fields = Settings.__struct_fields__
        names = [name for name in fields if getattr(settings, name) != getattr(self.settings, name)]
        if keys is None or self._keys is None or _KEYS.intersection(names) or keys.has_same(self._keys):
            return names
        return [*names, "api_keys"]

    async def _swap(self, settings: Settings, keys: Keys | None) -> None:
        new = _Generation(self._build(settings, keys))
        await new.start(self._in_background)
        old, self._current, self.settings, self._keys = self._current, new, settings, keys
        self._on_swap(settings)
        self._old.add(old)
        self._tasks.start_soon(self._retire, old)

    async def _retire(self, old: _Generation) -> None:
        while old.active:  # noqa: ASYNC110
            await anyio.sleep(_IDLE_CHECK)
        self._old.discard(old)
        await old.stop()


class _Generation:
    """An application with its lifespan, and how many exchanges it has."""

    def __init__(self, app: App) -> None:
        self.app: App = app
        self.active: int = 0
        self._started = anyio.Event()
        self._stopping = anyio.Event()
        self._stopped = anyio.Event()
        self._failure = ""

    async def start(self, run: Callable[[Callable[[], Coroutine[Any, Any, None]]], object]) -> None:
        """Begin its lifespan, in a task of its own that *run* starts. Raises ConfigError."""
        run(self._live)
        await self._started.wait()
        if self._failure:
            raise ConfigError(self._failure)

    async def stop(self) -> None:
        """End it."""
        self._stopping.set()
        await self._stopped.wait()

    async def _live(self) -> None:
        try:
            await self.app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, self._receive, self._send)
        except Exception as error:
            self._failure = f"the application did not start: {type(error).__name__}"
            if self._started.is_set():
                _log.error("The application of a server did not end well: %s", type(error).__name__)
        finally:
            self._started.set()
            self._stopped.set()

    async def _receive(self) -> Message:
        if not self._started.is_set():
            return {"type": "lifespan.startup"}
        await self._stopping.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "lifespan.startup.failed":
            self._failure = message.get("message") or "the application did not start"
        self._started.set()
