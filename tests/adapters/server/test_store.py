"""Which store a server has, and what is said when that does not open."""

import socket
import stat
from pathlib import Path

import anyio
import platformdirs
import pytest

from diglot.adapters.server import store as server_store
from diglot.adapters.server.config import ConfigError, Settings
from diglot.adapters.server.store import Choice, choose, default_url, file_of, store_of
from diglot.adapters.store import StoreRefused

import store_servers

UP = "http://up:1"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the state of the user is."""
    home = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    return home


def chosen(**settings: object) -> Choice:
    values: dict[str, object] = {"upstream": UP, **settings}
    return anyio.run(choose, Settings(**values))  # type: ignore[arg-type]


def refusal(**settings: object) -> str:
    with pytest.raises(ConfigError) as caught:
        chosen(**settings)
    return str(caught.value)


def test_a_file_of_the_user(home: Path) -> None:
    """Without a word a server stores in a file that nobody else reads."""
    choice = chosen(workers=2)
    path = home / "diglot" / "diglot.db"
    assert choice.settings.store == f"sqlite:///{path}"
    assert choice.is_default
    assert choice.opened is not None
    assert choice.opened.name == f"SQLite {path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"upstream": None, "demo": True}, "memory"),
        ({"upstream": None, "demo": True, "workers": 2}, "none"),
        ({"upstream_api": "responses"}, "none"),
        ({"store": "none"}, "none"),
        ({"store": "memory"}, "memory"),
    ],
)
def test_no_file(home: Path, settings: dict[str, object], url: str) -> None:
    """A demo stores nothing on the disk, nor does a server that stores nothing at all."""
    choice = chosen(**settings)
    assert choice.settings.store == url
    assert (choice.opened is None) == (url == "none")
    assert not home.exists()


def test_a_directory_that_cannot_be_written(home: Path) -> None:
    """One worker goes on in memory, and says so; several would not see what the others store."""
    home.write_text("a file")
    choice = chosen()
    assert choice.settings.store == "memory"
    assert str(home) in choice.warning
    assert "--store none" in choice.warning
    words = refusal(workers=2)
    assert str(home) in words
    assert "for one process, and there are 2 workers" in words


def test_a_file_that_cannot_be_opened(home: Path) -> None:
    """The same."""
    (home / "diglot" / "diglot.db").mkdir(parents=True)
    assert chosen().settings.store == "memory"


def test_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home has no file."""
    monkeypatch.setattr(platformdirs, "user_state_path", lambda *args, **options: Path("~/state"))
    with pytest.raises(OSError, match="no directory for the state of this user"):
        default_url()
    assert chosen().settings.store == "memory"


def test_a_file_of_a_later_version(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not passed over: what it holds would be missed."""

    async def refuse(store: object) -> None:
        raise StoreRefused("The store has version 9.")

    monkeypatch.setattr(server_store, "opened", refuse)
    assert refusal() == "store: The store has version 9. Or turn it off with --store none."


def test_memory_is_for_one_process() -> None:
    """Whoever names it for several is told."""
    assert "there are 3 workers" in refusal(store="memory", workers=3)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://me:k3y@db/x", "A store is 'memory', 'sqlite:///FILE'"),
        ("sqlite://", "SQLite needs a file"),
        ("sqlite:////dev/null/x.db", "store: /dev/null/x.db: "),
        ("redis://me:k3y@127.0.0.1:{port}/0", "store: redis://127.0.0.1:{port}/0: "),
        ("postgresql://me:k3y@127.0.0.1:{port}/x?application_name=k3y", "store: postgresql://127.0.0.1:{port}/x: "),
        ("postgresql://me:k3y/#?k3y@127.0.0.1:{port}/x", "store: postgresql://127.0.0.1:{port}/x: "),
        ("redis://me:k3y@127.0.0.1:k3y/0", "The URL of the store cannot be read."),
    ],
)
def test_a_store_that_was_named_must_open(url: str, words: str) -> None:
    """Else nothing starts; what may be private in its URL is not repeated."""
    port = store_servers.free_port()
    refused = refusal(store=url.format(port=port))
    assert words.format(port=port) in refused
    assert "k3y" not in refused


def test_a_store_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it for ever."""
    monkeypatch.setattr(server_store, "_PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "no answer within 0.2 seconds" in refusal(store=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")


def test_settings_of_the_store(tmp_path: Path) -> None:
    """What is set reaches it."""
    assert store_of(Settings(store=None)) is None
    assert store_of(Settings(store="none")) is None
    assert file_of("sqlite:///a.db?x=1") == Path("a.db")
    assert file_of("sqlite+pysqlite:////a.db") == Path("/a.db")
    assert file_of("redis://h/1") is None
