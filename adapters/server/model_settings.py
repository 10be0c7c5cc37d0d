"""The settings of several models and upstreams: the tables `[upstreams.NAME]` and `[models]` of a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from ..asgi import origins
from ..upstream import url as upstream_url
from .model_names import ANY
from .model_names import problem as name_problem
from .setting_values import ConfigError, suggestion

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
SINGLE = "default"
"""How the upstream of `--upstream` is called."""
_NO_MODELS = "there are several upstreams: say in [models] which model goes to which"
_SHORT_FORM = "is the short form for a single upstream: write the names into [models]"


class UpstreamSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[upstreams.NAME]`."""

    url: tuple[str, ...] = ()
    """Base URL of its API, or a list of them: replicas with the same models and API, to which requests go in turn."""
    api: Literal["chat", "responses", "auto"] | None = None
    """The API that it implements; by default `upstream_api`."""
    profile: str | None = None
    """Its profile; by default `profile`."""
    key_env: str | None = None
    """The variable with the API key that replaces those of the clients; without it, theirs go through."""
    set: dict[str, Any] = msgspec.field(default_factory=dict)
    """Changes to its profile."""


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `[models]`, whose key is the name that clients use, or a pattern with one `*`."""

    upstream: str | None = None
    """The upstream that serves it; by default the only one."""
    model: str | None = None
    """Its name there; by default the same."""
    set: dict[str, Any] = msgspec.field(default_factory=dict)
    """Changes to the profile for this model."""


def check_no_tables(values: Mapping[str, Any], label: Callable[[str], str]) -> None:
    """Refuse tables where a URL and a list belong, without showing them: URLs may hold a password. Raises ConfigError.

    *label* says where a setting was set.
    """
    upstream, pairs = values.get("upstream"), values.get("model_map")
    if isinstance(upstream, Mapping):
        name = next((name for name, value in upstream.items() if isinstance(value, Mapping)), "NAME")
        raise ConfigError(f"{label('upstream')}: a table is not a URL; did you mean [upstreams.{name}]?")
    if isinstance(pairs, Mapping):
        raise ConfigError(f'{label("model_map")}: a table is not a list: write a list such as ["OLD=NEW"]')


def check_upstreams(found: Mapping[str, UpstreamSettings], environment: Mapping[str, str], label: str) -> None:
    """Check each upstream by itself; raises ConfigError."""
    for name, upstream in found.items():
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{label}: {name!r} is not a name of letters, digits, `-`, `_` and `.`")
        for why in _problems(upstream, environment):
            raise ConfigError(f"{label}.{name}.{why}")


def _problems(upstream: UpstreamSettings, environment: Mapping[str, str]) -> Iterator[str]:
    if not upstream.url:
        yield "url: no URL is set"
    for url in upstream.url:
        if problem := upstream_url.problem(url):
            yield f"url: {problem}"
    plain = [url.rstrip("/") for url in upstream.url]
    if len(set(plain)) < len(plain):
        yield "url: the same one is named twice"
    if upstream.key_env is not None and not environment.get(upstream.key_env):
        yield f"key_env: the variable {upstream.key_env} is {'empty' if upstream.key_env in environment else 'not set'}"


def check_models(found: Mapping[str, ModelSettings], label: str) -> None:
    """Check each model by itself; raises ConfigError."""
    for name, model in found.items():
        if problem := name_problem(name):
            raise ConfigError(f"{label}: {name!r} {problem}")
        if model.model is not None and (ANY in model.model or name_problem(model.model)):
            raise ConfigError(f"{label}.{name}.model: {model.model!r} is not the name of a model")


def check_map(found: tuple[str, ...], label: str) -> None:
    """Check the pairs of the short form; raises ConfigError."""
    models = [_pair(pair, label) for pair in found]
    for old, _ in models:
        if [name for name, _ in models].count(old) > 1:
            raise ConfigError(f"{label}: {old!r} is named twice")
    check_models({old: ModelSettings(model=new) for old, new in models}, label)


def _pair(text: str, label: str) -> tuple[str, str]:
    old, equals, new = (part.strip() for part in text.partition("="))
    if not (old and equals and new):
        raise ConfigError(f"{label}: {text!r} is not OLD=NEW")
    return old, new


class Tables(msgspec.Struct, frozen=True):
    """Which upstreams there are, and which model goes to which."""

    upstreams: Mapping[str, UpstreamSettings]
    models: Mapping[str, ModelSettings]
    """Each with its upstream."""

    @property
    def default(self) -> str:
        """The upstream of requests that name no model."""
        upstream = self.models[ANY].upstream if ANY in self.models else None
        return upstream or next(iter(self.upstreams))


def tables(settings: Any, label: Callable[[str], str] = str) -> Tables | None:
    """Return the tables of the `Settings`; None for a single upstream without any. Raises ConfigError.

    *label* says where a setting was set.
    """
    upstreams, models = settings.upstreams, dict(settings.models)
    if not (upstreams or models or settings.model_map):
        return None
    if upstreams and (settings.upstream or settings.demo):
        other = "upstream" if settings.upstream else "demo"
        raise ConfigError(f"{label('upstreams')} and {label(other)} exclude each other: use only one of them")
    if not upstreams:
        if not settings.upstream:
            raise ConfigError(f"{label('models' if models else 'model_map')}: no upstream is set")
        upstreams = {SINGLE: UpstreamSettings(url=(settings.upstream,))}
    if settings.model_map and (models or len(upstreams) > 1):
        raise ConfigError(f"{label('model_map')} {_SHORT_FORM}")
    if settings.model_map:
        models = {old: ModelSettings(model=new) for old, new in map(_split, settings.model_map)}
        models.setdefault(ANY, ModelSettings())
    if not models:
        if len(upstreams) > 1:
            raise ConfigError(f"{label('upstreams')}: {_NO_MODELS}")
        models = {ANY: ModelSettings()}
    for name, upstream in upstreams.items():
        _expect_no_loop(settings, upstream, f"{label('upstreams')}.{name}")
    return Tables(upstreams, {name: _with_upstream(name, model, upstreams, label) for name, model in models.items()})


def upstreams_of(settings: Any) -> Mapping[str, UpstreamSettings]:
    """Return all upstreams by name, a single one too; none for a demo. Raises ConfigError."""
    if (found := tables(settings)) is not None:
        return found.upstreams
    return {SINGLE: UpstreamSettings(url=(settings.upstream,))} if settings.upstream else {}


def api_of(settings: Any) -> str:
    """Return which API the upstreams have; `auto` if not all have the same."""
    found = tables(settings)
    apis = {upstream.api or settings.upstream_api for upstream in found.upstreams.values()} if found else set[str]()
    return settings.upstream_api if not apis else apis.pop() if len(apis) == 1 else "auto"


def _split(pair: str) -> tuple[str, str]:
    return _pair(pair, "")


def _with_upstream(
    name: str, model: ModelSettings, upstreams: Mapping[str, UpstreamSettings], label: Callable[[str], str]
) -> ModelSettings:
    place = f"{label('models')}.{name}.upstream"
    if model.upstream is None:
        if len(upstreams) > 1:
            raise ConfigError(f"{place}: not set, and there are several: {', '.join(upstreams)}")
        return msgspec.structs.replace(model, upstream=next(iter(upstreams)))
    if model.upstream not in upstreams:
        raise ConfigError(f"{place}: there is no upstream {model.upstream!r}{suggestion(model.upstream, upstreams)}")
    return model


def _expect_no_loop(settings: Any, upstream: UpstreamSettings, place: str) -> None:
    """Refuse a URL of this very server; what listens on all addresses is also this machine."""
    for url in upstream.url:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
        if port == settings.port and (host == settings.host or origins.is_loopback(host)):
            raise ConfigError(f"{place}.url: {host} port {port} is this server itself")
