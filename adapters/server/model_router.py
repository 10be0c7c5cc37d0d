"""Several models behind one server: each request goes to the upstream of its model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import anyio

from ...translator import RequestError
from ..asgi import media_type
from ..asgi.request_body import Disconnected, Unreadable, read_ahead, timeout_error
from ..asgi.types import (
    DECODED_BODY,
    MODEL_ROUTE,
    Message,
    Receive,
    Scope,
    Send,
    beginning_with,
    connection_close,
    header,
    send_error,
)
from ..limits import Limits
from ..middleware import access_log
from ..middleware.deployments import deployment_in
from ..middleware.model_route import ModelRoute
from ..middleware.record import Record
from ..middleware.routes import endpoint_of_path
from ..store import Opened, Store
from ..upstream.app import Upstream
from .config import Settings, profile_of_model
from .model_list import ModelEntry, ModelList, unknown
from .model_names import ModelNames
from .model_settings import Tables
from .upstreams import ServedUpstream, serve_all

_METHODS = ("POST", "PUT", "PATCH")
_LONGEST = 1_024


def router(
    settings: Settings,
    found: Tables,
    on_exchange: Callable[[Record], object] | None = None,
    store: Store | None = None,
) -> ModelRouter:
    """Return the router of a server's settings; what is stored is in *store* if there is one. Raises ConfigError."""
    served = serve_all(settings, found, on_exchange, store)
    entries = {
        name: ModelEntry(served[model.upstream or ""], model.model, profile_of_model(settings, found, name))
        for name, model in found.models.items()
    }
    return ModelRouter(served, found.default, entries, settings)


class ModelRouter:
    """The application in front of the middlewares of all upstreams.

    A request whose body has no model, or is no JSON, goes to the *default* upstream.
    """

    def __init__(
        self,
        served: Mapping[str, ServedUpstream],
        default: str,
        entries: Mapping[str, ModelEntry],
        settings: Settings,
    ) -> None:
        self._served = served
        self._default = served[default]
        self._names = ModelNames(entries)
        self._list = ModelList(self._names, settings.paths, settings.limits)
        self._limits: Limits = settings.limits

    @property
    def upstream_api(self) -> str:
        """Which API the upstreams implement, if it is the same for all; otherwise `both`."""
        found = {served.middleware.upstream_api for served in self._served.values()}
        return found.pop() if len(found) == 1 else "both"

    @property
    def believed(self) -> dict[str, Any]:
        """What was found out about each upstream."""
        return {name: served.middleware.believed for name, served in self._served.items()}

    @property
    def learned(self) -> list[dict[str, Any]]:
        """Which settings were changed because of refusals, by upstream."""
        return [
            {"upstream": name, **each} for name, served in self._served.items() for each in served.middleware.learned
        ]

    @property
    def opened(self) -> Opened | None:
        """What the store is, once it is open."""
        return self._default.middleware.opened

    @property
    def replicas(self) -> dict[str, list[Upstream]]:
        """The replicas of each upstream, by its name."""
        return {name: served.clients for name, served in self._served.items()}

    @property
    def replica_states(self) -> dict[str, dict[str, str]]:
        """The state of each replica, by upstream, of those that have several: nobody watches a single one."""
        found = {name: served.middleware.replicas for name, served in self._served.items()}
        return {name: replicas.states for name, replicas in found.items() if replicas is not None}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the store open while the context lasts; it is the same for all."""
        async with self._default.middleware.running():
            yield

    async def aclose(self) -> None:
        """Close all connections."""
        for clients in self.replicas.values():
            for client in clients:
                await client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        wanted = self._list.wanted(scope)
        if wanted is not None:
            access_log.mark(scope, "here")
            await self._list.serve(wanted, scope, send)
        elif not _may_name_model(scope):
            await self._default.middleware(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            message = await self._read(scope, receive)
            body = message[DECODED_BODY].body if DECODED_BODY in message else {}
            name, deployment = body.get("model"), _deployment(scope)
            served, scope = self._routed(deployment or name, body, scope)
        except Disconnected:
            return
        except Unreadable as unreadable:
            access_log.mark(scope, "here")
            await send_error(send, unreadable.error, connection_close(scope))
        except RequestError as error:
            access_log.mark(scope, "here")
            await send_error(send, error)
        else:
            route: ModelRoute | None = scope.get(MODEL_ROUTE)
            noting = send if route is None or served.middleware.replicas is None else _noting(route, send)
            await served.middleware(scope, beginning_with([message], receive), noting)

    async def _read(self, scope: Scope, receive: Receive) -> Message:
        with anyio.move_on_after(self._limits.request):
            return await read_ahead(scope, receive, self._limits)
        raise Unreadable(timeout_error(self._limits))

    def _routed(self, name: object, body: Mapping[str, Any], scope: Scope) -> tuple[ServedUpstream, Scope]:
        """Return the upstream of a request, and its scope there; raises RequestError for a model that is not served."""
        if name is None:
            return self._default, scope
        name = _checked(name)
        pattern = self._names.pattern_of(name)
        if pattern is None:
            raise unknown(name, self._names.entries)
        entry = self._names.entries[pattern]
        model = entry.model or name
        conversation, previous = _conversation(body, scope)
        route = ModelRoute(name, model, entry.upstream.name, entry.profile, conversation, previous)
        return entry.upstream, {**_renamed_deployment(scope, name, model), MODEL_ROUTE: route}


def _may_name_model(scope: Scope) -> bool:
    """Whether a request may have a JSON body; what should have one and says something else is refused later."""
    return scope["method"] in _METHODS and media_type.may_be_json(scope)


def _checked(name: object) -> str:
    """Return the name of a model if it can be one; raises RequestError."""
    if not isinstance(name, str):
        raise RequestError("Invalid type for 'model': expected a string.", "model", code="invalid_type")
    if len(name) > _LONGEST:
        raise RequestError(f"Invalid 'model': longer than {_LONGEST} characters.", "model")
    if not name.isprintable():
        raise RequestError("Invalid 'model': it has control characters.", "model")
    return name


def _noting(route: ModelRoute, send: Send) -> Send:
    """Return the `send` that notes that the client's answer has begun."""

    async def noting(message: Message) -> None:
        route.began = True
        await send(message)

    return noting


def _conversation(body: Mapping[str, Any], scope: Scope) -> tuple[bytes, str]:
    """Return what the requests of a conversation have in common, and the response that a request continues.

    That response is only asked for if there is nothing else: it is another one each time.
    """
    conversation = body.get("conversation")
    stable = (
        body.get("prompt_cache_key"),
        conversation.get("id") if isinstance(conversation, dict) else conversation,
        header(scope, b"session-id").decode("latin-1") or header(scope, b"session_id").decode("latin-1"),
    )
    for value in stable:
        if value and isinstance(value, str):
            return _digest(value), ""
    previous = body.get("previous_response_id")
    return (_digest(previous), previous) if previous and isinstance(previous, str) else (b"", "")


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _deployment(scope: Scope) -> str | None:
    """The model that the path names, as those of Azure do."""
    endpoint = endpoint_of_path(scope["path"])
    return None if endpoint is None else deployment_in(scope["path"], endpoint)


def _renamed_deployment(scope: Scope, name: str, model: str) -> Scope:
    """Return the scope with the model's name at the upstream, if the path names it."""
    place = f"/deployments/{name}/"
    if model == name or "/" in model or place not in scope["path"]:
        return scope
    path = scope["path"].replace(place, f"/deployments/{model}/", 1)
    return {**scope, "path": path, "raw_path": quote(path).encode()}
