"""Refuses requests for stored state where there is no store, and says what to do instead."""

from __future__ import annotations

import re

from ...translator import RequestError
from ..asgi.types import Scope
from ..middleware.routes import endpoint_of_path

_PATH = re.compile(r"(?:/v1)?/(responses|conversations)(/.*)?")
_TOKEN_COUNT = "/input_tokens"
_REASON = "the upstream implements Chat Completions, which stores nothing, and this server has no store (`--store`)"


def state_error(scope: Scope) -> RequestError | None:
    """Return the error for a request to a part of the Responses API that needs stored state; None for all others."""
    match = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
    if match is None or (scope["method"] == "POST" and endpoint_of_path(scope["path"]) is not None):
        return None
    if match[2] == _TOKEN_COUNT:
        return _missing(
            "Tokens cannot be counted: the upstream implements Chat Completions, which has no endpoint for it."
        )
    if match[1] == "conversations":
        return _missing(f"Conversations are not supported: {_REASON}. Send the whole conversation as `input`.")
    if match[2] in (None, "/"):
        return _missing("Only POST is supported.", 405)
    return _missing(
        f"Responses cannot be retrieved, cancelled or deleted: {_REASON}. "
        "Set `store: false`, and send the whole conversation as `input`."
    )


def _missing(message: str, status: int = 404) -> RequestError:
    return RequestError(message, code="not_found" if status == 404 else "method_not_allowed", status=status)
