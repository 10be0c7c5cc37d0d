"""An HTTP server on loopback that keeps connections, answers what a script says, and notes what it was asked."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """One request."""

    line: str
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)


Steps = Iterable[bytes | float | None]
"""What to do for a request: bytes are sent, numbers are waited for unless the client hangs up, None is a cut."""


class ScriptedServer:
    """Serves each connection in a thread of its own; *script* may be replaced at any time."""

    def __init__(self, script: Callable[[Asked], Steps], tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.connections = 0
        self.hung_up = threading.Event()
        """Whether a client has left while it was being answered."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._tls = tls
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()
        self._start(self._accept)

    @property
    def port(self) -> int:
        return self._listening.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://localhost:{self.port}"

    def stop(self) -> None:
        self._stopped.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listening.close()

    def _start(self, function: Callable[..., None], *values: Any) -> None:
        thread = threading.Thread(target=function, args=values, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True) as secured:
                secured.settimeout(0.02)
                while (asked := self._read(secured)) is not None:
                    self.asked.append(asked)
                    if not self._answer(secured, self.script(asked)):
                        return
        except OSError:
            connection.close()

    def _answer(self, connection: socket.socket, steps: Steps) -> bool:
        for step in steps:
            if step is None:
                return False
            if isinstance(step, bytes):
                connection.sendall(step)
            elif self._left_within(connection, step):
                self.hung_up.set()
                return False
        return True

    def _left_within(self, connection: socket.socket, seconds: float) -> bool:
        """Whether the client hangs up in this time; the server's end ends it, too."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._stopped.is_set():
            try:
                return not connection.recv(1)
            except TimeoutError:
                pass
            except OSError:
                return True
        return False

    def _read(self, connection: socket.socket) -> Asked | None:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self._piece(connection)
            if not piece:
                return None
            data += piece
        head, _, content = data.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
        while len(content) < int(headers.get("content-length", 0)):
            content += self._piece(connection)
        return Asked(line, headers, content)

    def _piece(self, connection: socket.socket) -> bytes:
        while not self._stopped.is_set():
            try:
                return connection.recv(65536)
            except TimeoutError:
                pass
        return b""


def answer(body: Any, status: int = 200, **headers: str) -> list[bytes]:
    """A whole answer, *body* as JSON or as bytes; `_` in a name is `-`."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return [f"HTTP/1.1 {status} Said\r\n{lines}content-length: {len(content)}\r\n\r\n".encode() + content]


def stream(*steps: bytes | float | None, end: bool = True, **headers: str) -> list[bytes | float | None]:
    """An event stream in chunks; without an *end*, its last chunk never comes."""
    named = {"content-type": "text/event-stream", **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    head = f"HTTP/1.1 200 OK\r\n{lines}transfer-encoding: chunked\r\n\r\n".encode()
    chunks = [b"%x\r\n%b\r\n" % (len(step), step) if isinstance(step, bytes) else step for step in steps]
    return [head, *chunks, *([b"0\r\n\r\n"] if end else [])]


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One frame of a chat stream."""
    choices = [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    value = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
HELLO = (chunk({"role": "assistant", "content": "Hel"}), chunk({"content": "lo"}), chunk(finish="stop"), DONE)
"""A whole chat stream."""
COMPLETION = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
_MESSAGE = {"id": "m1", "type": "message", "role": "assistant", "status": "completed"}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "output": [{**_MESSAGE, "content": [{"type": "output_text", "text": "Hello", "annotations": []}]}],
    "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
}


def event(kind: str, **fields: Any) -> bytes:
    """One frame of a Responses stream."""
    return f"event: response.{kind}\ndata: {json.dumps({'type': f'response.{kind}', **fields})}\n\n".encode()


RESPONSE_STREAM = (
    event("created", response={**RESPONSE, "status": "in_progress", "output": []}),
    event("output_item.added", output_index=0, item={**_MESSAGE, "content": []}),
    event("output_text.delta", output_index=0, content_index=0, item_id="m1", delta="Hello"),
    event("completed", response=RESPONSE),
)
