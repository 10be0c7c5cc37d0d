"""The inspector of the server: whether it may run, its link, and what it shows. Imported only when it is on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..asgi import origins
from ..asgi.origins import ANY
from ..asgi.types import App
from . import banner
from .authentication import PROBES
from .config import METRICS_PATH, ConfigError, Settings

if TYPE_CHECKING:
    from ..inspector import Inspector
    from ..observe.ring import Ring

_TOKEN = "_DIGLOT_INSPECT_TOKEN"  # passes the token to the worker processes


def check(settings: Settings) -> None:
    """Raise ConfigError unless the inspector may run: it shows what users write."""
    if settings.inspect and not settings.inspect_anywhere and not origins.is_loopback(settings.host):
        raise ConfigError(
            f"--inspect shows all that users write, so it needs a loopback --host such as 127.0.0.1, not "
            f"{settings.host!r}; --inspect-anywhere insists"
        )
    if settings.inspect and settings.inspect_path.rstrip("/") in (METRICS_PATH, *PROBES):
        raise ConfigError(f"--inspect-path: the server itself answers {settings.inspect_path}")


def inspected(app: App, settings: Settings, token: str | None, ring: Ring | None = None) -> Inspector:
    """Return *app* behind its inspector, which prints a link unless there is a *token* already; raises ValueError.

    What is in *ring* it shows, too: exchanges from before the settings were read again.
    """
    from ..inspector import Inspector

    check(settings)
    return Inspector(
        app,
        settings.inspect_path,
        hosts=[settings.host, *(name for name in settings.allow_host if name != ANY)],
        anywhere=settings.inspect_anywhere,
        token=token,
        ring=ring,
        profile=settings.as_profile(),
        upstream="" if settings.demo else banner.answered_by(settings),
        workers=settings.workers,
    )


def prepared(settings: Settings) -> str | None:
    """Return a token for all worker processes, and leave it where they find it; None without an inspector."""
    if not settings.inspect:
        return None
    from ..inspector.gate import new_token

    os.environ[_TOKEN] = token = new_token()
    return token


def ring_of_process(settings: Settings) -> Ring | None:
    """Return where the process keeps its exchanges for all its applications; None without an inspector."""
    if not settings.inspect:
        return None
    from ..observe.ring import Ring

    return Ring()


def token_from_environment() -> str | None:
    """Return the token that the parent process has left, if there is one."""
    return os.environ.get(_TOKEN)


def notice(settings: Settings, token: str) -> str:
    """Return what is printed once: the only way in."""
    from ..inspector.app import link

    page = banner.url(settings) + settings.inspect_path.rstrip("/")
    lines = [f"Inspector, which shows all that users write: {link(page, token)}"]
    if settings.inspect_anywhere and not origins.is_loopback(settings.host):
        lines.append("  !! Whoever has this link can read all of it, from anywhere.")
    if settings.workers > 1:
        lines.append(f"  Each of the {settings.workers} workers shows what it served itself.")
    return "\n".join(lines)
