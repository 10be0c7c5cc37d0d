"""A server with one of the bounded protocols, and a client that sends it raw bytes."""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

PATHS: list[str] = []
"""What was asked of all servers."""


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Tells what it is asked; `/flood` tells more than one reads, `/deaf` does not read, `/slow` takes a while."""
    PATHS.append(scope["path"])
    body = b""
    while scope["path"] != "/deaf" and (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message["more_body"]:
            break
    headers = [[name.decode(), value.decode()] for name, value in scope["headers"]]
    told = json.dumps({"method": scope["method"], "path": scope["path"], "headers": headers, "body": body.decode()})
    pieces = [b"x" * 65536] * 400 if scope["path"] == "/flood" else [told.encode()]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await asyncio.sleep(scope["path"] == "/slow")
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class Client:
    """Raw bytes to a server, and what comes back."""

    def __init__(self, port: int) -> None:
        self.port = port

    @contextlib.contextmanager
    def connection(self, *settings: tuple[int, int, int]) -> Iterator[socket.socket]:
        with socket.socket() as one:
            for setting in settings:
                one.setsockopt(*setting)
            one.settimeout(5)
            one.connect(("127.0.0.1", self.port))
            yield one

    def ask(self, *pieces: bytes) -> bytes:
        """Send pieces, one after the other; read until the server closes."""
        with self.connection() as one:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for i, piece in enumerate(pieces):
                if i and len(pieces) < 5:
                    threading.Event().wait(0.02)  # so that they arrive one by one
                with contextlib.suppress(OSError):
                    one.sendall(piece)
            return everything(one)

    def seen(self, *pieces: bytes) -> Any:
        """What the application saw of one request."""
        head, _, body = self.ask(*pieces).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        return json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])


def everything(one: socket.socket) -> bytes:
    pieces: list[bytes] = []
    with contextlib.suppress(ConnectionResetError):
        while piece := one.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@contextlib.contextmanager
def serving(parser: Any) -> Iterator[Client]:
    """A client of a server whose connections *parser* reads."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, http=parser, log_config=None, access_log=False, ws="none", lifespan="off", loop="asyncio"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            thread.join(0.01)
        yield Client(listening.getsockname()[1])
        server.should_exit = True
        thread.join(5)
