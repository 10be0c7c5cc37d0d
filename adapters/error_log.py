"""Logs errors without their messages, which may quote users."""

from __future__ import annotations

import logging
import traceback


def log_without_message(log: logging.Logger, who: str, error: Exception) -> None:
    """Log the type of *error* and where it was raised, but not its message: that may quote users."""
    log.error("%s raised %s\n%s", who, type(error).__qualname__, "".join(traceback.format_tb(error.__traceback__)))
    log.debug("Full traceback", exc_info=error)
