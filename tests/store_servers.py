"""A PostgreSQL and a Redis of the system's packages, started for tests on a free port in a directory of their own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

_FILES = {"postgres": "*/adapters/store/postgres.py", "redis-server": "*/adapters/store/redis*.py"}
"""The servers, and the files that run with them only."""
REQUIRED = os.environ.get("DIGLOT_REQUIRE_STORES") == "1"


class Engine(NamedTuple):
    """A kind of store, and what its test runs on."""

    kind: str
    backend: str


SQL = [Engine("sqlite", "asyncio"), Engine("postgres", "asyncio")]
ENGINES = [
    *(Engine(kind, backend) for kind in ("memory", "sqlite") for backend in ("asyncio", "trio")),
    Engine("postgres", "asyncio"),
    Engine("redis", "asyncio"),
]

_USER = "postgres"
"""Who runs PostgreSQL, which does not run as root."""
_PATIENCE = 60


def absent(what: str, package: str) -> None:
    """Skip the test, or let it fail where the stores are required."""
    message = f"{what} is not installed (Debian's package {package}): its store is not tested"
    if REQUIRED:
        pytest.fail(f"{message}, and DIGLOT_REQUIRE_STORES=1")
    pytest.skip(message)


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def find(program: str) -> str | None:
    """Where a program is: PostgreSQL's are in no path."""
    places = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    return shutil.which(program, path=os.pathsep.join([*places, os.environ.get("PATH", os.defpath)]))


def find_redis() -> str | None:
    return find("redis-server") or find("valkey-server")


def not_measured() -> list[str]:
    """The files that no test reaches here, because there is no server for them."""
    here = {"postgres": find("initdb"), "redis-server": find_redis()}
    return [files for server, files in _FILES.items() if here[server] is None]


@contextmanager
def directory(user: str | None = None) -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="diglot-"))
    try:
        if user is not None:
            shutil.chown(made, user)
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


class Database:
    """A server of a database, which can be stopped in the middle, and started again on the same files."""

    def __init__(self, url: str, command: Sequence[str | Path], port: int, folder: Path, user: str | None) -> None:
        self.url: str = url
        self.port: int = port
        self._command = command
        self._options: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        self._options["user"] = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it from when it takes connections."""
        process: subprocess.Popen[bytes] = subprocess.Popen(self._command, **self._options)  # type: ignore[call-overload]
        self._process = process
        try:
            _wait_for(self.port, process)
        except RuntimeError:
            self.stop()
            raise

    def stop(self, number: int = signal.SIGTERM) -> None:
        process = self._process
        if process is not None:
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()


@contextmanager
def postgres_server() -> Iterator[tuple[Database, Path]]:
    """A PostgreSQL with a new database, and its folder."""
    initdb, server = find("initdb"), find("postgres")
    if initdb is None or server is None:
        absent("PostgreSQL", "postgresql")
        return
    user = _USER if os.geteuid() == 0 else None
    with directory(user) as made:
        data, port = made / "data", free_port()
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "user": user, "cwd": made}
        subprocess.run([initdb, "-D", data, "-A", "trust", "-U", "diglot", "--no-sync"], check=True, **quiet)
        command = [server, "-D", data, "-p", str(port), "-k", made, "-c", "listen_addresses=127.0.0.1"]
        database = Database(f"postgresql://diglot@127.0.0.1:{port}/postgres", command, port, made, user)
        with running(database):
            yield database, data


@contextmanager
def redis_server(*arguments: str) -> Iterator[tuple[Database, Path]]:
    """A Redis with a new database, and its folder."""
    server = find_redis()
    if server is None:
        absent("Redis", "redis-server")
        return
    with directory() as made:
        port = free_port()
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", *arguments]
        database = Database(f"redis://127.0.0.1:{port}/0", command, port, made, None)
        with running(database):
            yield database, made


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a new database."""
    with postgres_server() as (database, _):
        yield database.url


@contextmanager
def redis(*arguments: str) -> Iterator[str]:
    """The URL of a new database."""
    with redis_server(*arguments) as (database, _):
        yield database.url


@contextmanager
def running(database: Database) -> Iterator[None]:
    database.start()
    try:
        yield
    finally:
        database.stop()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            if _is_ready(port, str(process.args)):
                return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args} takes no connections")


def _is_ready(port: int, command: str) -> bool:
    """PostgreSQL takes connections before it takes questions."""
    asker = find("pg_isready") if "postgres" in command else None
    return (
        asker is None or subprocess.run([asker, "-q", "-h", "127.0.0.1", "-p", str(port)], check=False).returncode == 0
    )


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """The port of a server that takes connections and never says anything."""
    open_ones: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda reader, writer: open_ones.append(writer), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in open_ones:
            writer.close()
        server.close()
        await server.wait_closed()


if __name__ == "__main__":  # for coverage: `make pytest`
    for files in not_measured():
        print(f"Their server is not installed, so they are neither tested nor measured: {files}", file=sys.stderr)
    print(",".join(not_measured()))
