"""Where settings come from, and what is said about what cannot be read there."""

from pathlib import Path

import pytest

from diglot.adapters.server.config import ConfigError, Settings, load
from diglot.adapters.server.setting_sources import assignment


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


def test_names_as_on_the_command_line(tmp_path: Path) -> None:
    """A file may write `log-level`, also in tables, and other names of a setting."""
    file = tmp_path / "diglot.toml"
    file.write_text(
        'log-level = "debug"\nupstream-api = "auto"\ncors-origin = ["https://x"]\nallow_host = "box"\n'
        "[limits]\nfirst-byte = 7\n[set]\nstream-usage = false\n"
    )
    settings = load({}, {}, file)
    assert (settings.log_level, settings.upstream_api, settings.limits.first_byte) == ("debug", "auto", 7)
    assert (settings.allow_origin, settings.allow_host) == (("https://x",), ("box",))
    assert settings.as_profile().stream_usage is False
    assert load({}, {"DIGLOT_CORS_ORIGIN": "https://y"}, file).allow_origin == ("https://y",)


def test_where_a_wrong_setting_came_from(tmp_path: Path) -> None:
    """The file, the variable or the flag is named."""
    file = tmp_path / "diglot.toml"
    file.write_text("port = 70000\n")
    for words, arguments in (
        ("diglot.toml: port: 70000", ({"port": 1}, {}, file)),
        ("DIGLOT_PORT: 'x'", ({"port": 1}, {"DIGLOT_PORT": "x"}, None)),
        ("--port: -1", ({"port": -1}, {}, None)),
        ("DIGLOT_SET: 'x' is not key=value", ({}, {"DIGLOT_SET": "x"}, None)),
        ("DIGLOT_UPSTREAM: 'h:1'.*did you mean http://h:1", ({}, {"DIGLOT_UPSTREAM": "h:1"}, None)),
    ):
        with pytest.raises(ConfigError, match=words):
            load(*arguments)


@pytest.mark.parametrize("name", ["DIGLOT_UPSTREM", "DIGLOT_LOGLEVEL", "DIGLOT_UPSTREAM_PORT", "DIGLOT_"])
def test_variables_that_are_none(name: str) -> None:
    """A misspelt variable is an error, even if it is empty."""
    for text in ("", "1"):
        with pytest.raises(ConfigError, match=rf"{name}: unknown setting(; did you mean|\. Available:) DIGLOT_"):
            load({}, {name: text})


KUBERNETES = {
    "DIGLOT_SERVICE_HOST": "10.0.0.1",
    "DIGLOT_SERVICE_PORT": "8080",
    "DIGLOT_SERVICE_PORT_HTTP": "8080",
    "DIGLOT_PORT": "tcp://10.0.0.1:8080",
    "DIGLOT_PORT_8080_TCP": "tcp://10.0.0.1:8080",
    "DIGLOT_PORT_8080_TCP_PROTO": "tcp",
    "DIGLOT_PORT_8080_TCP_PORT": "8080",
    "DIGLOT_PORT_8080_TCP_ADDR": "10.0.0.1",
    "DIGLOT_PROXY_SERVICE_HOST": "10.0.0.2",
    "DIGLOT_PROXY_PORT": "tcp://10.0.0.2:80",
    "DIGLOT_PROXY_PORT_80_TCP_ADDR": "10.0.0.2",
}


def test_variables_of_kubernetes() -> None:
    """Where a service is called diglot, every container is told of it: that is nobody's setting."""
    assert load({}, KUBERNETES) == Settings()
