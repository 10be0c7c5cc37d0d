"""The content type of a request that is translated must be JSON, or absent.

This keeps out web pages: without asking first (CORS), they can only send the content types of forms to other servers.
"""

from __future__ import annotations

import re

from ...translator import RequestError
from .types import Scope

_JSON = re.compile(rb"application/(json|[a-z0-9!#$&^_.+-]+\+json)")


def check(scope: Scope) -> None:
    """Raise RequestError (415) if the request declares a body that is not JSON."""
    for name, value in scope["headers"]:
        if name == b"content-type" and value != b"application/json" and not _is_json(value):
            raise RequestError(
                "The request body must be JSON, sent with Content-Type: application/json.",
                code="unsupported_content_type",
                status=415,
            )


def may_be_json(scope: Scope) -> bool:
    """Whether a request declares a body that is JSON, or none."""
    return all(name != b"content-type" or _is_json(value) for name, value in scope["headers"])


def _is_json(media_type: bytes) -> bool:
    return _JSON.fullmatch(media_type.partition(b";")[0].strip().lower()) is not None
