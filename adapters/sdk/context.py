"""What all calls of one transport share: its settings, and what refusals have taught."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock

from ...translator import Adaptation, Profile, ProfilePatch, preset
from ..asgi.types import Scope
from ..limits import Limits
from ..middleware.record import Record
from ..middleware.routes import ENDPOINTS, EXCHANGES, Api, endpoint_of_path

_log = logging.getLogger("diglot")


class TransportContext:
    """The settings of a transport, checked; its methods may be called from several threads."""

    def __init__(
        self, upstream_api: Api, profile: Profile | str, strict: bool, on_exchange: Callable[[Record], object] | None
    ) -> None:
        if upstream_api not in ENDPOINTS:
            raise ValueError(f"upstream_api must be one of {', '.join(ENDPOINTS)}; not {upstream_api!r}")
        self.upstream_api: Api = upstream_api
        self.strict: bool = strict
        self.limits: Limits = Limits()
        self._profile = preset(profile) if isinstance(profile, str) else profile
        self._on_exchange = on_exchange
        self._adaptation = Adaptation()
        self._lock = Lock()

    def endpoint_of(self, scope: Scope) -> str | None:
        """Return the endpoint of a request that is to be translated, or None. Its path may have any base."""
        endpoint = endpoint_of_path(scope["path"]) if scope["method"] == "POST" else None
        return endpoint if endpoint and EXCHANGES[endpoint].endpoint == ENDPOINTS[self.upstream_api] else None

    def profile_for(self, scope: Scope, model: object) -> Profile:
        """Return the profile with what was learned from refusals of *model* at the URL of a request."""
        with self._lock:
            return self._adaptation.profile_for(_place(scope), model, self._profile)

    def learn(self, scope: Scope, model: object, patch: ProfilePatch) -> None:
        """Keep what was learned, for later requests."""
        with self._lock:
            new = self._adaptation.add(_place(scope), model, self._profile, patch) if patch else {}
        if new:
            changed = ", ".join(sorted(new))
            _log.warning("The upstream refused a request; settings changed for this model from now on: %s", changed)

    @property
    def records(self) -> bool:
        """Whether anybody wants records."""
        return self._on_exchange is not None

    def leave_record(self, record: Record) -> None:
        """Call `on_exchange`, whatever it raises."""
        assert self._on_exchange is not None
        try:
            self._on_exchange(record)
        except Exception:
            _log.exception("on_exchange raised")


def _place(scope: Scope) -> str:
    scheme, (host, port) = scope["scheme"], scope["server"]
    return f"{scheme}://{host}:{port}{scope['path']}"
