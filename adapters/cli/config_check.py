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
from ..server.model_names import ANY
from ..server.model_settings import SINGLE, Tables, UpstreamSettings, tables
from ..server.upstreams import clients_of
from ..upstream.app import Upstream
from ..upstream.asking import Reply, get

Rows = list[list[str]]


class Asked(NamedTuple):
    """One replica and its answer."""

    upstream: str
    url: str
    reply: Reply
    seconds: float

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
        app.application(self._settings)
        anyio.run(store.choose, self._settings)
        single = UpstreamSettings(url=(self._settings.upstream,)) if self._settings.upstream else None
        self._tables: Tables = tables(self._settings) or Tables({SINGLE: single} if single else {}, {})

    def summary(self) -> str:
        """Return what the file holds."""
        upstreams, models = len(self._tables.upstreams), len(self._tables.models)
        return f"{self._file}: no mistakes; {upstreams} upstream{'s' * (upstreams != 1)}, {models} in [models]"

    async def ask(self, key: str | None, limits: Limits) -> list[Asked]:
        """Ask each replica for its models, all at once; those without a key of their own get *key*."""
        headers = [(b"authorization", f"Bearer {key}".encode())] if key else []
        scope: Scope = {"type": "http", "headers": headers, "root_path": ""}

        async def ask(place: int, name: str, url: str, client: Upstream) -> None:
            began = monotonic()
            reply = await get(client, scope, "/v1/models", limits)
            found[place] = Asked(name, public_url(url), reply, monotonic() - began)
            await client.aclose()

        found: dict[int, Asked] = {}
        places = count()
        async with anyio.create_task_group() as group:
            for name, upstream in self._tables.upstreams.items():
                clients = clients_of(upstream, self._profile(name), self._settings)
                for url, client in zip(upstream.url, clients, strict=True):
                    group.start_soon(ask, next(places), name, url, client)
        return [found[place] for place in sorted(found)]

    def _profile(self, name: str) -> Any:
        return config.profile_of_upstream(self._settings, self._tables, name)

    def faults(self, asked: list[Asked]) -> Iterator[str]:
        """Yield what is wrong: replicas that do not answer, and models that a replica does not list."""
        for each in asked:
            if each.reply.status != 200:
                yield f"{each.upstream}: {each.url} answered {each.reply.status}: {_words(each.reply)}"
        for name, model in self._tables.models.items():
            wanted = model.model or name
            for each in asked if ANY not in wanted else ():
                listed = each.models if model.upstream == each.upstream else None
                if listed is not None and wanted not in listed:
                    yield f"models.{name}: {each.url} does not list {wanted!r}"


def table(asked: list[Asked]) -> Rows:
    """Return the rows of the table of all replicas."""
    rows = [["UPSTREAM", "REPLICA", "ANSWER", "AFTER", "MODELS"]]
    for each in asked:
        models = "-" if each.models is None else str(len(each.models))
        answer = "ok" if each.reply.status == 200 else str(each.reply.status)
        rows.append([each.upstream, each.url, answer, f"{each.seconds:.2f} s", models])
    return rows


def _words(reply: Reply) -> str:
    body = reply.json
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return message[:200] if isinstance(message, str) else "no reason was said"
