"""The engine that works on Ray: a double of it shows what it is asked for. tests/recipes has Ray itself."""

import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from diglot.adapters.migrate import MigrationError, SettingError, ray_engine
from diglot.adapters.migrate.inputs import sources_of
from diglot.adapters.migrate.progress import Progress
from diglot.adapters.migrate.ray_engine import on_ray
from diglot.adapters.migrate.run import Migration

from lines_of import TO_RESPONSES, batch, migrated, place


class LostError(Exception):
    """What Ray says if it has given up."""


class TaskError(LostError):
    """What Ray says if a task has failed."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("Traceback, in many lines")
        self.cause: Exception = cause


class Ray(SimpleNamespace):
    """Tasks are run when they are waited for, the last one first; each second wait is in vain."""

    exceptions = SimpleNamespace(RayError=LostError, RayTaskError=TaskError)

    def __init__(self) -> None:
        super().__init__(calls=[], waits=0, failure=None)

    def init(self, **settings: Any) -> None:
        self.calls.append(settings.get("address"))

    def shutdown(self) -> None:
        self.calls.append("shutdown")

    def remote(self, **settings: Any) -> Any:
        self.calls.append(settings)
        return lambda function: SimpleNamespace(remote=lambda *arguments: lambda: function(*arguments))

    def put(self, value: Any) -> Any:
        return value

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0}

    def wait(self, running: list[Any], **settings: Any) -> tuple[list[Any], list[Any]]:
        self.waits += 1
        return ([], running) if self.waits % 2 else (running[-1:], running[:-1])

    def get(self, task: Any) -> Any:
        if self.failure is not None:
            raise self.failure
        return task()


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    double = Ray()
    monkeypatch.setitem(sys.modules, "ray", double)
    monkeypatch.setattr(ray_engine, "_PROBE", "pass")
    return double


def by_ray(tmp_path: Path, address: str = "", name: str = "out.jsonl") -> bytes:
    source = tmp_path / "in.jsonl"
    source.write_bytes(batch(40))
    with Path("/dev/null").open("w") as out:
        migration = Migration(sources_of([str(source)]), place(tmp_path, name), TO_RESPONSES, part_size=1_000)
        assert migration.run(on_ray(address), Progress(out, is_quiet=True)).is_complete
    return place(tmp_path, name).path.read_bytes()


def test_parts_are_tasks(tmp_path: Path, ray: Ray) -> None:
    """In whatever order they are finished, the output is the same; a lost worker's part is done again."""
    made = by_ray(tmp_path)
    migrated(tmp_path / "in.jsonl", place(tmp_path, "plain.jsonl"))
    assert made == place(tmp_path, "plain.jsonl").path.read_bytes()
    assert ray.calls == ["local", {"num_cpus": 1, "max_retries": 10}, "shutdown"]


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_cluster(tmp_path: Path, ray: Ray, scheme: str) -> None:
    """It is looked for first, and so is `auto` by Ray itself."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"{scheme}127.0.0.1:{server.getsockname()[1]}"
        by_ray(tmp_path, address)
    by_ray(tmp_path, "auto", "other.jsonl")
    assert [call for call in ray.calls if call in (address, "auto")] == [address, "auto"]


@pytest.mark.usefixtures("ray")
def test_a_cluster_that_is_not_there(tmp_path: Path) -> None:
    """The failure names it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"ray://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(MigrationError, match="cannot be reached"):
        by_ray(tmp_path, address)
    with pytest.raises(SettingError, match="--engine ray=h:x"):
        by_ray(tmp_path, "h:x", "other.jsonl")


@pytest.mark.usefixtures("ray")
@pytest.mark.parametrize(
    ("probe", "words"),
    [
        ("import sys; sys.exit('Traceback\\nno such version')", "cannot be reached: no such version"),
        ("raise SystemExit(15)", "cannot be reached: Ray gave up without a word"),
        ("import time; time.sleep(60)", "cannot be reached: something is there, but it does not answer as Ray does"),
    ],
)
def test_something_that_is_no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, probe: str, words: str) -> None:
    """It is tried in a process that can be ended."""
    monkeypatch.setattr(ray_engine, "_PROBE", probe)
    monkeypatch.setattr(ray_engine, "_PATIENCE", 0.5)
    with pytest.raises(MigrationError, match=words):
        by_ray(tmp_path, "auto")


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (TaskError(MigrationError("the disk is full")), "^the disk is full$"),
        (LostError("the worker died"), "^Ray could not finish a part: the worker died$"),
    ],
)
def test_a_part_that_fails(tmp_path: Path, ray: Ray, failure: Exception, words: str) -> None:
    """The words are those of the failure itself."""
    ray.failure = failure
    with pytest.raises(MigrationError, match=words):
        by_ray(tmp_path)


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the command that installs it."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingError, match=r"pip install 'diglot\[ray\]'"):
        on_ray()
