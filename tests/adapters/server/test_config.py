"""Settings: where they come from, which wins, and what is said about wrong ones."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from diglot.adapters.server.config import ConfigError, Settings, load, profile_of, require_upstream
from diglot.translator import PRESETS


def test_defaults() -> None:
    """Nothing but the upstream has to be set."""
    assert load({}, {}) == Settings()
    assert Settings().as_profile() == PRESETS["default"]


def test_who_wins(tmp_path: Path) -> None:
    """Flags win over the environment, which wins over the file."""
    file = tmp_path / "diglot.toml"
    file.write_text('port = 1\nhost = "file"\nprofile = "vllm"\n[limits]\nidle = 7\n[set]\nstream_usage = false\n')
    settings = load({"port": 3, "strict": None, "set": {}}, {"DIGLOT_PORT": "2", "DIGLOT_HOST": "env"}, file)
    assert (settings.port, settings.host, settings.profile, settings.limits.idle) == (3, "env", "vllm", 7)
    assert settings.as_profile().stream_usage is False


def test_environment() -> None:
    """Texts become what they mean; tables and lists may be JSON, or lists with commas."""
    environment = {
        "DIGLOT_STRICT": "true",
        "DIGLOT_DEMO": "1",
        "DIGLOT_WORKERS": "2",
        "DIGLOT_UPSTREAM_API": "responses",
        "DIGLOT_SET": '{"unsupported":["seed"]}',
        "DIGLOT_LIMITS": '{"keepalive":3}',
        "DIGLOT_ALLOW_HOST": '["a", "b"]',
        "DIGLOT_PATHS": "/ai, /tenants/*",
        "DIGLOT_ALLOW_ORIGIN": "https://a.example, null",
        "DIGLOT_PROFILE": "",
        "DIGLOT_KEY": "for other commands",
        "DIGLOT_PYTHON": "for scripts",
        "PATH": "/bin",
    }
    settings = load({}, environment)
    assert (settings.strict, settings.demo, settings.workers, settings.limits.keepalive) == (True, True, 2, 3)
    assert settings.upstream_api == "responses"
    assert settings.paths == ("/ai", "/tenants/*")
    assert settings.as_profile().unsupported == frozenset({"seed"})
    assert (settings.allow_host, settings.allow_origin) == (("a", "b"), ("https://a.example", "null"))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"port": 70000}, r"--port"),
        ({"port": "x"}, r"--port"),
        ({"workers": 0}, r"--workers"),
        ({"drain_delay": -1}, r"--drain-delay: -1 is not a number, at least 0"),
        ({"ready_path": "health"}, r"--ready-path: 'health' is not a path"),
        ({"ready_path": "/a b"}, r"--ready-path: '/a b' is not a path"),
        ({"host": ""}, r"--host: '' is not a non-empty string"),
        ({"colour": 1}, r"--colour.*Available: upstream"),
        ({"profile": "nobody"}, r"nobody.*vllm"),
        ({"set": {"colour": 1}}, r"colour.*stream_usage"),
        ({"set": {"stream_usage": []}}, r"stream_usage"),
        ({"limits": {"idle": -1}}, r"--limit: idle"),
        ({"limits": {"colour": 1}}, r"--limit: colour"),
        ({"log_level": "loud"}, r"--log-level.*debug, info, warning, error"),
        ({"upstream_api": "both"}, r"--upstream-api.*chat, responses, auto"),
        ({"upstream": "h:1"}, r"--upstream.*did you mean http://h:1"),
        ({"allow_host": ["a b"]}, r"--allow-host"),
        ({"allow_origin": ["x"]}, r"--allow-origin"),
    ],
)
def test_wrong(flags: dict[str, Any], words: str) -> None:
    """A wrong setting is named as the user knows it, with what is possible."""
    with pytest.raises(ConfigError, match=words):
        load(flags, {})


def test_settings_survive_the_way_to_a_worker() -> None:
    """A profile with changes is the same after a trip through JSON."""
    changed = profile_of("openrouter", {"efforts": ["low", "high"], "json_schema": False})
    assert changed.efforts == ("low", "high")
    assert changed.renamed == PRESETS["openrouter"].renamed


def test_tables_add_up(tmp_path: Path) -> None:
    """What is set in several places is all set; the nearer one wins where they disagree."""
    file = tmp_path / "diglot.toml"
    file.write_text("[set]\nstream_usage = false\njson_schema = false\n[limits]\nidle = 7\nconnect = 4\n")
    environment = {"DIGLOT_CONFIG": str(file), "DIGLOT_SET": "json_schema=true,custom_tools=true"}
    flags = {"set": {"refusals": True}, "limits": {"connect": "5"}}
    settings = load(flags, {**environment, "DIGLOT_LIMITS": '{"keepalive":3}'})
    profile = settings.as_profile()
    assert (profile.stream_usage, profile.json_schema, profile.custom_tools, profile.refusals) == (
        False,
        True,
        True,
        True,
    )
    assert (settings.limits.idle, settings.limits.keepalive, settings.limits.connect) == (7, 3, 5)


def test_somebody_must_answer() -> None:
    """An upstream or the demo, and not both."""
    for settings in (Settings(), Settings(upstream=""), Settings(upstream="http://h", demo=True)):
        with pytest.raises(ConfigError, match="--demo"):
            require_upstream(settings)
    for settings in (Settings(upstream="http://h"), Settings(demo=True), Settings(upstream="", demo=True)):
        require_upstream(settings)


def test_state(tmp_path: Path) -> None:
    """Where things are stored stands in a table of the file, or in variables and flags of its own."""
    file = tmp_path / "diglot.toml"
    file.write_text('[state]\nstore = "sqlite:///a.db"\ntenant = "none"\nkeep-days = 2\nseal_keys = ["a", "b"]\n')
    settings = load({}, {}, file)
    assert (settings.store, settings.tenant, settings.keep_days) == ("sqlite:///a.db", "none", 2)
    assert settings.seal_keys == ("a", "b")
    variables = {"DIGLOT_STORE": "memory", "DIGLOT_KEEP_DAYS": "0.5", "DIGLOT_SEAL_KEYS": "c, d"}
    settings = load({"tenant": "header:x-team"}, variables, file)
    assert (settings.store, settings.tenant, settings.keep_days) == ("memory", "header:x-team", 0.5)
    assert settings.seal_keys == ("c", "d")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[state]\ntenant = "header"',
            "diglot.toml: state.tenant: 'header' is not one of credential, none, header:NAME",
        ),
        ('[state]\ntenant = "header:a b"', "state.tenant: 'header:a b' is not"),
        ("[state]\nkeep_days = 0", "state.keep_days: 0 is not a number above 0"),
        ("[state]\nkeepdays = 1", "diglot.toml: state: keepdays: unknown setting; did you mean keep_days?"),
        ('store = "memory"', r"diglot.toml: store: write it into the table \[state\]"),
        ("state = 1", "diglot.toml: state: not a table"),
    ],
)
def test_wrong_state(tmp_path: Path, text: str, words: str) -> None:
    """As for all other settings, with the names of the file."""
    file = tmp_path / "diglot.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load({}, {}, file)


@pytest.mark.parametrize("value", ['{"k3y": "k3y"}', '["k3y", 3]'])
@pytest.mark.parametrize("name", ["api_key", "store", "seal_keys"])
def test_secrets_are_not_repeated(name: str, value: str) -> None:
    """What is wrong with them is said without them."""
    with pytest.raises(ConfigError, match="the value is not") as caught:
        load({name: msgspec.json.decode(value)}, {})
    assert "k3y" not in str(caught.value)


def test_a_single_key() -> None:
    """It comes from the environment, where other users do not see it, and is not repeated when it is none."""
    assert load({}, {"DIGLOT_API_KEY": "sk-1"}).api_key == "sk-1"
    with pytest.raises(ConfigError, match="DIGLOT_API_KEY: a key has only printable") as caught:
        load({}, {"DIGLOT_API_KEY": "k3y k3y"})
    assert "k3y" not in str(caught.value)
