"""What is a client, as far as an exchange can see."""

from typing import Any

from diglot.adapters import Limits
from diglot.adapters.middleware.client_writer import ClientWriter
from diglot.adapters.middleware.fan_out import BranchSink, FanOut
from diglot.adapters.middleware.sink import ClientGone, Sink
from diglot.translator import ServeChat


async def send(message: Any) -> None: ...


def test_there_are_two() -> None:
    """Checked by the type checker: a connection takes bytes, a branch takes events."""
    exchange = ServeChat({"model": "m", "n": 2, "messages": [{"role": "user", "content": "Go"}]})
    connection: Sink[bytes] = ClientWriter(send)
    branches: list[BranchSink] = FanOut(exchange, connection, Limits()).sinks
    for sink in (connection, *branches):
        assert (sink.started, sink.done, sink.gone, sink.busy_since) == (False, False, False, 0)
        sink.leave()
        assert sink.gone
    assert len(branches) == 2
    assert issubclass(ClientGone, OSError)
