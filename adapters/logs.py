"""Logs of the server: one JSON object per line on stderr."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

from ..translator import encode_json

_NO_NEWS = ("Unsupported upgrade request.", "No supported WebSocket library")


class JsonLines(logging.Formatter):
    """Formats a log record as one line of JSON; what the access log knows of an exchange becomes members of it."""

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


class NotOurNews(logging.Filter):
    """Keeps back what the server below says of things that went as they should.

    These are requests that were ended at shutdown (their access records tell of them), and refused websockets.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is kept."""
        kind = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
        ended = kind is not None and issubclass(kind, asyncio.CancelledError)
        return not ended and not str(record.msg).startswith(_NO_NEWS)


def configuration(level: str) -> dict[str, Any]:
    """Return the logging configuration, for `logging.config.dictConfig`."""
    loggers = ("uvicorn", "diglot")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": f"{__name__}.JsonLines"}},
        "filters": {"news": {"()": f"{__name__}.NotOurNews"}},
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
