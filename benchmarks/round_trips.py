"""Counts what goes to a database: statements of SQL, or what is sent to Redis at once."""

from __future__ import annotations

from typing import Any
from unittest import mock

from redis.asyncio.connection import AbstractConnection
from sqlalchemy import Engine, event


class RoundTrips:
    """As a context: `count` is how many there were in it. A transaction of SQLite begins without one."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> RoundTrips:
        send = AbstractConnection.send_packed_command

        async def counted(connection: Any, *args: Any, **options: Any) -> None:
            self.count += 1
            await send(connection, *args, **options)

        self._patch = mock.patch.object(AbstractConnection, "send_packed_command", counted)
        self._patch.start()
        event.listen(Engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._note)
        self._patch.stop()

    def _note(self, connection: Any, cursor: Any, statement: str, *_: object) -> None:
        self.count += not statement.startswith("BEGIN")
