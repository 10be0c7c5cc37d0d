"""Something between a client and a server that can hold back, delay and cut what they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Relay:
    """Passes bytes on, both ways; on asyncio."""

    def __init__(self, target: int) -> None:
        self.port: int = 0
        self.delay: float = 0
        """Seconds before each piece is passed on."""
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()

    @classmethod
    @asynccontextmanager
    async def to(cls, port: int) -> AsyncIterator[Relay]:
        """Take connections as long as the context lasts."""
        relay = cls(port)
        listening = await asyncio.start_server(relay._connected, "127.0.0.1", 0)
        relay.port = listening.sockets[0].getsockname()[1]
        try:
            yield relay
        finally:
            listening.close()
            relay.drop()

    def hold(self) -> None:
        """Take everything, and pass nothing on."""
        self._open.clear()

    def drop(self) -> None:
        """Cut all connections, and pass on what comes with new ones."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self._open.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        await self._open.wait()
        with suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(back)
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                await asyncio.sleep(self.delay)
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
