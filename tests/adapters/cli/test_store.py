"""`diglot store`, as an administrator types it, over files of SQLite and servers with records in them."""

import json
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import click
import pytest
from click.testing import CliRunner, Result

from diglot.adapters.cli import commands
from diglot.adapters.cli import store as store_commands
from diglot.adapters.store import Completion, Conversation, NewItem, NewRecord, Store, open_store
from diglot.translator import state

import store_servers

TENANT, OTHER = "a" * 64, "b" * 64
DAY = 86_400
SECRET = b"k3y of the store"


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(commands.main, ("store", *arguments), **options)


def key(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DIGLOT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A file with some records of two tenants, one of which has expired."""
    found = f"sqlite:///{tmp_path}/some.db"
    filled(found)
    return found


def filled(url: str) -> None:
    now = int(time.time())
    opened(url, lambda store: put(store, 1, TENANT, now))
    opened(url, lambda store: put(store, 2, TENANT, now, parent=1))
    opened(url, lambda store: put(store, 3, OTHER, now - 10 * DAY))
    opened(url, lambda store: put(store, 4, OTHER, now - 40 * DAY), clock=lambda: now - 40.0 * DAY)
    opened(url, others)


def opened(url: str, step: Callable[[Store], Awaitable[Any]], **options: Any) -> Any:
    async def do() -> Any:
        store = open_store(url, **options)
        await store.open()
        try:
            return await step(store)
        finally:
            await store.close()

    return anyio.run(do)


async def put(store: Store, number: int, tenant: str, created: int, parent: int | None = None) -> None:
    answer = {"id": f"resp_{key(number)}", "status": "completed", "model": "m", "output": [{"type": "message"}]}
    encoded = state.records.encode(state.records.Record(answer, [{"type": "message", "content": f"input {number}"}]))
    place = None if parent is None else (await store.read(tenant, [key(parent)]))[0].place
    await store.put(tenant, NewRecord(key(number), created, **encoded._asdict(), parent=place))


async def others(store: Store) -> None:
    await store.create_conversation(TENANT, Conversation(key(9), 5, b"1j{}"), [NewItem("msg_1", b"1j{}")])
    kept = state.completions.encode(state.completions.StoredCompletion({"id": "chatcmpl-1"}, []))
    await store.put_completion(TENANT, Completion("chatcmpl-1", int(time.time()), "m", {}, kept))
    await store.secret("seal", SECRET)
    await store.renew("one", 100)


def records_of(url: str) -> dict[str, int]:
    counts = opened(url, lambda store: store.counts())
    return {each.tenant: each.records for each in counts}


def test_stats(url: str, tmp_path: Path) -> None:
    """A line for each tenant, and one for all."""
    got = run("stats", "--store", url)
    assert got.exit_code == 0
    head, empty, columns, *lines = got.stdout.splitlines()
    assert head == f"SQLite {tmp_path}/some.db: 1 process, 0 runs"
    assert (empty, columns.split()[:2]) == ("", ["TENANT", "RESPONSES"])
    rows = {line.split()[0]: line.split()[1:] for line in lines}
    assert [rows[tenant][0] for tenant in (TENANT, OTHER, "all")] == ["2", "2", "4"]
    assert rows[TENANT][3:7] == ["1", "1", "4", "1"]
    assert rows["all"][2] == rows[OTHER][2] < rows[TENANT][2]
    assert rows["all"][2].endswith("Z")
    assert int(rows["all"][1]) == int(rows[TENANT][1]) + int(rows[OTHER][1])


def test_stats_of_nothing(tmp_path: Path) -> None:
    """An empty store has no oldest record."""
    opened(f"sqlite:///{tmp_path}/empty.db", lambda store: store.counts())
    got = run("stats", "--store", f"sqlite:///{tmp_path}/empty.db")
    assert got.stdout.splitlines()[-1].split() == ["all", "0", "0", "-", *["0"] * 5]


@pytest.mark.parametrize(
    ("arguments", "count", "left"),
    [
        ((), 1, {TENANT: 2, OTHER: 1}),
        (("--expired",), 1, {TENANT: 2, OTHER: 1}),
        (("--before", "2001-02-03"), 1, {TENANT: 2, OTHER: 2}),
        (("--before", "2100-01-01T00:00:00", "--tenant", TENANT), 3, {OTHER: 2}),
        (("--tenant", OTHER), 2, {TENANT: 2}),
        (("--everything",), 5, {}),
        (("--everything", "--yes"), 5, {}),
        (("--tenant", "nobody"), 0, {TENANT: 2, OTHER: 2}),
    ],
)
def test_purge(url: str, arguments: tuple[str, ...], count: int, left: dict[str, int]) -> None:
    """What is meant goes, the rest stays; a dry run tells the same number, and deletes nothing."""
    before = records_of(url)
    got = run("purge", "--store", url, "--dry-run", *arguments)
    assert got.exit_code == 0
    assert got.stdout.endswith(f"would delete {count} chains, conversations and chat completions\n")
    assert records_of(url) == before
    got = run("purge", "--store", url, *arguments)
    assert got.exit_code == 0
    assert got.stdout.endswith(f"deleted {count} chains, conversations and chat completions\n")
    assert got.stderr == ""
    assert {tenant: records for tenant, records in records_of(url).items() if records} == left


@pytest.mark.parametrize(
    "arguments",
    [("--expired", "--everything"), ("--everything", "--tenant", "a"), ("--expired", "--before", "2001-02-03")],
)
def test_what_is_meant_must_be_clear(url: str, arguments: tuple[str, ...]) -> None:
    """Nothing is guessed where much may be lost."""
    got = run("purge", "--store", url, *arguments)
    assert got.exit_code == 2
    assert "exclude each other" in got.stderr
    assert run("purge", "--store", url, "--before", "yesterday").exit_code == 2
    assert records_of(url) == {TENANT: 2, OTHER: 2}


class _Terminal:
    """What a terminal says that it is."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def isatty(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@pytest.mark.parametrize(("answer", "code", "left"), [("n\n", 1, {TENANT: 2, OTHER: 2}), ("y\n", 0, {OTHER: 2})])
def test_a_terminal_is_asked(
    url: str, answer: str, code: int, left: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything that has not expired is deleted; and it sees the progress."""

    class Sys:
        @property
        def stdin(self) -> Any:
            return _Terminal(None)

        @property
        def stderr(self) -> Any:
            return _Terminal(None)

    monkeypatch.setattr(store_commands, "sys", Sys())
    got = run("purge", "--store", url, "--tenant", TENANT, input=answer)
    assert got.exit_code == code
    assert "delete 3 chains, conversations and chat completions? [y/N]" in got.stderr
    assert ("3 of 3 deleted" in got.stderr) == (code == 0)
    assert records_of(url) == left


def test_export(url: str) -> None:
    """JSON lines, of all tenants or of one, and no secret of the store."""
    got = run("export", "--store", url)
    assert got.exit_code == 0
    kinds = [json.loads(line)["kind"] for line in got.stdout.splitlines()]
    assert kinds == ["response"] * 3 + ["conversation", "completion"]
    assert "k3y" not in got.output
    got = run("export", "--store", url, "--tenant", OTHER)
    assert [json.loads(line)["tenant"] for line in got.stdout.splitlines()] == [OTHER]


def test_export_of_what_is_damaged(url: str, tmp_path: Path) -> None:
    """It is named, the rest is written, and the exit status tells."""
    with sqlite3.connect(tmp_path / "some.db") as connection:
        connection.execute("UPDATE diglot_records SET body = x'3132' WHERE key = ?", (key(1),))
    connection.close()
    got = run("export", "--store", url)
    assert got.exit_code == 1
    assert len(got.stdout.splitlines()) == 4
    assert f"'resp_{key(1)}' is stored, but cannot be read" in got.stderr
    assert got.stderr.endswith("Error: 1 of what is stored cannot be read\n")


def test_check(url: str, tmp_path: Path) -> None:
    """What it is, what it promises, how fast it is; nothing is left of the check."""
    before = records_of(url)
    got = run("check", "--store", url)
    assert got.exit_code == 0
    rows = dict(line.split(maxsplit=1) for line in got.stdout.splitlines())
    assert (rows["store"], rows["version"]) == (f"SQLite {tmp_path}/some.db", "1")
    assert "survives" in rows["durability"]
    for step in ("write", "read", "delete"):
        number, unit = rows[step].split()
        assert (float(number) < 60_000, unit) == (True, "ms")
    assert records_of(url) == before


def test_check_of_a_store_that_forgets(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written must be there."""

    async def nothing(*arguments: Any) -> list[Any]:
        return []

    monkeypatch.setattr("diglot.adapters.store.sqlite.SqliteStore.read", nothing)
    got = run("check", "--store", url)
    assert got.exit_code == 1
    assert got.stderr == "Error: the store does not return what was written\n"


@pytest.mark.parametrize("kind", ["postgres", "redis"])
def test_servers(kind: str) -> None:
    """The same commands over the other stores."""
    with getattr(store_servers, kind)() as url:
        filled(url)
        assert len(run("export", "--store", url).stdout.splitlines()) == 5
        words = run("check", "--store", url).stdout
        assert f"store       {'PostgreSQL' if kind == 'postgres' else 'Redis'} 127.0.0.1" in words
        assert ("warning     appendonly=no" in words) == (kind == "redis")
        assert "would delete 5" in run("purge", "--store", url, "--everything", "--dry-run").stdout
        assert "deleted 5" in run("purge", "--store", url, "--everything").stdout
        assert not any(records_of(url).values())
        assert ": 1 process, 0 runs" in run("stats", "--store", url).stdout


def test_which_store(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the server's settings, and without any its default."""
    file = tmp_path / "diglot.toml"
    file.write_text(f'upstream = "http://up:1"\n[state]\nstore = "{url}"\n')
    assert run("stats", "--config", str(file)).stdout.startswith(f"SQLite {tmp_path}/some.db")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    got = run("stats")
    assert (got.exit_code, got.stderr) == (1, f"Error: store: there is no file {tmp_path}/diglot/diglot.db\n")
    (tmp_path / "some.db").rename(tmp_path / "diglot" / "diglot.db")
    assert run("stats").stdout.startswith(f"SQLite {tmp_path}/diglot/diglot.db")
    monkeypatch.setenv("DIGLOT_STORE", f"sqlite:///{tmp_path}/other.db")
    assert run("stats").exit_code == 1
    monkeypatch.delenv("DIGLOT_STORE")
    monkeypatch.setenv("XDG_STATE_HOME", str(file))
    got = run("stats")
    assert (got.exit_code, got.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("command", ["stats", "purge", "export", "check"])
@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("none", 2, "store: 'none' keeps nothing"),
        ("memory", 2, "store: 'memory' keeps nothing"),
        ("mysql://me:k3y@h/x", 2, "store: A store is 'memory'"),
        ("redis://me:k3y@127.0.0.1:1/0", 1, "store: redis://127.0.0.1:1/0: "),
        ("sqlite:////dev/null/x.db", 1, "store: there is no file /dev/null/x.db"),
        ("sqlite:////dev/null", 1, "store: /dev/null: "),
    ],
)
def test_stores_that_do_not_open(command: str, url: str, code: int, words: str) -> None:
    """One clear line, without the password."""
    got = run(command, "--store", url)
    assert got.exit_code == code
    assert got.stderr.startswith(f"Error: {words}")
    assert got.stderr.count("\n") == 1
    assert "k3y" not in got.output
    assert isinstance(got.exception, SystemExit | click.ClickException)
