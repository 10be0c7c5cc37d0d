"""Logs errors without their messages, which may quote users."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager


def log_without_message(log: logging.Logger, who: str, error: Exception) -> None:
    """Log the type of *error* and where it was raised, but not its message: that may quote users."""
    log.error("%s raised %s\n%s", who, type(error).__qualname__, "".join(traceback.format_tb(error.__traceback__)))
    log.debug("Full traceback", exc_info=error)


@contextmanager
def harmless(log: logging.Logger, who: str) -> Iterator[None]:
    """Log what is raised inside, and go on after it: whoever watches an exchange must not end it."""
    try:
        yield
    except Exception as error:
        log_without_message(log, who, error)
