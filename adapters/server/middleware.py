"""The middleware of the server."""

from __future__ import annotations

import logging
from typing import Any

from ..asgi.types import App
from ..error_log import log_without_message
from ..middleware.app import TranslationMiddleware
from ..stateful.keeper import Keeper

_log = logging.getLogger("diglot")


class ServerMiddleware(TranslationMiddleware):
    """Logs what the application raises without its message: there is no host that would handle it.

    With a *keeper*, several of them keep what is stored together.
    """

    def __init__(self, app: App, *, keeper: Keeper | None = None, **settings: Any) -> None:
        super().__init__(app, **settings)
        self._keeper = keeper or self._keeper

    @property
    def keeper(self) -> Keeper | None:
        """What keeps what is stored."""
        return self._keeper

    @property
    def replica_states(self) -> dict[str, dict[str, str]]:
        """The state of each replica, by upstream: there are none here."""
        return {}

    def _raise_app_error(self, error: Exception) -> None:
        log_without_message(_log, "The application", error)
