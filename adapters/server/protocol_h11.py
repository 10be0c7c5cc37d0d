"""uvicorn's h11 protocol with limits. h11 itself reads a body after an offered upgrade, and separates trailers."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .protocol import HEAD_TOO_LARGE, MAX_HEAD, TIMEOUT, ConnectionTimers, refusal


class BoundedH11Protocol(H11Protocol):
    """One connection."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.conn: h11.Connection = h11.Connection(h11.SERVER, MAX_HEAD)  # its own limit is lower, and answers 400
        self._timers = ConnectionTimers(self.loop, self._time_out)
        self._has_received = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._timers.open(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timers.close()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._timers.reader.start()

    def resume_writing(self) -> None:
        self._timers.reader.stop()
        super().resume_writing()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._timers.expect_reader()

    def data_received(self, data: bytes) -> None:
        """h11 limits incomplete heads; here, heads that come in one piece get the same limit."""
        self._has_received = True
        if self.conn.their_state is h11.IDLE:
            head = bytes(self.conn.trailing_data[0] + data[: MAX_HEAD + 1])
            if head.startswith(b"CONNECT "):
                self._refuse(405, "CONNECT is not supported.")
                return
            if len(head) > MAX_HEAD and b"\r\n\r\n" not in head[:MAX_HEAD]:
                self._refuse(431, HEAD_TOO_LARGE)
                return
        super().data_received(data)

    def handle_events(self) -> None:
        """A request is expected from its first byte to its end."""
        super().handle_events()
        if self.conn.their_state is h11.SEND_BODY:
            self._timers.expect_body()
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._timers.expect_head()
        else:
            self._timers.expect_nothing()

    def _time_out(self) -> None:
        if self._has_received:
            self._refuse(408, TIMEOUT)
        else:
            self.transport.close()  # opened ahead of time, as browsers do

    def _refuse(self, status: int, text: str) -> None:
        """Close the connection, after answering a request that has no answer yet."""
        has_answer = self.cycle is not None and self.cycle.response_started
        if not has_answer or (self.cycle.response_complete and self.conn.their_state is h11.IDLE):
            self.transport.write(refusal(status, text))
        self.transport.close()
        self._timers.expect_reader()
