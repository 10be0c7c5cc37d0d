"""Which options of a background request are allowed, and what is lost of them (protocol 1.2)."""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import RequestError
from ..wire import validate

_WINDOW = "background_options.completion_window"
_PATIENT = ("2h", "8h")


def check(body: dict[str, Any], context: Context) -> None:
    """Report a window of hours as approximated; raises RequestError for one that the request cannot have."""
    options = body.get("background_options")
    window = validate.mapping(options, "background_options").get("completion_window") if options is not None else None
    if window is None or window == "soonest":
        return
    if validate.text(window, _WINDOW) not in _PATIENT:
        raise RequestError(f"Invalid value: '{window[:64]}'. Supported values are: 'soonest', '2h', and '8h'.", _WINDOW)
    if body.get("background") is not True:
        raise RequestError(f"'{_WINDOW}' of '{window}' requires 'background' to be true.", _WINDOW)
    if body.get("stream") is True:
        raise RequestError(f"'{_WINDOW}' of '{window}' cannot be used with 'stream'.", _WINDOW)
    context.report.approximated(_WINDOW, "it is run at once", window)
