"""The log for people."""

import logging
import sys
from typing import Any

import pytest

from diglot.adapters.server.text_log import TextLines

TRANSLATED = {
    "handled": "translated",
    "method": "POST",
    "path": "/v1/responses",
    "status": 200,
    "model": "gpt",
    "stream": True,
    "duration_ms": 1234.5,
    "input_tokens": 10,
    "output_tokens": 20,
    "outcome": "completed",
    "error": None,
    "losses": [{"path": "a", "kind": "dropped", "why": "x"}],
    "losses_more": 2,
}
PASSED = {"handled": "passed", "method": "GET", "path": "/v1/models", "status": 404, "duration_ms": 3, "complete": True}


def line(colour: bool = False, message: str = "", level: int = logging.INFO, **extra: Any) -> str:
    record = logging.LogRecord("diglot.access", level, "f.py", 1, message, (), None)
    record.__dict__.update(extra)
    return TextLines(colour).format(record)


def test_translated() -> None:
    """One short line."""
    assert line(exchange=TRANSLATED)[9:] == "200  POST /v1/responses  translated  1.2 s  gpt  10 + 20 tokens  3 lost"


def test_whose_key() -> None:
    """The name of the key is there, where keys are checked."""
    assert line(exchange={**PASSED, "key": "alice"})[9:] == "404  GET /v1/models  passed  3 ms  key alice"


def test_passed() -> None:
    """Less is known of what went through."""
    assert line(exchange=PASSED)[9:] == "404  GET /v1/models  passed  3 ms"
    assert line(exchange={**PASSED, "complete": False})[9:] == "404  GET /v1/models  passed  3 ms  cut"


def test_failures() -> None:
    """What went wrong has a word."""
    failed = {**TRANSLATED, "outcome": "failed", "error": "upstream_timeout", "losses": [], "losses_more": 0}
    assert line(exchange=failed).endswith("tokens  failed  upstream_timeout")
    refused = {**failed, "outcome": "refused", "error": None, "model": None, "input_tokens": None}
    assert line(exchange={**refused, "output_tokens": None}).endswith("1.2 s")
    assert line(exchange=refused).endswith("None + 20 tokens")


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR])
def test_other_entries(level: int) -> None:
    """They have their level."""
    assert line(message="hello", level=level)[9:] == f"{logging.getLevelName(level).lower()} hello"


def test_traceback() -> None:
    """It follows."""
    try:
        raise ValueError("x")
    except ValueError:
        text = line(message="hello", exc_info=sys.exc_info())
    assert text.splitlines()[1] == "Traceback (most recent call last):"


@pytest.mark.parametrize(("status", "code"), [(200, 32), (302, 36), (404, 33), (503, 31)])
def test_colour(status: int, code: int) -> None:
    """The colour is that of the status."""
    assert f"\x1b[{code}m{status}\x1b[0m" in line(True, exchange={**PASSED, "status": status})
    assert "\x1b" not in line(False, exchange={**PASSED, "status": status})


def test_harmless() -> None:
    """Nothing that a client sends moves the cursor, or makes a second line."""
    evil = "/a\x1b[2J\r\n12:00:00 200 \x07\u202e\ud800\x9b"
    for text in (line(exchange={**TRANSLATED, "path": evil, "model": evil, "method": evil}), line(message=evil)):
        assert text.isprintable()
        assert r"\x1b[2J\r\n" in text
