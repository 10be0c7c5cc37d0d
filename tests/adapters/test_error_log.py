"""Errors in the log say where they happened, and nothing that anybody wrote."""

import logging

import pytest

from diglot.adapters.error_log import harmless, log_without_message


def test_without_words(caplog: pytest.LogCaptureFixture) -> None:
    """What the exception says is for the debug log alone."""
    log, words = logging.getLogger("diglot"), " ".join(["a", "secret"])
    with caplog.at_level(logging.ERROR, "diglot"):
        try:
            raise ValueError(words)
        except ValueError as error:
            log_without_message(log, "The application", error)
    assert "The application raised ValueError" in caplog.text
    assert "test_error_log.py" in caplog.text
    assert "a secret" not in caplog.messages[0]


def test_harmless(caplog: pytest.LogCaptureFixture) -> None:
    """What is raised inside goes no further."""
    with harmless(logging.getLogger("diglot"), "A processor"):
        raise ValueError
    assert "A processor raised ValueError" in caplog.text
