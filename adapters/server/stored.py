"""Requests for what a server would have to have stored: clients are told that nothing is, and what to do instead."""

from __future__ import annotations

import re

from ...translator import RequestError
from ..asgi.types import Scope
from ..middleware.routes import ending

_PATH = re.compile(r"(?:/v1)?/(responses|conversations)(/.*)?")
_TOKENS = "/input_tokens"
_WHY = "the upstream speaks Chat Completions, which stores nothing"


def explained(scope: Scope) -> RequestError | None:
    """Return the error for a request to a part of the Responses API that needs a store; None for any other request."""
    match = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
    if match is None or (scope["method"] == "POST" and ending(scope["path"]) is not None):
        return None
    if match[2] == _TOKENS:
        return _missing("Tokens cannot be counted here: the upstream speaks Chat Completions, which cannot do it.")
    if match[1] == "conversations":
        return _missing(f"There are no conversations here: {_WHY}. Send the whole conversation as `input`.")
    if match[2] in (None, "/"):
        return _missing("There is only POST here.", 405)
    return _missing(
        f"Responses cannot be retrieved, cancelled or deleted here: {_WHY}. "
        "Ask with `store: false`, and send the whole conversation as `input`."
    )


def _missing(message: str, status: int = 404) -> RequestError:
    return RequestError(message, code="not_found" if status == 404 else "method_not_allowed", status=status)
