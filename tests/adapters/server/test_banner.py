"""What is said when the server starts."""

from typing import Any

import msgspec
import pytest

from diglot.adapters.server.banner import answered_by, routes, stored, url, welcome
from diglot.adapters.server.config import Settings
from diglot.adapters.server.model_settings import ModelSettings, UpstreamSettings
from diglot.adapters.server.store import Choice
from diglot.adapters.store import Opened

UP = "http://me:k3y@up:1/v1?token=k3y"


@pytest.mark.parametrize("api", ["chat", "responses", "auto"])
def test_both_apis(api: Any) -> None:
    """Both are named, each with what becomes of it; the upstream too, without what may be private in its URL."""
    words = welcome(Choice(Settings(upstream=UP, upstream_api=api, profile="vllm")))
    assert "Responses and Chat Completions APIs at http://127.0.0.1:8080/v1" in words
    assert "APIs at http://127.0.0.1:8080/v1,\nanswered by http://up:1/v1, profile vllm.\n" in words
    assert "POST /v1/responses " in words
    assert "POST /v1/chat/completions " in words
    assert "k3y" not in words


def test_routes() -> None:
    """What the upstream has goes through, the other one is translated."""
    assert dict(routes("chat"))["POST /v1/responses"] == "translated"
    assert dict(routes("responses"))["POST /v1/chat/completions"] == "translated"
    assert "lacks" in dict(routes("auto"))["POST /v1/responses"]


@pytest.mark.parametrize(
    ("host", "place"),
    [("0.0.0.0", "port 8080 of this machine"), ("::", "of this machine"), ("192.0.2.1", "port 8080 of 192.0.2.1")],
)
def test_open_to_others(host: str, place: str) -> None:
    """Whoever reaches the port uses the upstream: that is said."""
    words = welcome(Choice(Settings(upstream=UP, host=host)))
    assert "!! Open to everyone" in words
    assert place in words


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_open_to_nobody_else(host: str) -> None:
    """On this machine alone there is nothing to warn of."""
    assert "!!" not in welcome(Choice(Settings(upstream=UP, host=host)))


@pytest.mark.parametrize("keys", [{"api_keys": "/keys"}, {"api_key": "k3y"}])
def test_open_to_those_with_keys(keys: dict[str, str]) -> None:
    """Where keys are checked there is nothing to warn of, either; the key is not shown."""
    words = welcome(Choice(Settings(upstream=UP, host="0.0.0.0", **keys)))  # pyright: ignore[reportArgumentType]
    assert "!!" not in words
    assert "goes no further" in words
    assert "k3y" not in words


SEVERAL = {
    "a": UpstreamSettings(url=("http://a",)),
    "b": UpstreamSettings(url=("http://b",), key_env="B"),
    "c": UpstreamSettings(url=("http://me:k3y@c",)),
}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("a", "The key goes to the upstream unchanged."),
        ("bc", "Any key will do, such as `none`: this server has its own"),
        ("abc", "The key goes unchanged to a; for everything else this server has its own."),
    ],
)
def test_whose_key(names: str, words: str) -> None:
    """Clients are told what becomes of theirs; a warning says that the server lends its own."""
    models = {"*": ModelSettings(upstream=names[0])}
    settings = Settings(upstreams={name: SEVERAL[name] for name in names}, models=models, open=True, host="0.0.0.0")
    shown = welcome(Choice(settings))
    assert words in shown
    assert ("own key of the upstream" in shown) == (names != "a")
    with_keys = welcome(Choice(msgspec.structs.replace(settings, api_key="x3y")))
    assert "goes no further" in with_keys
    assert not any(text in with_keys for text in (words, "!!", "k3y", "x3y"))


TWO = {
    "qwen": UpstreamSettings(url=("http://me:k3y@a", "http://b"), profile="vllm"),
    "c": UpstreamSettings(url=("http://c",)),
}
TO_C = {"*": ModelSettings(upstream="c")}


def test_each_upstream() -> None:
    """Each has its URLs and its profile, and its API if another one has not the same."""
    words = welcome(Choice(Settings(upstreams=TWO, models=TO_C)))
    qwen = "answered by qwen (http://a, http://b), profile vllm"
    assert f"{qwen};\n            c (http://c), profile default.\n" in words
    assert "k3y" not in words
    assert answered_by(Settings(upstreams=TWO, models=TO_C)) == "qwen (http://a, http://b); c (http://c)"
    other = {**TWO, "c": UpstreamSettings(url=("http://c",), api="responses")}
    words = welcome(Choice(Settings(upstreams=other, models=TO_C)))
    assert f"{qwen}, API chat;\n            c (http://c), profile default, API responses.\n" in words


@pytest.mark.parametrize("changes", [{"model_map": ("a=b",)}, {"models": {"a": ModelSettings()}}])
def test_single_upstream_with_models(changes: Any) -> None:
    """It has no name."""
    words = welcome(Choice(Settings(upstream=UP, profile="vllm", **changes)))
    assert "answered by http://up:1/v1, profile vllm.\n" in words


def test_demo() -> None:
    """It is loud about being one."""
    assert "NO MODEL" in welcome(Choice(Settings(demo=True)))
    assert answered_by(Settings(demo=True)) == "a script (--demo)"


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("::1", "http://[::1]:8080"),
        ("box.local", "http://box.local:8080"),
    ],
)
def test_url(host: str, here: str) -> None:
    """Where this machine reaches it."""
    assert url(Settings(host=host)) == here


@pytest.mark.parametrize(
    ("value", "line"),
    [(True, "Metrics: http://127.0.0.1:8080/metrics\n"), (9464, "Metrics: http://127.0.0.1:9464/metrics (no key)\n")],
)
def test_metrics(value: Any, line: str) -> None:
    """Where they are, if they are wanted; a port of their own wants no key."""
    assert line in welcome(Choice(Settings(upstream=UP, host="0.0.0.0", metrics=value)))
    assert "Metrics" not in welcome(Choice(Settings(upstream=UP)))


def test_where_it_is_stored() -> None:
    """The store is named, and for one that nobody asked for the way to turn it off."""
    opened = Opened("SQLite /home/me/diglot.db", "all survives")
    words = welcome(Choice(Settings(upstream=UP, keep_days=1.5), opened, is_default=True))
    assert "Stored for 1.5 days in SQLite /home/me/diglot.db; to turn it off: --store none\n" in words
    assert stored(Choice(Settings(upstream=UP), opened)) == "Stored for 30 days in SQLite /home/me/diglot.db"
    assert "tored" not in welcome(Choice(Settings(upstream=UP, store="none")))
