"""`diglot serve`, as a user types it."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from diglot.adapters.cli import commands
from diglot.adapters.server import app
from diglot.adapters.server.app import free_port

UP = ("--upstream", "http://up:1")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands.main, ("serve", *arguments))


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The settings with which a server would have been started."""
    for name in [name for name in os.environ if name.startswith("DIGLOT_")]:
        monkeypatch.delenv(name)
    seen: list[Any] = []
    monkeypatch.setattr(app, "run", lambda settings, source: seen.append(settings))
    monkeypatch.setattr(app, "free_port", lambda host, port: port or 1)
    return seen


def test_serve(served: list[Any]) -> None:
    """Flags become settings; the welcome names URL, profile and what to tell clients."""
    got = run(*UP, "--profile", "vllm", "--set", "stream_usage=false", "--strict", "--graceful", "3")
    assert got.exit_code == 0
    (settings,) = served
    assert (settings.upstream, settings.profile, settings.strict, settings.port) == ("http://up:1", "vllm", True, 8080)
    assert settings.as_profile().stream_usage is False
    assert settings.graceful == 3
    assert "http://127.0.0.1:8080/v1" in got.stderr
    assert 'wire_api="responses"' in got.stderr
    assert "NO MODEL" not in got.stderr


def test_the_folder_of_other_metrics(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be gone, or have what another process counted."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/nowhere")
    assert run(*UP, "--metrics").exit_code == 0
    assert served[0].metrics is True
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ


@pytest.mark.parametrize("api", ["chat", "responses", "auto"])
def test_either_api(served: list[Any], api: str) -> None:
    """Which API the upstream has."""
    assert run(*UP, "--upstream-api", api).exit_code == 0
    assert served[0].upstream_api == api


@pytest.mark.parametrize("variables", [{}, {"DIGLOT_UPSTREAM": ""}, {"DIGLOT_UPSTREAM": "", "DIGLOT_PROFILE": "vllm"}])
@pytest.mark.parametrize("flags", [(), ("--upstream", "")])
def test_no_upstream(
    served: list[Any], flags: tuple[str, ...], variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing starts that answers nonsense; the way out is named."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    got = run(*flags)
    assert got.exit_code == 2
    assert got.stderr.startswith("Error: ")
    assert "--upstream URL" in got.stderr
    assert "--demo" in got.stderr
    assert served == []


def test_an_empty_upstream_is_not_the_files(served: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that was to name another upstream and is empty does not fall back to the file's."""
    file = tmp_path / "diglot.toml"
    file.write_text('upstream = "http://other:1"\n')
    monkeypatch.setenv("DIGLOT_UPSTREAM", "")
    got = run("--config", str(file))
    assert (got.exit_code, served) == (2, [])
    assert "upstream is empty" in got.stderr


@pytest.mark.parametrize("variables", [{}, {"DIGLOT_UPSTREAM": ""}])
def test_demo(served: list[Any], variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo behind a server is asked for, and announced loudly; port 0 takes a free one."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    got = run("--demo", "--port", "0")
    assert got.exit_code == 0
    assert "NO MODEL" in got.stderr
    assert f"http://127.0.0.1:{served[0].port}/" in got.stderr
    assert served[0].port != 0


def test_demo_in_front_of_an_upstream(served: list[Any]) -> None:
    """Only one of them can answer."""
    got = run("--demo", *UP)
    assert (got.exit_code, served) == (2, [])
    assert "exclude each other" in got.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--upstream", "localhost:8000"), "--upstream: 'localhost:8000' is not an http:// or https:// URL"),
        (("--upstream", "localhost:8000"), "did you mean http://localhost:8000?"),
        (("--upstream", "http://h:99999"), "no valid host and port"),
        ((*UP, "--profile", "vlm"), "did you mean vllm?"),
        ((*UP, "--set", "x=1"), "set: x: unknown setting. Available: name, developer_role"),
        ((*UP, "--set", "stream_usge=1"), "did you mean stream_usage?"),
        ((*UP, "--set", "events=openai2"), "set: events: 'openai2' is not one of openai, openresponses"),
        ((*UP, "--set", "x"), "'x' is not key=value"),
        ((*UP, "--limit", "idel=1"), "--limit: idel: unknown setting; did you mean idle?"),
        ((*UP, "--limit", "idle=no"), "--limit: idle: 'no' is not a number above 0"),
        ((*UP, "--graceful", "0"), "--graceful: 0.0 is not a number above 0"),
        ((*UP, "--graceful", "inf"), "--graceful: inf is not a number above 0"),
        ((*UP, "--port", "70000"), "--port: 70000 is not a whole number from 0 to 65535"),
        ((*UP, "--workers", "0"), "--workers: 0 is not a whole number, at least 1"),
        ((*UP, "--config", "missing.toml"), "missing.toml"),
        ((*UP, "--allow-host", "http://box"), "--allow-host: 'http://box' is not a host name"),
        ((*UP, "--allow-origin", "app.example"), "--allow-origin: 'app.example' is not an origin"),
        ((*UP, "--upstream-api", "both"), "'both' is not one of 'chat', 'responses', 'auto'"),
        ((*UP, "--log-format", "xml"), "'xml' is not one of 'json', 'text'"),
    ],
)
def test_refuses(served: list[Any], arguments: tuple[str, ...], words: str) -> None:
    """A wrong setting is said in words, with what is possible, and nothing starts."""
    got = run(*arguments)
    assert got.exit_code == 2
    assert words in got.stderr
    assert served == []


@pytest.mark.parametrize("url", ["user:k3y@h:1", "http://user:k3y@h:99999", "http://h:1/v1/responses?k3y=1"])
def test_refusals_hold_no_credentials(url: str) -> None:
    """What may be private in a URL is not repeated."""
    got = run("--upstream", url)
    assert got.exit_code == 2
    assert "k3y" not in got.stderr


def test_misspelt_variable(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error, as in the file."""
    monkeypatch.setenv("DIGLOT_UPSTREM", "http://up:1")
    got = run("--demo")
    assert (got.exit_code, served) == (2, [])
    assert "DIGLOT_UPSTREM: unknown setting; did you mean DIGLOT_UPSTREAM?" in got.stderr


def test_environment_and_file(served: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the environment and from a file, too."""
    file = tmp_path / "diglot.toml"
    file.write_text('profile = "ollama"\nset = {stream_usage = false}\n')
    monkeypatch.setenv("DIGLOT_PORT", "9")
    assert run(*UP, "--config", str(file), "--set", "json_schema=false").exit_code == 0
    assert (served[0].port, served[0].profile) == (9, "ollama")


def test_lists(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be several is repeated; the older name of a flag is the same flag."""
    assert run(*UP, "--allow-host", "a", "--allow-host", "b", "--cors-origin", "https://x", "--quiet").exit_code == 0
    assert served[0].allow_host == ("a", "b")
    assert run(*UP, "--paths", "/ai", "--paths", "/b", "--quiet").exit_code == 0
    assert served[1].paths == ("/ai", "/b")
    assert served[0].allow_origin == ("https://x",)


def test_quiet() -> None:
    """There is no welcome then."""
    assert run(*UP, "--quiet").output == ""


def test_port_0_keeps_the_other_settings(served: list[Any]) -> None:
    """A free port changes nothing else."""
    assert run(*UP, "--port", "0", "--set", "stream_usage=false", "--limit", "idle=7").exit_code == 0
    assert served[0].as_profile().stream_usage is False
    assert served[0].limits.idle == 7


def test_port_that_is_taken(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is promised on a port that somebody else has."""
    monkeypatch.setattr(app, "free_port", free_port)
    with socket.create_server(("127.0.0.1", 0)) as other:
        got = run(*UP, "--port", str(other.getsockname()[1]))
    assert got.exit_code == 1
    assert got.stderr.startswith("Error: cannot listen on 127.0.0.1 port ")
    assert served == []


def test_store(served: list[Any], tmp_path: Path) -> None:
    """A store that is named is opened before anything is promised; the welcome says where it is."""
    url = f"sqlite:///{tmp_path}/a.db"
    got = run(*UP, "--store", url, "--tenant", "header:x-team")
    assert got.exit_code == 0
    assert (served[0].store, served[0].tenant) == (url, "header:x-team")
    assert f"Stored for 30 days in SQLite {tmp_path}/a.db\n" in got.stderr
    assert (tmp_path / "a.db").is_file()


def test_store_of_the_user(served: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is where the user's state is, and the way to do without is named."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    got = run(*UP)
    assert served[0].store == f"sqlite:///{tmp_path}/diglot/diglot.db"
    assert "--store none" in got.stderr
    assert run(*UP, "--store", "none").exit_code == 0
    assert served[1].store == "none"


def test_store_that_cannot_be_written(served: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is said in any case, and also by a quiet server."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    got = run(*UP, "--quiet")
    assert served[0].store == "memory"
    assert got.stderr.startswith("Warning: ")
    assert "lost when this process ends" in got.stderr
    got = run(*UP, "--workers", "2")
    assert (got.exit_code, len(served)) == (2, 1)
    assert "there are 2 workers" in got.stderr


def test_store_that_does_not_open(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing starts without a store that was named, and its password is not repeated."""
    monkeypatch.setenv("DIGLOT_STORE", "redis://me:k3y@127.0.0.1:1/0")
    got = run(*UP)
    assert (got.exit_code, served) == (2, [])
    assert got.stderr.startswith("Error: store: redis://127.0.0.1:1/0: ")
    assert "k3y" not in got.stderr


def test_metrics_and_traces(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics on the port of the server or on their own, which must be free; traces by a flag."""
    assert run(*UP, "--metrics", "--otel").exit_code == 0
    assert run(*UP, "--metrics", "9090").exit_code == 0
    assert [(settings.metrics, settings.otel) for settings in served] == [(True, True), (9090, False)]

    def taken(host: str, port: int) -> int:
        if port == 9090:
            raise OSError("cannot listen on 127.0.0.1 port 9090: Address already in use")
        return port

    monkeypatch.setattr(app, "free_port", taken)
    got = run(*UP, "--metrics", "9090")
    assert (got.exit_code, len(served)) == (1, 2)
    assert "port 9090" in got.stderr


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_an_inspector(served: list[Any], quiet: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its link is printed once, also when nothing else is: there is no other way in."""
    monkeypatch.setenv("_DIGLOT_INSPECT_TOKEN", "")
    got = run(*UP, "--inspect", "--inspect-path", "/look", *quiet)
    assert (got.exit_code, served[0].inspect) == (0, True)
    assert got.output.count(f"http://127.0.0.1:8080/look/?token={os.environ['_DIGLOT_INSPECT_TOKEN']}") == 1
    assert got.output.count("token=") == 1


def test_an_inspector_that_others_could_reach(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not start unless one insists."""
    monkeypatch.setenv("_DIGLOT_INSPECT_TOKEN", "")
    got = run(*UP, "--inspect", "--host", "0.0.0.0")
    assert (got.exit_code, served) == (2, [])
    assert "--inspect-anywhere insists" in got.stderr
    assert run(*UP, "--inspect", "--inspect-anywhere", "--host", "0.0.0.0").exit_code == 0
