"""What `diglot serve` prints when it starts: what it serves, which upstream answers, and how to set up clients."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from ...translator import public_url
from ..asgi import origins
from . import client_settings
from .authentication import adds_credentials, has_credential
from .config import METRICS_PATH, Settings
from .model_settings import api_of, upstreams_of
from .store import Choice

_ALL_ADDRESSES = ("0.0.0.0", "::", "")
_DEMO_WARNING = """
  !! This is the demo: a script answers. There is NO MODEL behind this server.
  !! With a real upstream: diglot serve --upstream http://127.0.0.1:8000"""
_OPEN_WARNING = """
  !! Open to everyone who can reach {place}: diglot itself does not check keys."""
_LENT_WARNING = "  !! They all use this server's own key of the upstream."
_LENT = "Any key will do, such as `none`: this server has its own for the upstream."
_PARTLY_LENT = "The key goes unchanged to {names}; for everything else this server has its own."
_AND = ";\n            "  # below the first one
_TRANSLATED, _PASSED = "translated", "passed through unchanged"
_TREATMENT: dict[str, tuple[str, str]] = {
    "chat": (_TRANSLATED, _PASSED),
    "responses": (_PASSED, _TRANSLATED),
    "auto": ("translated if the upstream lacks it", "translated if the upstream lacks it"),
}


def routes(upstream_api: str) -> list[tuple[str, str]]:
    """Return what is served, each with whether it is translated."""
    responses, chat = _TREATMENT[upstream_api]
    return [("POST /v1/responses", responses), ("POST /v1/chat/completions", chat), ("everything else", _PASSED)]


def answered_by(settings: Settings) -> str:
    """Return what answers: the URL of the upstream without its secrets, or the demo."""
    if settings.upstreams:
        return "; ".join(f"{name} ({', '.join(each['url'])})" for name, each in upstreams(settings).items())
    return public_url(settings.upstream) if settings.upstream else "a script (--demo)"


def upstreams(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return what each of `[upstreams]` is: its URLs without their secrets, its profile and its API."""
    return {
        name: {
            "url": [*map(public_url, each.url)],
            "profile": each.profile or settings.profile,
            "upstream_api": each.api or settings.upstream_api,
        }
        for name, each in settings.upstreams.items()
    }


def answering(settings: Settings) -> list[str]:
    """Return what answers, each with its profile, and with its API if not all have the same."""
    found = upstreams(settings)
    if not found:
        return [f"{answered_by(settings)}, profile {settings.profile}"]
    is_same = len({each["upstream_api"] for each in found.values()}) == 1
    return [
        f"{name} ({', '.join(each['url'])}), profile {each['profile']}"
        + ("" if is_same else f", API {each['upstream_api']}")
        for name, each in found.items()
    ]


def url(settings: Settings) -> str:
    """Return the URL at which this machine reaches the server."""
    return _url(settings, settings.port)


def _url(settings: Settings, port: int) -> str:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(settings.host, settings.host)
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}"


def metrics(settings: Settings) -> str:
    """Return where the metrics are; "" if there are none."""
    if isinstance(settings.metrics, bool):
        return f"Metrics: {url(settings)}{METRICS_PATH}" if settings.metrics else ""
    return f"Metrics: {_url(settings, settings.metrics)}{METRICS_PATH} (no key)"


def stored(choice: Choice) -> str:
    """Return where responses are stored, for how long, and how to turn that off; "" without a store."""
    if choice.opened is None:
        return ""
    off = "; to turn it off: --store none" if choice.is_default else ""
    return f"Stored for {choice.settings.keep_days:g} days in {choice.opened.name}{off}"


def welcome(choice: Choice) -> str:
    """Return the banner of a server that is about to start."""
    settings = choice.settings
    here = url(settings)
    lines = [
        f"diglot {metadata.version('diglot')} serves OpenAI's Responses and Chat Completions APIs at {here}/v1,",
        f"answered by {_AND.join(answering(settings))}.",
        *(f"  {path:<26} {how}" for path, how in routes(api_of(settings))),
        *filter(None, [stored(choice), metrics(settings)]),
    ]
    if settings.demo:
        lines.append(_DEMO_WARNING)
    if not (_has_keys(settings) or origins.is_loopback(settings.host)):
        place = "this machine" if settings.host in _ALL_ADDRESSES else settings.host
        lines.append(_OPEN_WARNING.format(place=f"port {settings.port} of {place}"))
        lines += [_LENT_WARNING] if adds_credentials(settings) else []
    return "\n".join([*lines, "", *(f"  {line}" for line in clients(settings)), ""])


def clients(settings: Settings) -> list[str]:
    """Return how to point clients at the server, and what becomes of their keys."""
    notices = [_key_notice(settings)] if adds_credentials(settings) else []
    return client_settings.client_settings(url(settings), _has_keys(settings), *notices)


def _has_keys(settings: Settings) -> bool:
    return settings.api_keys is not None or settings.api_key is not None


def _key_notice(settings: Settings) -> str:
    """Return what becomes of clients' keys where the server has one for an upstream, but not for its clients."""
    without = [name for name, upstream in upstreams_of(settings).items() if not has_credential(upstream)]
    return _PARTLY_LENT.format(names=", ".join(without)) if without else _LENT
