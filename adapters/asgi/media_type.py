"""The content type of a request that is to be translated: JSON, or not said.

A web page can send what it likes to other servers, but only in types that forms know, unless it asks first (CORS).
"""

from __future__ import annotations

import re

from ...translator import RequestError
from .types import Scope

_JSON = re.compile(rb"application/(json|[a-z0-9!#$&^_.+-]+\+json)")


def check(scope: Scope) -> None:
    """Raise RequestError (415) if the request says that its body is something else than JSON."""
    said = [value for name, value in scope["headers"] if name == b"content-type"]
    if not all(_JSON.fullmatch(value.partition(b";")[0].strip().lower()) for value in said):
        raise RequestError(
            "The request body must be JSON, and say so: Content-Type: application/json.",
            code="unsupported_content_type",
            status=415,
        )
