"""The logs of the server, on stderr: one JSON object per line, or lines for people."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any, Literal

from ...translator import TranslationError, encode_json

_NOISE = (
    *("Unsupported upgrade request.", "No supported WebSocket library"),
    "ASGI callable returned without completing response",  # a client that stopped reading
)
_STARTUP_NOISE = (
    *("Started server process", "Waiting for application", "Application startup", "Uvicorn running on"),
    *("Application shutdown", "Finished server process", "Started parent process", "Stopping parent process"),
)


class JsonLines(logging.Formatter):
    """Formats a log record as one line of JSON, with the fields of the exchange as members."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return encode_json({**line, **getattr(record, "exchange", {})}).decode()


class NoiseFilter(logging.Filter):
    """Drops messages of uvicorn about things that are not errors, or that are logged elsewhere.

    These are requests that were ended at shutdown or cut with the upstream (the access log and a warning cover them),
    and refused WebSockets. For people, also start and stop: they have the banner.
    """

    def __init__(self, for_people: bool = False) -> None:
        super().__init__()
        self._quiet = _NOISE + (_STARTUP_NOISE if for_people else ())

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to keep the record."""
        kind = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
        ended = kind is not None and issubclass(kind, (asyncio.CancelledError, TranslationError))
        return not ended and not str(record.msg).startswith(self._quiet)


def configuration(level: str, form: Literal["json", "text"] = "json", *, colour: bool = False) -> dict[str, Any]:
    """Return the logging configuration, for `logging.config.dictConfig`."""
    loggers = ("uvicorn", "diglot")
    for_people = form == "text"
    text = {"()": f"{__package__}.text_log.TextLines", "colour": colour}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": text if for_people else {"()": f"{__name__}.JsonLines"}},
        "filters": {"news": {"()": f"{__name__}.NoiseFilter", "for_people": for_people}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "lines",
                "filters": ["news"],
                "stream": "ext://sys.stderr",
            }
        },
        "loggers": {name: {"handlers": ["stderr"], "level": level.upper(), "propagate": False} for name in loggers},
    }
