"""The inspector: a page that shows both wires of the last exchanges, live."""

from ..missing import with_install_hint

try:
    from .app import Inspector
except ModuleNotFoundError as _error:
    raise with_install_hint(_error, "diglot.adapters.inspector", "server") from None

__all__ = ["Inspector"]
