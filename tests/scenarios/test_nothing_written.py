"""What is not to be stored is not in the database, not in its files, and not in the log; and no credential ever is."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import httpx2
import pytest
import redis.asyncio

from diglot.adapters.store import open_store

import store_servers
from durability import KEY, KINDS, Caller, Told, echo_upstream, server, turn

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MARK = "never-to-be-written"
"""In everything that is not to be stored."""
STORED = "this-is-to-be-stored"
UNKNOWN = "0" * 32


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with echo_upstream() as url:
        yield url


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=60) as client:
        yield client


@contextmanager
def place(kind: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """The URL of a new store, and where its files are."""
    if kind == "sqlite":
        files = folder / "files"
        files.mkdir()
        yield f"sqlite:///{files / 'store.db'}", files
    elif kind == "postgres":
        with store_servers.postgres_server() as (database, files):
            yield database.url, files
    else:
        with store_servers.redis_server("--appendonly", "yes") as (database, files):
            yield database.url, files


async def flush(url: str) -> None:
    """Have a database write down all it has."""
    if url.startswith("postgresql"):
        connection: Any = await asyncpg.connect(url)
        await connection.execute("CHECKPOINT")
        await connection.close()
    elif url.startswith("redis"):
        client: Any = redis.asyncio.from_url(url)
        await client.save()
        await client.aclose()


def written(place: Path) -> bytes:
    """All bytes below, and what those that are compressed stand for."""
    found = b"\n".join(file.read_bytes() for file in place.rglob("*") if file.is_file())
    return found + b"\n".join(map(_decompressed, found.split(_COMPRESSED)[1:]))


_COMPRESSED = b"x\x01"
"""How records begin that zlib has made shorter."""


def _decompressed(rest: bytes) -> bytes:
    with suppress(zlib.error):
        return zlib.decompressobj().decompress(_COMPRESSED + rest)
    return b""


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.rglob("*")}


async def counted(url: str) -> list[Any]:
    store = open_store(url)
    await store.open()
    found = [each[1:] for each in await store.counts()]
    await store.close()
    return found


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("/responses", {"model": "quick", "input": MARK, "previous_response_id": f"resp_{UNKNOWN}"}),
    ("/responses", {"model": "quick", "input": MARK, "conversation": f"conv_{UNKNOWN}"}),
    ("/responses", {"model": "quick", "input": [{"type": "item_reference", "id": f"msg_{UNKNOWN}0000"}, MARK]}),
    ("/responses", {"model": "refusing", "input": MARK}),
    ("/responses", {"model": "failing", "input": MARK}),
    ("/responses", {"model": "quick", "input": [{"type": "function_call_output", "call_id": MARK, "output": MARK}]}),
    ("/responses/compact", {"model": "quick", "input": MARK, "previous_response_id": f"resp_{UNKNOWN}"}),
    ("/conversations", {"items": [{"type": MARK}]}),
    ("/conversations", {"items": [{"role": "user", "content": MARK}] * 21}),
    ("/conversations", {"metadata": {MARK * 64: MARK}}),
    (f"/conversations/conv_{UNKNOWN}/items", {"items": [{"role": "user", "content": MARK}]}),
]


async def use_without_storing(caller: Caller) -> None:
    """Requests that are refused, cut, or not to be stored."""
    for path, body in REFUSED:
        got = await caller.send("POST", path, body)
        assert got.status_code >= 400, f"{path} {body}: {got.text}"
    for stream in (True, False):
        told = await caller.tell(turn(input=MARK, metadata={"word": MARK}, store=False, stream=stream))
        assert isinstance(told, Told)
        assert told.answer["store"] is False
        with anyio.move_on_after(0.3):  # a client that leaves
            await caller.tell(turn(input=f"{MARK} a b", stream=stream, model="slow-1"))
    counting = {"model": "quick", "input": MARK}
    assert (await caller.send("POST", "/responses/input_tokens", counting)).status_code == 200
    assert (await caller.send("POST", "/responses/compact", counting)).status_code == 200
    chat = {"model": "quick", "messages": [{"role": "user", "content": MARK}]}
    assert (await caller.send("POST", "/chat/completions", chat)).status_code == 200
    await anyio.sleep(1)  # for the answers that nobody waits for


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_written(kind: str, upstream: str, http: httpx2.AsyncClient, tmp_path: Path) -> None:
    """Only what is to be stored is: the same search finds that."""
    with place(kind, tmp_path) as (url, files):
        with server(url, upstream, tmp_path, "--log-level", "debug") as served:
            caller = Caller(http, served.base)
            await use_without_storing(caller)
            assert await counted(url) == []
            kept = await caller.stored(turn())
            chat = turn(kept, input=MARK, store=False)
            assert isinstance(await caller.tell(chat), Told)
            conversation = (await caller.send("POST", "/conversations", {})).json()["id"]
            reading = turn(input=MARK, store=False, conversation=conversation)
            assert isinstance(await caller.tell(reading), Told)
            ((records, _, _, conversations, items, *_),) = await counted(url)
            assert (records, conversations, items) == (1, 1, 0)
            told = await caller.tell(turn(input=STORED))
            assert isinstance(told, Told)
            assert told.is_stored
            await flush(url)
            live = written(files)  # as a machine that dies leaves it
            served.end()
        for found in (live, written(files)):
            assert STORED.encode() in found
            assert MARK.encode() not in found
            assert KEY.encode() not in found
        log = served.log.read_bytes()
        assert b"diglot.access" in log
        assert not [word for word in (MARK, STORED, KEY) if word.encode() in log]


async def test_without_a_store(upstream: str, http: httpx2.AsyncClient, tmp_path: Path) -> None:
    """No file is made, and answers say that they are not stored."""
    with server("none", upstream, tmp_path, "--log-level", "debug") as served:
        caller = Caller(http, served.base)
        told = await caller.tell(turn(input=MARK))
        assert isinstance(told, Told)
        assert told.answer["store"] is False
        refused = await caller.tell(turn(told))
        assert not isinstance(refused, Told)
        assert refused.status_code == 400
        served.end()
    assert names(tmp_path) == {served.log.name}
    log = served.log.read_bytes()
    assert not [word for word in (MARK, KEY) if word.encode() in log]
