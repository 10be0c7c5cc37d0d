"""A store of the host's, which may raise anything."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from ..error_log import log_without_message
from ..store import Store, StoreError, StoreUnavailable

_log = logging.getLogger("diglot")


def guarded(store: Store) -> Store:
    """Return *store* in such a way that whatever else its methods raise becomes StoreUnavailable.

    So a client gets its answer, or an error that it can read, whatever is wrong with the store.
    """
    return cast(Store, _Guarded(store))


class _Guarded:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        return method if name == "export" else _guarded_method(method)


def _guarded_method(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    async def call(*args: Any, **more: Any) -> Any:
        try:
            return await method(*args, **more)
        except StoreError:
            raise
        except Exception as error:
            log_without_message(_log, "The store", error)
            raise StoreUnavailable(f"it raised {type(error).__name__}") from error

    return call
