"""The tables of models and upstreams: what they say, and what is said about wrong ones."""

from pathlib import Path
from typing import Any

import pytest

from diglot.adapters.server.config import (
    ConfigError,
    Settings,
    load,
    profile_of_model,
    profile_of_upstream,
    require_upstream,
)
from diglot.adapters.server.model_settings import api_of, tables, upstreams_of

TWO = '[upstreams.a]\nurl = "http://a"\n[upstreams.b]\nurl = ["http://b1", "http://b2"]\n'


def read(folder: Path, text: str, flags: Any = None, environment: Any = None) -> Settings:
    file = folder / "diglot.toml"
    file.write_text(text)
    return load(flags or {}, environment or {}, file)


def test_tables(tmp_path: Path) -> None:
    """Each model has its upstream and its profile, made of all changes, the nearest last."""
    settings = read(
        tmp_path,
        'upstream-api = "responses"\nprofile = "vllm"\n[set]\nstream-usage = false\n'
        '[upstreams.a]\nurl = "http://a, http://a2"\nkey-env = "KEY"\nset = { reasoning-expose = "both" }\n'
        '[upstreams."b.2"]\nurl = "http://b"\napi = "auto"\nprofile = "llama.cpp"\n'
        '[models]\n"x*" = { upstream = "a", model = "y", set = { reasoning-expose = "off" } }\n'
        '"z" = { upstream = "b.2" }\n',
        environment={"KEY": "k"},
    )
    found = tables(settings)
    assert found is not None
    assert found.upstreams["a"].url == ("http://a", "http://a2")
    assert [profile_of_upstream(settings, found, name).name for name in found.upstreams] == ["vllm", "llama.cpp"]
    exposed = [profile_of_model(settings, found, name).reasoning_expose for name in found.models]
    assert (exposed, profile_of_upstream(settings, found, "a").reasoning_expose) == (["off", "auto"], "both")
    assert profile_of_model(settings, found, "x*").stream_usage is False
    assert (found.default, api_of(settings)) == ("a", "auto")
    require_upstream(settings)


def test_one_upstream(tmp_path: Path) -> None:
    """It needs no models, and they need not name it; a single one without tables is none of this."""
    found = tables(read(tmp_path, '[upstreams.a]\nurl = "http://a"\n'))
    assert found is not None
    assert [(name, model.upstream) for name, model in found.models.items()] == [("*", "a")]
    found = tables(read(tmp_path, '[upstreams.a]\nurl = "http://a"\n[models]\nx = {}\n'))
    assert found is not None
    assert found.models["x"].upstream == found.default == "a"
    assert tables(Settings(upstream="http://a")) is None
    assert api_of(Settings(upstream="http://a", upstream_api="responses")) == "responses"


def test_all_upstreams(tmp_path: Path) -> None:
    """A single one is among them; a demo has none."""
    assert list(upstreams_of(Settings(upstream="http://a"))) == ["default"]
    assert upstreams_of(Settings(upstream="http://a"))["default"].url == ("http://a",)
    assert list(upstreams_of(read(tmp_path, '[upstreams.x]\nurl = "http://a"\n'))) == ["x"]
    assert upstreams_of(Settings(demo=True)) == {}


def test_default(tmp_path: Path) -> None:
    """It is that of `*`."""
    found = tables(read(tmp_path, TWO + '[models]\nx = { upstream = "a" }\n"*" = { upstream = "b" }\n'))
    assert found is not None
    assert found.default == "b"


def test_short_form(tmp_path: Path) -> None:
    """Names for a single upstream; all others go through."""
    settings = load({"upstream": "http://a", "model_map": ("gpt-5*=x", "b = c")}, {})
    found = tables(settings)
    assert found is not None
    assert found.upstreams["default"].url == ("http://a",)
    assert {name: model.model for name, model in found.models.items()} == {"gpt-5*": "x", "b": "c", "*": None}
    assert load({}, {"DIGLOT_UPSTREAM": "http://a", "DIGLOT_MODEL_MAP": "a=b,c=d"}).model_map == ("a=b", "c=d")


def test_environment() -> None:
    """The tables may be JSON."""
    settings = load(
        {},
        {"DIGLOT_UPSTREAMS": '{"a": {"url": ["http://a"]}}', "DIGLOT_MODELS": '{"m": {"model": "n"}}'},
    )
    assert (settings.upstreams["a"].url, settings.models["m"].model) == (("http://a",), "n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[upstream.qwen]\nurl = "http://u:s3cret@a"\n',
            r"upstream: a table is .*; did you mean \[upstreams.qwen\]\?$",
        ),
        ('[upstream]\nurl = "http://u:s3cret@a"\n', r"upstream: a table is .*; did you mean \[upstreams.NAME\]\?$"),
        ('upstream = "http://a"\nmodel_map = { a = "b" }\n', r'model_map: a table .* list such as \["OLD=NEW"\]$'),
        ("upstreams = 7\n", "diglot.toml: upstreams is not a table"),
        ("[upstreams]\na = 7\n", "diglot.toml: upstreams.a: the value is not a table"),
        ("[models]\na = 7\n", "models.a: the value is not a table"),
        ('[upstreams.a]\nurl = "http://a"\ncolour = 1\n', r"upstreams.a: colour: unknown setting.*Available: url"),
        ('[upstreams.a]\nurl = "http://a"\n[models.m]\nprofil = 1\n', "models.m: profil: unknown setting"),
        ('[upstreams.a]\nurl = "http://a"\n[upstreams.a]\n', r"diglot.toml: .*\(at line 3"),
        ('[upstreams."a b"]\nurl = "http://a"\n', "upstreams: 'a b' is not a name"),
        ("[upstreams.a]\n", "upstreams.a.url: no URL is set"),
        (
            '[upstreams.a]\nurl = "a"\n',
            r"upstreams.a.url: 'a' is not an http:// or https:// URL; did you mean http://a",
        ),
        ('[upstreams.a]\nurl = ["http://a", "http://a/"]\n', "upstreams.a.url: the same one is named twice"),
        ("[upstreams.a]\nurl = 7\n", "upstreams.a: url: the value is not a list"),
        ('[upstreams.a]\nurl = "http://a"\napi = "x"\n', "upstreams.a: api: 'x' is not one of chat, responses, auto"),
        ('[upstreams.a]\nurl = "http://a"\nkey_env = "K"\n', "upstreams.a.key_env: the variable K is not set"),
        ('[upstreams.a]\nurl = "http://a"\nprofile = "x"\n', "upstreams.a: profile: unknown profile 'x'"),
        ('[upstreams.a]\nurl = "http://a"\nset = { x = 1 }\n', "upstreams.a: set: x: unknown setting"),
        ('[upstreams.a]\nurl = "http://a"\n[models]\nm = { set = { x = 1 } }\n', "models.m: set: x: unknown setting"),
        ('[upstreams.a]\nurl = "http://a"\n[models]\n"a*b*" = {}\n', r"models: 'a\*b\*' has more than one \*"),
        ('[upstreams.a]\nurl = "http://a"\n[models]\n"" = {}\n', "models: '' is not the name of a model"),
        ('[upstreams.a]\nurl = "http://a"\n[models]\nm = { model = "x*" }\n', r"models.m.model: 'x\*' is not the name"),
        ('[upstreams.a]\nurl = "http://a"\n[models]\nm = { model = "" }\n', "models.m.model: '' is not the name"),
        (TWO, r"upstreams: there are several upstreams: say in \[models\]"),
        (TWO + "[models]\nm = {}\n", "models.m.upstream: not set, and there are several: a, b"),
        (TWO + '[models]\nm = { upstream = "c" }\n', "models.m.upstream: there is no upstream 'c'.*Available: a, b"),
        ("[models]\nm = {}\n", "models: no upstream is set"),
        ('upstream = "http://x"\n' + TWO, "upstreams and .*upstream exclude each other"),
        ("demo = true\n" + TWO, "upstreams and .*demo exclude each other"),
        ('port = 80\n[upstreams.a]\nurl = "http://localhost"\n', "upstreams.a.url: localhost port 80 is this server"),
        ('port = 443\n[upstreams.a]\nurl = "https://[::1]"\n', "upstreams.a.url: ::1 port 443 is this server"),
        ('host = "h"\nport = 81\n[upstreams.a]\nurl = "http://h:81"\n', "h port 81 is this server"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, words: str) -> None:
    """The message names the file and the key."""
    with pytest.raises(ConfigError, match=words) as caught:
        read(tmp_path, text)
    assert str(tmp_path / "diglot.toml") in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_empty_key() -> None:
    """A variable that is there but empty is not called missing."""
    with pytest.raises(ConfigError, match=r"upstreams\.a\.key_env: the variable K is empty"):
        load({"upstreams": {"a": {"url": "http://a", "key_env": "K"}}}, {"K": ""})


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"model_map": ("a",)}, "--model-map: 'a' is not OLD=NEW"),
        ({"model_map": ("=a",)}, "--model-map: '=a' is not OLD=NEW"),
        ({"model_map": ("a=b", "a=c")}, "--model-map: 'a' is named twice"),
        ({"model_map": ("a=b*",)}, r"--model-map.a.model: 'b\*' is not the name"),
        ({"model_map": ("a=b",)}, "--model-map: no upstream is set"),
        ({"model_map": ("a=b",), "upstream": "http://a", "models": {"m": {}}}, "--model-map is the short form"),
        ({"model_map": ("a=b",), "upstreams": {"a": {"url": "http://a"}, "b": {"url": "http://b"}}}, "short form"),
    ],
)
def test_wrong_short_forms(flags: Any, words: str) -> None:
    """The message names the flag."""
    with pytest.raises(ConfigError, match=words):
        load(flags, {})


def test_no_secrets(tmp_path: Path) -> None:
    """What is wrong with a URL is said without what is private in it."""
    for text in ('[upstreams]\na = "http://u:s3cret@a"\n', '[upstreams.a]\nurl = ["htp://u:s3cret@a"]\n'):
        with pytest.raises(ConfigError) as caught:
            read(tmp_path, text)
        assert "s3cret" not in str(caught.value)
