"""What does one chunk of a stream cost under an SDK, with our transport and without, from a real socket to bytes?"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import httpx2

from benchmarks import equivalence, measure, results, settings
from benchmarks.directions import DIRECTIONS, TITLES, Api, other
from benchmarks.inputs import streams
from diglot import async_http_client, http_client
from diglot.translator import ServeChat, ServeResponses

UNIT = "microseconds of process CPU time for one chunk; the request and the end of the stream are in it"
BARE, ASYNC_BARE, ASYNC_OURS = "httpx2 alone", "httpx2 alone, async", "diglot, async"
ENDPOINTS = {"responses": ServeChat.endpoint, "chat": ServeResponses.endpoint}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def serve(events: list[bytes], port: Connection) -> None:
    """Answer every request with the same stream, one event in each HTTP chunk."""
    body = HEAD + b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events) + b"0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port.send(listening.getsockname()[1])
        while True:
            threading.Thread(target=answer, args=(listening.accept()[0], body), daemon=True).start()


def answer(connection: socket.socket, body: bytes) -> None:
    with connection:
        while data := connection.recv(65536):
            head, _, content = data.partition(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:")
            while len(content) < length:
                content += connection.recv(65536)
            connection.sendall(body)


@contextmanager
def served(events: list[bytes]) -> Iterator[str]:
    """The server, in a process of its own; yields its base URL."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    server = spawn.Process(target=serve, args=(events, there), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}/v1"
    finally:
        server.terminate()


def read(client: httpx2.Client, url: str, body: dict[str, Any]) -> bytes:
    with client.stream("POST", url, json=body) as answer:
        return b"".join(answer.iter_bytes())


async def read_async(client: httpx2.AsyncClient, url: str, body: dict[str, Any]) -> bytes:
    async with client.stream("POST", url, json=body) as answer:
        return b"".join([piece async for piece in answer.aiter_bytes()])


def compare(count: int, api: Api, given: settings.Settings) -> dict[str, Any]:
    asked, upstream = streams.asked("text", api), other(api)
    events = streams.events("text", count, upstream)
    with served(events) as base, asyncio.Runner() as runner:
        bare, ours = httpx2.Client(), http_client(httpx2.Client(), upstream_api=upstream)
        async_bare = httpx2.AsyncClient()
        async_ours = async_http_client(httpx2.AsyncClient(), upstream_api=upstream)
        own, foreign = base + ENDPOINTS[upstream], base + ENDPOINTS[api]
        runs: dict[str, measure.Run] = {
            BARE: lambda: read(bare, own, {**asked, "stream": True}),
            measure.OURS: lambda: read(ours, foreign, asked),
            ASYNC_BARE: lambda: runner.run(read_async(async_bare, own, asked)),
            ASYNC_OURS: lambda: runner.run(read_async(async_ours, foreign, asked)),
        }
        says = equivalence.by_stream([runs[measure.OURS]()], api)
        assert says.text
        assert equivalence.by_stream([runs[ASYNC_OURS]()], api) == says
        rows = measure.compare(runs, given, dict.fromkeys(runs, count))
    for name, floor in ((measure.OURS, BARE), (ASYNC_OURS, ASYNC_BARE)):
        rows[name]["x floor"] = measure.ratio(rows, name, floor)
    measure.show(f"{TITLES[api]}: text under an SDK, {count:,} chunks; per chunk", rows)
    return {"chunks": count, "rows": rows}


def main() -> None:
    given = settings.from_command_line()
    count = 500 if given.short else 5_000
    cases = {api: {"text, one chunk": compare(count, api, given)} for api in DIRECTIONS}
    results.save("transport", UNIT, given, {"directions": cases})


if __name__ == "__main__":
    main()
