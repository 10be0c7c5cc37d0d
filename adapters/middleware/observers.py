"""Those who watch an exchange, through the ASGI scope. Without any, this costs a look-up."""

from __future__ import annotations

from typing import Any, Protocol

from ..asgi.types import App, Scope
from .record import Record

_KEY = "diglot.observers"


class Observer(Protocol):
    """Watches one exchange. Nothing here may raise or wait."""

    def around(self, app: App) -> App:
        """Return *app* as it is called for one attempt at the upstream."""
        ...

    def handled(self, how: str) -> None:
        """Note how the request is handled: translated, passed through, or answered here."""
        ...

    def finished(self, record: Record) -> None:
        """Take the record of the translated exchange, which is over."""
        ...


def with_observer(scope: Scope, observer: Observer) -> Scope:
    """Return *scope* with one observer more."""
    return {**scope, _KEY: (*observers(scope), observer)}


def observers(scope: Scope) -> tuple[Observer, ...]:
    """Return those that watch the exchange of a scope."""
    found: Any = scope.get(_KEY, ())
    return found


def observed(app: App, scope: Scope) -> App:
    """Return *app*, the upstream's, as those see it that watch the exchange."""
    for observer in observers(scope):
        app = observer.around(app)
    return app
