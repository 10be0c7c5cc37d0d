"""`GET /models`: the names that are served, in the order of the file."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import anyio

from ...translator import Profile, RequestError
from ..asgi.types import Scope, Send, send_body, send_error, send_json
from ..limits import Limits
from ..middleware.routes import models_path
from ..upstream.asking import Reply, get
from .model_names import ANY, ModelNames
from .upstreams import ServedUpstream

_log = logging.getLogger("diglot")
_MOST = 10_000
_MOST_SHOWN = 50
_LONGEST = 1_024

Model = dict[str, Any]


class ModelEntry(NamedTuple):
    """Where the models of a name or pattern are."""

    upstream: ServedUpstream
    model: str | None
    """Its name there, if it is another one."""
    profile: Profile


def unknown(name: str, names: Iterable[str]) -> RequestError:
    """Return the error for a model that is not served."""
    some = list(names)
    shown = ", ".join(some[:_MOST_SHOWN]) + (", ..." if len(some) > _MOST_SHOWN else "")
    return RequestError(
        f"The model '{name[:200]}' does not exist here. Available: {shown}.", code="model_not_found", status=404
    )


class ModelList:
    """Answers requests for the models of a table; *paths* are served besides the usual ones."""

    def __init__(self, names: ModelNames[ModelEntry], paths: Iterable[str], limits: Limits) -> None:
        self._names = names
        self._path: re.Pattern[str] = models_path(paths)
        self._limits = limits

    def wanted(self, scope: Scope) -> str | None:
        """Return the model that a request is about, "" if about all; None if it is not for this list."""
        match = self._path.fullmatch(scope["path"]) if scope["method"] in ("GET", "HEAD") else None
        return None if match is None else match[1] or ""

    async def serve(self, wanted: str, scope: Scope, send: Send) -> None:
        """Answer one."""
        patterns = [self._names.pattern_of(wanted)] if wanted else list(self._names.entries)
        listed = await self._listed(patterns, scope)
        models: dict[str, Model] = {}
        failed: Reply | None = None
        for pattern in patterns:
            entry = self._names.entries.get(pattern or "")
            if pattern is None or entry is None:
                continue
            found = _own(pattern, wanted, entry)
            if found is None:
                reply = listed[entry.upstream.name]
                found = [each for each in _models_in(reply) if self._names.pattern_of(each["id"]) == pattern]
                failed = reply if reply.status != 200 else failed
            for each in found:
                models.setdefault(each["id"], each)
        if wanted and wanted in models:
            await send_json(send, 200, models[wanted])
        elif failed is not None and (wanted or not models):
            await send_body(send, failed.status, failed.body)
        elif wanted:
            await send_error(send, unknown(wanted, self._names.entries))
        else:
            await send_json(send, 200, {"object": "list", "data": [*models.values()]})

    async def _listed(self, patterns: Sequence[str | None], scope: Scope) -> dict[str, Reply]:
        """What each upstream answers that has to be asked: those of patterns whose names are the upstream's."""
        path = scope["path"].partition("/models")[0] + "/models"
        entries = [self._names.entries[pattern] for pattern in patterns if pattern is not None and ANY in pattern]
        asked = {entry.upstream.name: entry.upstream for entry in entries if entry.model is None}
        replies: dict[str, Reply] = {}

        async def ask(upstream: ServedUpstream) -> None:
            reply = replies[upstream.name] = await get(upstream.app, scope, path, self._limits)
            if reply.status != 200:
                _log.warning("Upstream %s does not list its models: status %d", upstream.name, reply.status)

        async with anyio.create_task_group() as group:
            for upstream in asked.values():
                group.start_soon(partial(ask, upstream))
        return replies


def _own(pattern: str, wanted: str, entry: ModelEntry) -> list[Model] | None:
    """The models that are known without asking: names, and the plainest one of a pattern for a single model."""
    if ANY not in pattern:
        return [_model(pattern, entry)]
    if entry.model is None:
        return None
    start, _, end = pattern.partition(ANY)
    name = wanted or (start if not end else "") or (entry.model if pattern == ANY else "")
    return [_model(name, entry)] if name else []


def _model(name: str, entry: ModelEntry) -> Model:
    return {"id": name, "object": "model", "created": 0, "owned_by": entry.upstream.name}


def _models_in(reply: Reply) -> Iterator[Model]:
    """The models that an upstream lists, as far as they can be read."""
    body = reply.json if reply.status == 200 else None
    data = body.get("data") if isinstance(body, dict) else None
    for each in data[:_MOST] if isinstance(data, list) else ():
        name = each.get("id") if isinstance(each, dict) else None
        if isinstance(name, str) and 0 < len(name) <= _LONGEST and name.isprintable():
            yield each
