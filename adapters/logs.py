"""Logs of the server: one JSON object per line on stderr."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from ..translator import encode_json


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


def configuration(level: str) -> dict[str, Any]:
    """Return the logging configuration, for `logging.config.dictConfig`."""
    loggers = ("uvicorn", "diglot")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": f"{__name__}.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}},
        "loggers": {name: {"handlers": ["stderr"], "level": level.upper(), "propagate": False} for name in loggers},
    }
