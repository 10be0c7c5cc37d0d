"""Paths that name a model: Azure's deployments.

Chat Completions are at `/openai/deployments/NAME/chat/completions?api-version=DATE`, Responses are at
`/openai/responses?api-version=DATE`, and both are below `/openai/v1`, which takes no version
(https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from ...translator import ServeChat
from ..asgi.types import Scope
from .routes import path_base

_DEPLOYMENT = re.compile(r"(.*/openai)/deployments/([^/]+)")
_VERSION = re.compile(rb"(^|&)api-version=[^&]*")


def deployment_in(path: str, endpoint: str) -> str | None:
    """Return the deployment that a path names before its *endpoint*, or None."""
    found = _DEPLOYMENT.fullmatch(path_base(path, endpoint))
    return found[2] if found else None


def relocate(scope: Scope, endpoint: str, model: Any) -> Scope:
    """Return *scope* with the path at which such a service has the *endpoint* of the other API."""
    path, query = path_base(scope["path"], endpoint), scope.get("query_string", b"")
    found = _DEPLOYMENT.fullmatch(path)
    if endpoint == ServeChat.endpoint:
        if found is None:
            return scope
        path, query = found[1] + "/v1", _VERSION.sub(b"", query).lstrip(b"&")
    elif path.endswith("/openai") and _VERSION.search(query) and isinstance(model, str) and "/" not in model:
        path = f"{path}/deployments/{model}"
    else:
        return scope
    path += endpoint
    return {**scope, "path": path, "raw_path": quote(path).encode(), "query_string": query}
