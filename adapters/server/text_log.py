"""The log for people: a short line for each request, coloured on a terminal."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import click

_LEVELS = {"DEBUG": "bright_black", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_STATUSES = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}
_EXPECTED = ("completed", "refused")


class TextLines(logging.Formatter):
    """Formats a log record as a line for people; a traceback follows on its own lines."""

    def __init__(self, colour: bool = False) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        when = self._styled(f"{datetime.fromtimestamp(record.created):%H:%M:%S}", "bright_black")
        exchange = getattr(record, "exchange", None)
        if exchange is not None:
            return f"{when} {self._exchange(exchange)}"
        level = self._styled(record.levelname.lower(), _LEVELS.get(record.levelname))
        line = f"{when} {level} {_escaped(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def _exchange(self, exchange: Mapping[str, Any]) -> str:
        status = int(exchange["status"])
        request = f"{exchange['method']} {exchange['path']}"
        parts = [
            self._styled(str(status), _STATUSES.get(status // 100)),
            _escaped(request),
            self._styled(exchange["handled"], "bright_black"),
            _duration(exchange["duration_ms"]),
            *map(_escaped, _details(exchange)),
        ]
        return "  ".join(parts)

    def _styled(self, text: str, colour: str | None) -> str:
        return click.style(text, fg=colour) if self._colour and colour else text


def _details(exchange: Mapping[str, Any]) -> Iterator[str]:
    """Yield the notable details of an exchange."""
    if exchange.get("key"):
        yield f"key {exchange['key']}"
    if exchange.get("model"):
        yield str(exchange["model"])
    input_tokens, output_tokens = exchange.get("input_tokens"), exchange.get("output_tokens")
    if input_tokens is not None or output_tokens is not None:
        yield f"{input_tokens} + {output_tokens} tokens"
    if exchange.get("outcome", "completed") not in _EXPECTED:
        yield str(exchange["outcome"])
    if exchange.get("error"):
        yield str(exchange["error"])
    if exchange.get("complete") is False:
        yield "cut"
    lost = len(exchange.get("losses", ())) + exchange.get("losses_more", 0)
    if lost:
        yield f"{lost} lost"


def _duration(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _escaped(text: str) -> str:
    """Escape what would move the cursor of a terminal or begin a new line."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "backslashreplace").decode()
        for letter in text
    )
