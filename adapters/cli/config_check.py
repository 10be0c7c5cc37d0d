"""`diglot check --config`: everything that start-up would check, and whether each replica answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import anyio

from ...translator import public_url
from ..asgi.types import Scope
from ..limits import Limits
from ..server import app, config, store
from ..server.keys import keys_of
from ..server.model_names import ANY
from ..server.model_settings import Tables, tables, upstreams_of
from ..server.readiness import AWAY, status_of
from ..server.upstreams import clients_of
from ..upstream.app import Upstream
from ..upstream.asking import Reply, get

Rows = list[list[str]]
_NO_ANSWER = "gave no answer that can be read"
_FAILURES = {
    "upstream_unreachable": "cannot be reached: {reason}",
    "upstream_disconnected": "broke off the connection",
    "upstream_timeout": "did not answer within {seconds} s",
}


class Asked(NamedTuple):
    """One replica and its answer."""

    upstream: str
    url: str
    reply: Reply
    seconds: float
    """How long that took."""
    ready: int
    """The status that `/readyz` would see, 0 if there is none."""

    @property
    def models(self) -> list[str] | None:
        """The models that it lists; None if it does not list any."""
        body = self.reply.json if self.reply.status == 200 else None
        data = body.get("data") if isinstance(body, dict) else None
        return [str(each.get("id")) for each in data if isinstance(each, dict)] if isinstance(data, list) else None


class ConfigCheck:
    """The settings that a server would start with; raises ConfigError if it would not."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._settings: config.Settings = config.load({}, os.environ, file)
        self._keys = keys_of(self._settings.api_keys, self._settings.api_key)
        app.application(self._settings, keys=self._keys, inspect_token="")  # nobody looks at a page that is not served
        self._store: store.Choice = anyio.run(store.choose, self._settings)
        self._tables: Tables = tables(self._settings) or Tables(upstreams_of(self._settings), {})

    def summary(self) -> str:
        """Return what the file holds."""
        upstreams, models = len(self._tables.upstreams), len(self._tables.models)
        return f"{self._file}: no mistakes; {upstreams} upstream{'s' * (upstreams != 1)}, {models} in [models]"

    def parts(self) -> Rows:
        """Return the rows of a table of what a start would use."""
        opened = self._store.opened
        return [
            ["keys", "none in this file or its variables" if self._keys is None else str(self._keys.count)],
            ["store", self._store.warning or (opened.name if opened is not None else "none")],
            *([name, ", ".join(map(public_url, each.url))] for name, each in self._tables.upstreams.items()),
        ]

    async def ask(self, key: str | None, limits: Limits) -> list[Asked]:
        """Ask each replica for its models, and what `/readyz` would, all at once.

        Those without a key of their own get *key*, as they would get that of a client: not from a server that has keys.
        """
        headers = [(b"authorization", f"Bearer {key}".encode())] if key and self._keys is None else []
        scope: Scope = {"type": "http", "headers": headers, "root_path": ""}

        async def ask(place: int, name: str, url: str, client: Upstream) -> None:
            began = monotonic()
            reply = await get(client, scope, "/v1/models", limits)
            seconds = monotonic() - began
            ready = await status_of(client, self._settings.ready_path)
            found[place] = Asked(name, public_url(url), reply, seconds, ready)
            await client.aclose()

        found: dict[int, Asked] = {}
        places = count()
        async with anyio.create_task_group() as group:
            for name, upstream in self._tables.upstreams.items():
                clients = clients_of(name, upstream, self._profile(name), self._settings)
                for url, client in zip(upstream.url, clients, strict=True):
                    group.start_soon(ask, next(places), name, url, client)
        return [found[place] for place in sorted(found)]

    def _profile(self, name: str) -> Any:
        return config.profile_of_upstream(self._settings, self._tables, name)

    def faults(self, asked: list[Asked]) -> Iterator[str]:
        """Yield what is wrong: replicas that do not answer or are not ready, and models that one does not list."""
        for each in asked:
            if each.models is None:
                yield f"{each.upstream}: {each.url} {_words(each)}"
            elif each.ready in AWAY:
                path = self._settings.ready_path
                yield f"{each.upstream}: {each.url} counts as away: it answered {each.ready or 'nothing'} to {path}"
        for name, model in self._tables.models.items():
            wanted = model.model or name
            for each in asked if ANY not in wanted else ():
                listed = each.models if model.upstream == each.upstream else None
                if listed is not None and wanted not in listed:
                    yield f"models.{name}: {each.url} does not list {wanted!r}"


def table(asked: list[Asked]) -> Rows:
    """Return the rows of the table of all replicas."""
    rows = [["UPSTREAM", "REPLICA", "ANSWER", "AFTER", "READY", "MODELS"]]
    for each in asked:
        models = "-" if each.models is None else str(len(each.models))
        answer = "-" if each.reply.failure else "ok" if each.models is not None else str(each.reply.status)
        rows.append([each.upstream, each.url, answer, f"{each.seconds:.2f} s", str(each.ready or "-"), models])
    return rows


def _words(asked: Asked) -> str:
    """Say what came instead of a list of models."""
    reply = asked.reply
    if reply.failure is not None:
        words = _FAILURES.get(reply.failure.code, _NO_ANSWER)
        return words.format(reason=reply.failure.reason, seconds=max(1, round(asked.seconds)))
    if reply.status == 200:
        return "answered 200, but with no list of models"
    return f"answered {reply.status}: {_reason(reply)}"


def _reason(reply: Reply) -> str:
    body = reply.json
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return message[:200] if isinstance(message, str) else "no reason was said"
