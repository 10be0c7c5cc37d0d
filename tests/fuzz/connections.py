"""Cases of the two bounded protocols: damaged HTTP bytes of a client, in any pieces, without a network."""

from __future__ import annotations

import asyncio
import logging
from random import Random
from typing import Any

import h11
import uvicorn
from uvicorn.server import ServerState

from diglot.adapters.server import protocol_h11, protocol_httptools

from . import damage
from .feeds import Case, begin
from .invariants import invariant

PROTOCOLS: dict[str, Any] = {
    "httptools": protocol_httptools.BoundedHttpToolsProtocol,
    "h11": protocol_h11.BoundedH11Protocol,
}
BODY = b'{"model": "m", "input": "hi"}'
SEEDS = [
    b"POST /v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-length: 29\r\n\r\n" + BODY,
    b"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1d\r\n"
    + BODY
    + b"\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1d;a=b\r\n"
    + BODY
    + b"\r\n0\r\nx-late: 1\r\n\r\n",
    b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /healthz HTTP/1.0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nhost: a\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAM\r\n"
    b"content-length: 29\r\n\r\n" + BODY,
    b"POST /a HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 29\r\n\r\n" + BODY,
    b"POST http://localhost/v1/responses HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
    b"POST /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 29\r\n\r\n" + BODY,
]
LINES = [b"content-length: 5\r\n", b"content-length: 29\r\n", b"content-length: +29\r\n", b"content-length: 29, 29\r\n"]
LINES += [
    b"transfer-encoding: chunked\r\n",
    b"transfer-encoding: gzip, chunked\r\n",
    b"transfer-encoding : chunked\r\n",
]
LINES += [
    b"transfer_encoding: chunked\r\n",
    b" folded: 1\r\n",
    b"\tfolded\r\n",
    b"x: \x00\r\n",
    b"x: \xff\r\n",
    b": x\r\n",
    b"x\r\n",
]
LINES += [
    b"connection: close\r\n",
    b"connection: keep-alive\r\n",
    b"upgrade: websocket\r\nconnection: upgrade\r\n",
    b"\r\n",
    b"\n",
]
LINES += [
    b"x: " + b"y" * 70_000 + b"\r\n",
    b"x-many: 1\r\n" * 300,
    b"host: other\r\n",
    b"trailer: x\r\n",
    b"te: trailers\r\n",
]


def make(random: Random) -> Case:
    """One to three requests on one connection, damaged; half of the time only their heads are."""
    requests = [random.choice(SEEDS) for _ in range(random.choice([1, 1, 2, 3]))]
    for _ in range(random.randint(0, 3)):
        at = random.randrange(len(requests))
        lines = requests[at].split(b"\r\n")
        lines[random.randint(1, len(lines) - 1)] += b"\r\n" + random.choice(LINES).removesuffix(b"\r\n")
        requests[at] = b"\r\n".join(lines)
    data = b"".join(requests)
    data = damage.data_bytes(random, data) if random.random() < 0.4 else data
    return Case(**begin(random, "connection"), asked=random.choice([*PROTOCOLS]), data=data)


def check(case: Case) -> None:
    """Feed a connection to one of the protocols, and read what it answers."""
    talk = Connection(case)
    asyncio.run(talk.run())
    a_connection_never_raises(talk)
    what_is_seen_was_sent(talk)
    answers_are_http(talk)


class Connection(asyncio.Transport):
    """A connection without a network, and an application that keeps what it sees."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.case = case
        self.written = bytearray()
        self.closing = False
        self.seen: list[tuple[dict[str, Any], bytes, bool]] = []
        self.trouble: list[str] = []
        self.raised: BaseException | None = None
        self._pieces = damage.pieces(Random(case.chance), case.data)

    async def run(self) -> None:
        """Feed all pieces, then the end."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: self.trouble.append(str(context)))
        config = uvicorn.Config(
            self.application, log_config=None, access_log=False, ws="none", lifespan="off", interface="asgi3"
        )
        config.load()
        logging.getLogger("uvicorn.error").disabled = True
        one = PROTOCOLS[self.case.asked](config=config, server_state=ServerState(), app_state={}, _loop=loop)
        try:
            one.connection_made(self)
            for piece in self._pieces:
                if self.closing:
                    break
                one.data_received(piece)
                await asyncio.sleep(0)
            for _ in range(20):
                await asyncio.sleep(0)
            one.eof_received()
            one.connection_lost(None)
            for _ in range(5):
                await asyncio.sleep(0)
        except Exception as error:
            self.raised = error
        finally:
            logging.getLogger("uvicorn.error").disabled = False

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        """Reads the body and answers."""
        body, message = b"", {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        self.seen.append((scope, body, message["type"] == "http.request"))
        if message["type"] == "http.request":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})

    # the transport

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closing = True

    abort = close

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def set_protocol(self, protocol: Any) -> None: ...

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"sockname": ("127.0.0.1", 80), "peername": ("127.0.0.1", 5)}.get(name, default)


@invariant
def a_connection_never_raises(talk: Connection) -> None:
    """No bytes of a client make a protocol raise, or leave an exception in the event loop."""
    if talk.raised is not None:
        raise talk.raised
    assert not talk.trouble, talk.trouble


@invariant
def what_is_seen_was_sent(talk: Connection) -> None:
    """The application sees headers and bodies that were sent, in their order, and no framing that contradicts itself.

    A trailer is no header, and a body is as long as its head says.
    """
    trailers_are_whole = talk.case.data.count(b"x-late") == talk.case.data.count(b"\r\n0\r\nx-late")
    for scope, body, whole in talk.seen:
        names = [name for name, _ in scope["headers"]]
        assert b"x-late" not in names or not trailers_are_whole, "a trailer became a header"
        assert all(name == name.lower() and name.strip() for name in names)
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        assert len(set(lengths)) <= 1, lengths
        if whole and lengths and b"transfer-encoding" not in names:
            assert int(lengths[0]) == len(body)


@invariant
def answers_are_http(talk: Connection) -> None:
    """All that is written are whole answers of HTTP/1.1, in the order of the requests: a refusal comes last."""
    data, statuses = bytes(talk.written), list[int]()
    while data:
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
        reader.send(h11.EndOfMessage())
        reader.receive_data(data)
        reader.receive_data(b"")  # one without a length ends with the connection
        while not isinstance(event := reader.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.InformationalResponse) and data.endswith(b"100 Continue\r\n\r\n"):
                return
            assert event not in (h11.NEED_DATA, h11.PAUSED), f"not whole: {data[:200]}"
            statuses += [event.status_code] if isinstance(event, h11.Response) else []
        data = bytes(reader.trailing_data[0])
    answered = sum(whole for _, _, whole in talk.seen)
    assert statuses[:-1] == [200] * len(statuses[:-1]), statuses
    assert len(statuses) <= answered + 1, f"{statuses} for {answered} requests"
    assert statuses.count(200) == answered or talk.closing, f"{statuses} for {answered} requests"
