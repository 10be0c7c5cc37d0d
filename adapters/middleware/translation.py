"""How one request is translated: with what profile, behind what history, without what did not fit."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from ...translator import PLAIN, Exchange, Profile, RequestError, Seals, Summary, TranslationError
from ..asgi.types import MODEL_ROUTE, Scope
from ..error_log import log_without_message
from ..ids import new_id
from ..stateful.turn import Turn
from . import deployments
from .request_bodies import RequestBodies
from .routes import EXCHANGES

if TYPE_CHECKING:
    from .model_route import ModelRoute

_log = logging.getLogger("diglot")


class Translation:
    """The request at one *endpoint*, whose ``bodies`` are filled by whoever reads it."""

    def __init__(self, scope: Scope, endpoint: str) -> None:
        self.bodies: RequestBodies = RequestBodies()
        self.exchange: Exchange | None = None
        """The last one that was made."""
        self.profile: Profile | None = None
        self.turn: Turn | None = None
        """What comes before and after it, with a store."""
        self.seals: Seals = PLAIN
        self._summary: Summary | None = None
        self.is_summarized: bool = False
        """Whether a summary was asked for."""
        self._left_out: frozenset[int] = frozenset()
        self._path = scope["path"]
        self._route: ModelRoute | None = scope.get(MODEL_ROUTE)
        self._endpoint = endpoint

    def leave_out(self, places: frozenset[int]) -> None:
        """Leave these input items out from now on, if there are any."""
        self._left_out = places or self._left_out

    async def make(self, profile: Profile, strict: bool) -> Exchange:
        """Translate the request with *profile*; in a thread if it is large. Raises TranslationError."""
        if self.is_large:
            return await anyio.to_thread.run_sync(self.make_at_once, profile, strict)
        return self.make_at_once(profile, strict)

    @property
    def is_large(self) -> bool:
        """Whether translating takes so long that it belongs in a thread."""
        return self.bodies.received.is_large or (self.turn is not None and self.turn.is_large)

    def make_at_once(self, profile: Profile, strict: bool) -> Exchange:
        """Translate the request with *profile*, however large it is; raises TranslationError."""
        self.profile = profile
        turn, bodies, model = self.turn, self.bodies, self._named_elsewhere(profile)
        serve = partial(
            EXCHANGES[self._endpoint], profile=profile, strict=strict, new_id=new_id, clock=time.time, **self._options()
        )
        try:
            self.exchange, request = bodies.received.translate(serve if model is None else _for_model(model, serve))
        except RecursionError:
            raise RequestError("The request is nested too deeply.") from None
        except TranslationError:
            raise
        except Exception as error:  # a bug of ours: the client gets an answer all the same
            log_without_message(_log, "The translation", error)
            raise TranslationError("The request could not be translated.") from None
        bodies.send(request)
        if turn is not None:
            turn.translated(self.exchange)
        return self.exchange

    def summary_request(self) -> dict[str, Any] | None:
        """Return the request for a summary that must come first, if that was not tried yet."""
        if self.exchange is None or self.is_summarized:
            return None
        return self.exchange.summary_request(_unknown if self.turn is None else self.turn.usage_before)

    async def behind(self, summary: Summary | None, profile: Profile, strict: bool) -> Exchange:
        """Translate the request behind a *summary* of its history; without one, the history stays."""
        if self.is_large:
            return await anyio.to_thread.run_sync(self.behind_at_once, summary, profile, strict)
        return self.behind_at_once(summary, profile, strict)

    def behind_at_once(self, summary: Summary | None, profile: Profile, strict: bool) -> Exchange:
        """Do the same, however large the request is."""
        self.is_summarized, self._summary = True, summary
        try:
            exchange = self.make_at_once(profile, strict)
        except TranslationError:
            self._summary = None
            exchange = self.make_at_once(profile, strict)
        if self._summary is None:
            exchange.report.dropped("context_management", "the upstream wrote no summary")
        return exchange

    def _options(self) -> dict[str, Any]:
        """What the exchange is made with, besides what every one is."""
        options = {"seals": self.seals} if self.turn is None else self.turn.options
        if self._left_out:
            options = {**options, "left_out": self._left_out}
        if self._summary is not None:
            options = {**options, "summary": self._summary}
        if (route := self._route) is not None:
            seals = options["seals"].for_upstream(route.upstream)
            options = {**options, "seals": seals, "answer_model": route.asked}
        return options

    def _named_elsewhere(self, profile: Profile) -> str | None:
        """The model that counts, if it is not the one in the body: of several, or in a path that names it."""
        if self._route is not None:
            return self._route.model
        return deployments.deployment_in(self._path, self._endpoint) if profile.deployments else None


def _unknown() -> None:
    """The usage of what a request continues, where it continues nothing."""


def _for_model(model: str, serve: Callable[[Any], Exchange]) -> Callable[[Any], Exchange]:
    """*serve* with this model put into the body."""
    return lambda body: serve({**body, "model": model} if isinstance(body, dict) else body)
