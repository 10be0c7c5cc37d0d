"""The middleware of the server."""

from typing import Any

import pytest

from diglot.adapters.server.middleware import ServerMiddleware

pytestmark = pytest.mark.anyio


async def test_shared_state(talk: Any, fakes: Any) -> None:
    """With the keeper of another one, both keep what is stored together."""
    chat: Any = fakes["a"]
    first = ServerMiddleware(chat, store="memory")
    second = ServerMiddleware(chat, keeper=first.keeper)
    assert second.keeper is first.keeper
    assert ServerMiddleware(chat).keeper is None
    async with first.running():
        stored = (await talk(first, {"model": "m", "input": "Hi"}).run()).json
        got = await talk(second, method="GET", path=f"/v1/responses/{stored['id']}").run()
    assert got.json["id"] == stored["id"]
