"""How errors are logged: without a word that anybody wrote."""

from __future__ import annotations

import logging
import traceback


def log_without_message(log: logging.Logger, who: str, error: Exception) -> None:
    """Log where *error* happened, without what the exception says: that may be anybody's words."""
    log.error("%s raised %s\n%s", who, type(error).__qualname__, "".join(traceback.format_tb(error.__traceback__)))
    log.debug("The same in full", exc_info=error)
