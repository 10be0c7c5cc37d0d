"""The store of the server: the one that is set, or else a file in the user's state directory."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import anyio
import msgspec

from ..store import Opened, Store, StoreError, StoreRefused, StoreUnavailable, open_store
from ..store.values import DAY
from .config import Settings
from .model_settings import api_of
from .setting_values import ConfigError

OFF, MEMORY = "none", "memory"
_PATIENCE = 15
"""Seconds that a store may take to open."""
_SEVERAL = (
    "a store in memory is for one process, and there are {} workers: name another one with --store, as "
    "sqlite:///FILE, or turn it off with --store none"
)


class Choice(NamedTuple):
    """The store that a server starts with."""

    settings: Settings
    """With the URL of the store, or `none`."""
    opened: Opened | None = None
    """What it is, when it was tried; None without one."""
    is_default: bool = False
    """Whether nobody named it."""
    warning: str = ""


async def choose(settings: Settings) -> Choice:
    """Return the settings with a store that was opened once, and closed again. Raises ConfigError."""
    if settings.store is None:
        return await _default(settings)
    if settings.store == MEMORY and settings.workers > 1:
        raise ConfigError(f"store: {_SEVERAL.format(settings.workers)}")
    try:
        return Choice(settings, await _tried(settings))
    except StoreError as error:
        raise ConfigError(in_words(settings, error)) from None


async def _default(settings: Settings) -> Choice:
    """A file; for a demo, memory; nothing where no answer of /responses is translated."""
    if api_of(settings) == "responses" or (settings.demo and settings.workers > 1):
        return Choice(_with(settings, OFF), is_default=True)
    if settings.demo:
        return await _in_memory(settings)
    try:
        chosen = _with(settings, default_url())
        return Choice(chosen, await _tried(chosen), is_default=True)
    except StoreRefused as error:
        raise ConfigError(f"store: {error} Or turn it off with --store none.") from None
    except (OSError, StoreUnavailable) as error:
        if settings.workers > 1:
            raise ConfigError(f"store: {error}; and {_SEVERAL.format(settings.workers)}") from None
        why = f"{error}. What is stored is lost when this process ends; name a store with --store, or turn it off "
        return await _in_memory(settings, why + "with --store none.")


async def _in_memory(settings: Settings, warning: str = "") -> Choice:
    chosen = _with(settings, MEMORY)
    return Choice(chosen, await _tried(chosen), is_default=True, warning=warning)


def _with(settings: Settings, url: str) -> Settings:
    return msgspec.structs.replace(settings, store=url)


def default_url() -> str:
    """Return the URL of the user's own store, and make its directory; raises OSError."""
    import platformdirs  # commands without a server need none

    directory = platformdirs.user_state_path("diglot", appauthor=False)
    if not directory.is_absolute():  # the user has no home
        raise OSError(f"there is no directory for the state of this user, such as {directory}")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"sqlite:///{directory / 'diglot.db'}"


def file_of(url: str) -> Path | None:
    """Return the file of a store in SQLite; None for all others."""
    scheme, _, path = url.partition(":///")
    return Path(path.partition("?")[0]) if scheme.partition("+")[0] == "sqlite" else None


async def _tried(settings: Settings) -> Opened | None:
    """Open the store and close it again. Raises ConfigError for a URL that is none, and StoreError."""
    store = store_of(settings)
    if store is None:
        return None
    try:
        return await opened(store)
    finally:
        await store.close()


async def opened(store: Store) -> Opened:
    """Open a store, but do not wait for it for ever. Raises StoreError."""
    try:
        with anyio.fail_after(_PATIENCE):
            return await store.open()
    except TimeoutError:
        raise StoreUnavailable(f"no answer within {_PATIENCE} seconds") from None


def store_of(settings: Settings) -> Store | None:
    """Return the store of the settings, not yet opened; None without one. Raises ConfigError."""
    return None if settings.store in (None, OFF) else made(settings, settings.store)


def made(settings: Settings, url: str) -> Store:
    """Return the store of a URL, not yet opened. Raises ConfigError."""
    try:
        return open_store(url, keep=settings.keep_days * DAY, memory=settings.limits.max_memory)
    except (StoreRefused, ModuleNotFoundError) as error:
        raise ConfigError(f"store: {error}") from None


def in_words(settings: Settings, error: StoreError) -> str:
    """Return what to say of an error of the store, without what is private in its URL."""
    return f"store: {_public(settings.store or '')}: {error}"


def _public(url: str) -> str:
    """Return a URL without user, password and options. A password may have any character in it but `@`."""
    if path := file_of(url):
        return str(path)
    scheme, slashes, rest = url.partition("://")
    return scheme + slashes + rest.rpartition("@")[2].partition("?")[0]
