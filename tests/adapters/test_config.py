"""Settings: where they come from, which wins, and what is said about wrong ones."""

from pathlib import Path
from typing import Any

import pytest

from diglot.adapters.config import ConfigError, Settings, assignment, load, profile_of
from diglot.translator import PRESETS


def test_defaults() -> None:
    """Nothing has to be set."""
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
    """Texts become what they mean; tables are JSON."""
    environment = {
        "DIGLOT_STRICT": "true",
        "DIGLOT_WORKERS": "2",
        "DIGLOT_UPSTREAM_API": "responses",
        "DIGLOT_SET": '{"unsupported":["seed"]}',
        "DIGLOT_LIMITS": '{"keepalive":3}',
    }
    settings = load({}, environment)
    assert (settings.strict, settings.workers, settings.limits.keepalive) == (True, 2, 3)
    assert settings.upstream_api == "responses"
    assert settings.as_profile().unsupported == frozenset({"seed"})


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"port": 70000}, r"port"),
        ({"port": "x"}, r"port"),
        ({"workers": 0}, r"workers"),
        ({"colour": 1}, r"colour"),
        ({"profile": "nobody"}, r"nobody.*vllm"),
        ({"set": {"colour": 1}}, r"colour.*stream_usage"),
        ({"set": {"stream_usage": []}}, r"stream_usage"),
        ({"limits": {"idle": -1}}, r"idle"),
        ({"limits": {"colour": 1}}, r"colour"),
        ({"log_level": "loud"}, r"log_level"),
        ({"upstream_api": "both"}, r"upstream_api"),
    ],
)
def test_wrong(flags: dict[str, Any], words: str) -> None:
    """A wrong setting is named."""
    with pytest.raises(ConfigError, match=words):
        load(flags, {})


def test_wrong_files(tmp_path: Path) -> None:
    """A file that is missing or no TOML is named."""
    bad = tmp_path / "bad.toml"
    bad.write_text("port =")
    for file in (bad, tmp_path / "missing.toml"):
        with pytest.raises(ConfigError, match=file.name):
            load({}, {}, file)


def test_assignments() -> None:
    """A value is JSON where it is JSON, and a text where it is not."""
    assert assignment("stream_usage=false") == ("stream_usage", False)
    assert assignment("events=openresponses") == ("events", "openresponses")
    assert assignment('efforts=["low"]') == ("efforts", ["low"])
    for text in ("events", "=x"):
        with pytest.raises(ConfigError):
            assignment(text)


def test_settings_survive_the_way_to_a_worker() -> None:
    """A profile with changes is the same after a trip through JSON."""
    changed = profile_of("openrouter", {"efforts": ["low", "high"], "json_schema": False})
    assert changed.efforts == ("low", "high")
    assert changed.renamed == PRESETS["openrouter"].renamed


def test_tables_add_up(tmp_path: Path) -> None:
    """What is set in several places is all set; the nearer one wins where they disagree."""
    file = tmp_path / "diglot.toml"
    file.write_text("[set]\nstream_usage = false\njson_schema = false\n[limits]\nidle = 7\n")
    environment = {"DIGLOT_CONFIG": str(file), "DIGLOT_SET": "json_schema=true,custom_tools=true"}
    settings = load({"set": {"refusals": True}}, {**environment, "DIGLOT_LIMITS": '{"keepalive":3}'})
    profile = settings.as_profile()
    assert (profile.stream_usage, profile.json_schema, profile.custom_tools, profile.refusals) == (
        False,
        True,
        True,
        True,
    )
    assert (settings.limits.idle, settings.limits.keepalive) == (7, 3)


def test_names_as_on_the_command_line(tmp_path: Path) -> None:
    """A file may write `log-level`, also in tables."""
    file = tmp_path / "diglot.toml"
    file.write_text(
        'log-level = "debug"\nupstream-api = "auto"\n[limits]\nfirst-byte = 7\n[set]\nstream-usage = false\n'
    )
    settings = load({}, {}, file)
    assert (settings.log_level, settings.upstream_api, settings.limits.first_byte) == ("debug", "auto", 7)
    assert settings.as_profile().stream_usage is False


def test_where_a_wrong_setting_came_from(tmp_path: Path) -> None:
    """The file, the environment or the command line is named."""
    file = tmp_path / "diglot.toml"
    file.write_text("port = 70000\n")
    for words, arguments in (
        ("diglot.toml: .*port", ({"port": 1}, {}, file)),
        ("environment: .*port", ({"port": 1}, {"DIGLOT_PORT": "x"}, None)),
        ("command line: .*port", ({"port": -1}, {}, None)),
        ("key=value", ({}, {"DIGLOT_SET": "x"}, None)),
    ):
        with pytest.raises(ConfigError, match=words):
            load(*arguments)
