"""The log of the server."""

import asyncio
import json
import logging
import logging.config
import sys
from typing import Any

import pytest

from diglot.adapters.server import logs
from diglot.adapters.server.text_log import TextLines


def entry(**extra: object) -> logging.LogRecord:
    record = logging.LogRecord("diglot.access", logging.INFO, "f.py", 1, "hello %s", ("you",), None)
    record.__dict__.update(extra)
    return record


def test_line() -> None:
    """An entry is one JSON object on one line."""
    text = logs.JsonLines().format(entry())
    line = json.loads(text)
    assert "\n" not in text
    assert (line["level"], line["logger"], line["message"]) == ("info", "diglot.access", "hello you")
    assert line["time"].endswith("+00:00")


def test_exchange() -> None:
    """What is known of an exchange becomes members of the line."""
    assert json.loads(logs.JsonLines().format(entry(exchange={"status": 200})))["status"] == 200


def test_traceback() -> None:
    """A traceback stays on the line."""
    try:
        raise ValueError
    except ValueError:
        text = logs.JsonLines().format(entry(exc_info=sys.exc_info()))
    assert "\n" not in text
    assert "ValueError" in json.loads(text)["traceback"]


@pytest.mark.parametrize(("form", "kind"), [("json", logs.JsonLines), ("text", TextLines)])
def test_configuration(form: Any, kind: type[logging.Formatter]) -> None:
    """The standard library accepts the configuration and finds formatter and filter."""
    configuration = logs.configuration("warning", form)
    assert configuration["loggers"]["diglot"]["level"] == "WARNING"
    configurator = logging.config.DictConfigurator(configuration)
    assert isinstance(configurator.configure_formatter(configuration["formatters"]["lines"]), kind)
    assert isinstance(configurator.configure_filter(configuration["filters"]["news"]), logs.NoiseFilter)


def test_what_is_no_news_for_people() -> None:
    """The welcome has told them that the server starts; programs are told all of it."""
    for words in ("Started server process [%d]", "Uvicorn running on %s", "Application startup complete."):
        assert logs.NoiseFilter().filter(entry(msg=words))
        assert not logs.NoiseFilter(for_people=True).filter(entry(msg=words))
    assert logs.NoiseFilter(for_people=True).filter(
        entry(msg="Waiting for connections to close. (CTRL+C to force quit)")
    )


def test_what_is_no_news() -> None:
    """Requests that shutdown ended and refused websockets are told elsewhere; all else is kept."""
    news = logs.NoiseFilter()
    cancelled, broken = asyncio.CancelledError(), ValueError()
    assert not news.filter(entry(exc_info=(type(cancelled), cancelled, None)))
    assert not news.filter(entry(msg="Unsupported upgrade request."))
    assert not news.filter(entry(msg="No supported WebSocket library detected. Please ..."))
    assert news.filter(entry(exc_info=(type(broken), broken, None)))
    assert news.filter(entry())
