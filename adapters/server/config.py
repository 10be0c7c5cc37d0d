"""The settings of the server: flags override the environment, which overrides the file; checked once, then frozen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from ...translator import PRESETS, Profile, preset
from ..asgi import origins
from ..asgi.origins import ANY
from ..limits import Limits, Seconds
from ..upstream import url as upstream_url
from . import keys
from .model_settings import (
    ModelSettings,
    Tables,
    UpstreamSettings,
    check_map,
    check_models,
    check_no_tables,
    check_upstreams,
    tables,
)
from .setting_sources import FILE, sources
from .setting_values import ConfigError as ConfigError
from .setting_values import convert_values, suggestion

METRICS_PATH = "/metrics"
"""Where the metrics are on the port of the server."""
_TENANT = re.compile(r"credential|none|header:[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PATH = re.compile(r"/[!-~]*")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of `diglot serve`."""

    upstream: str | None = None
    """Base URL of the upstream's API, for example http://127.0.0.1:8000/v1."""
    demo: bool = False
    """Run without an upstream: a script answers."""
    upstream_api: Literal["chat", "responses", "auto"] = "chat"
    """The API that the upstream implements; diglot adds the other one. `auto` finds out."""
    profile: str = "default"
    """The profile of the upstream; `diglot profiles` lists them."""
    set: dict[str, Any] = msgspec.field(default_factory=dict)
    """Changes to the profile, by setting; `diglot profiles NAME` lists them."""
    upstreams: dict[str, UpstreamSettings] = msgspec.field(default_factory=dict)
    """Several upstreams by name, instead of `upstream`; listed below."""
    models: dict[str, ModelSettings] = msgspec.field(default_factory=dict)
    """Which model goes to which upstream, by name or pattern (`gpt-5*`), the longest first; listed below."""
    model_map: tuple[str, ...] = ()
    """Names of models that are others at the single upstream, as OLD=NEW: the short form of `models`."""
    strict: bool = False
    """Refuse requests that would lose something."""
    paths: tuple[str, ...] = ()
    """More paths below which to serve the endpoints, for example /ai; always served: /v1, /openai and the root."""
    host: Annotated[str, msgspec.Meta(min_length=1)] = "127.0.0.1"  # an empty one would listen on all addresses
    """The address to listen on."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    """The port to listen on; 0 picks a free one."""
    allow_host: tuple[str, ...] = ()
    """Host names that clients may use, besides localhost, 127.0.0.1 and [::1]; `*` allows any."""
    allow_origin: tuple[str, ...] = ()
    """Origins of web pages that may call the server (CORS), for example https://app.example; `*` allows all."""
    api_keys: str | None = None
    """A file with the keys that clients must show; `diglot keys` makes it. Without keys, those of the clients go to the
    upstream unchecked."""
    api_key: str | None = None
    """A single key that clients must show."""
    open: bool = False
    """Serve everyone who can reach the server, even if it has a key of its own for the upstream."""
    workers: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Number of worker processes."""
    store: str | None = None
    """Where responses and conversations are kept: `memory`, `sqlite:///FILE`, `postgresql://...`, `redis://...`, or
    `none`; by default a file in the user's state directory."""
    tenant: str = "credential"
    """Who shares what is stored: whoever has the same API key (`credential`), those for whom a gateway sets the same
    header (`header:NAME`), or all (`none`)."""
    keep_days: Annotated[float, msgspec.Meta(gt=0)] = 30
    """Days that responses are kept after the last turn of their chain."""
    seal_keys: tuple[str, ...] = ()
    """Keys that seal what clients keep for the server, such as reasoning, each 32 random bytes in hex or base64: the
    first seals, all open; by default the store has one."""
    inspect: bool = False
    """Show the last exchanges, as the clients and the upstream sent them, on a page with a secret link."""
    inspect_anywhere: bool = False
    """Allow that on an address that other machines can reach."""
    inspect_path: str = "/_diglot"
    """Where the page is."""
    metrics: bool | Annotated[int, msgspec.Meta(ge=1, le=65535)] = False
    """Metrics for Prometheus: `true` serves them at /metrics, a number on a port of their own, which needs no key."""
    metrics_by_key: bool = False
    """Tell requests and tokens by the names of the clients' keys, too."""
    otel: bool = False
    """Traces and metrics over OTLP/HTTP, set up by OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT, ...)."""
    limits: Limits = msgspec.field(default_factory=Limits)
    """Limits in bytes and seconds, by name; listed below."""
    graceful: Seconds = 10
    """Seconds that running answers may take after SIGTERM or Ctrl-C; then they end as failed."""
    drain_delay: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Seconds after SIGTERM in which new requests are still served, because load balancers are slow; by default 5, and
    0 where only this machine can reach the server."""
    ready_path: str = "/v1/models"
    """What `/readyz` reads to see whether the upstream can be reached: below its base URL if it begins with /v1/,
    otherwise beside it. It must cost nothing."""
    log_format: Literal["json", "text"] | None = None
    """Format of the log; by default text on a terminal and JSON elsewhere."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The lowest level that is logged; requests are logged as `info`."""
    quiet: bool = False
    """No start-up banner, and nothing below `warning` in the log."""

    def as_profile(self) -> Profile:
        """Return the profile with the changes of `set` applied."""
        return profile_of(self.profile, self.set)


def profile_of(name: str, changes: Mapping[str, Any]) -> Profile:
    """Return a preset with some settings changed; raises ConfigError."""
    if name not in PRESETS:
        raise ConfigError(f"profile: unknown profile {name!r}{suggestion(name, PRESETS)}")
    changed = convert_values(changes, Profile, lambda field: f"set: {field}")
    return msgspec.structs.replace(preset(name), **changed)


def load(flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None) -> Settings:
    """Return the settings; a flag that is None was not set. Tables are merged. Raises ConfigError."""
    file = file or (Path(environment[FILE]) if environment.get(FILE) else None)
    values: dict[str, Any] = {}
    labels: dict[str, str] = {}
    for source in sources(flags, environment, file, Settings.__struct_fields__):
        check_no_tables(source.values, source.label)
        found = convert_values(source.values, Settings, source.label)
        _check_names(found, source.label, environment)
        for name, value in found.items():
            values[name] = _merge(values.get(name), value, source.values[name])
            labels[name] = source.label(name)
    settings = Settings(**values)
    settings.as_profile()
    _check_profiles(settings, labels)
    return settings


def _check_profiles(settings: Settings, labels: Mapping[str, str]) -> None:
    """Check what depends on several settings: which upstreams there are, and the profile of each model."""
    found = tables(settings, lambda name: labels.get(name, name))
    if found is None:
        return
    made = [("upstreams", name, profile_of_upstream) for name in found.upstreams]
    for table, name, make in [*made, *(("models", name, profile_of_model) for name in found.models)]:
        try:
            make(settings, found, name)
        except ConfigError as error:
            raise ConfigError(f"{labels.get(table, table)}.{name}: {error}") from None


def profile_of_upstream(settings: Settings, found: Tables, name: str, **changes: Any) -> Profile:
    """Return the profile of an upstream, with *changes*; raises ConfigError."""
    upstream = found.upstreams[name]
    return profile_of(upstream.profile or settings.profile, {**settings.set, **upstream.set, **changes})


def profile_of_model(settings: Settings, found: Tables, name: str) -> Profile:
    """Return the profile of an upstream for one model of the table; raises ConfigError."""
    model = found.models[name]
    return profile_of_upstream(settings, found, model.upstream or "", **model.set)


def require_upstream(settings: Settings) -> None:
    """Raise ConfigError unless there is either an upstream or the demo."""
    if tables(settings) is not None:
        return
    if settings.upstream and settings.demo:
        raise ConfigError("--upstream and --demo exclude each other: use only one of them")
    if not settings.upstream and not settings.demo:
        empty = "upstream is empty" if settings.upstream == "" else "no upstream is set"
        raise ConfigError(f"{empty}: use --upstream URL or DIGLOT_UPSTREAM, or --demo to have a script answer")


def _check_names(found: Mapping[str, Any], label: Callable[[str], str], environment: Mapping[str, str]) -> None:
    """Check what has a syntax of its own: URLs, host names, origins."""
    check_upstreams(found.get("upstreams", {}), environment, label("upstreams"))
    check_models(found.get("models", {}), label("models"))
    check_map(found.get("model_map", ()), label("model_map"))
    url = found.get("upstream")
    if url and (problem := upstream_url.problem(url)):
        raise ConfigError(f"{label('upstream')}: {problem}")
    for name in found.get("allow_host", ()):
        if name != ANY and origins.host(name) is None:
            raise ConfigError(f"{label('allow_host')}: {name!r} is not a host name, such as box.local")
    for name in found.get("allow_origin", ()):
        if name != ANY and origins.origin(name) is None:
            raise ConfigError(f"{label('allow_origin')}: {name!r} is not an origin, such as https://app.example")
    if (single := found.get("api_key")) is not None and (fault := keys.problem(single)):
        raise ConfigError(f"{label('api_key')}: {fault}")
    if (path := found.get("ready_path")) is not None and not _PATH.fullmatch(path):
        raise ConfigError(f"{label('ready_path')}: {path!r} is not a path, such as /health")
    if (rule := found.get("tenant")) and not _TENANT.fullmatch(rule):
        raise ConfigError(f"{label('tenant')}: {rule!r} is not one of credential, none, header:NAME")


def _merge(before: Any, value: Any, values: Any) -> Any:
    """Merge tables that are set in several places; otherwise the later source wins."""
    if before is None:
        return value
    if isinstance(value, dict):
        return {**before, **value}
    if isinstance(value, Limits):
        return msgspec.structs.replace(before, **{name: getattr(value, name) for name in values})
    return value
