"""Which turn a request is."""

from typing import Any

import pytest

from diglot.adapters import Limits
from diglot.adapters.stateful.chat_turn import ChatTurn
from diglot.adapters.stateful.keeper import Keeper
from diglot.adapters.stateful.responses_turn import ResponsesTurn
from diglot.adapters.stateful.turn import Turn
from diglot.adapters.stateful.turns import turn_of
from diglot.translator import RequestError

pytestmark = pytest.mark.anyio

SCOPE = {"type": "http", "headers": [(b"authorization", b"Bearer me")]}
RESPONSES, COMPACT, COUNT, CHAT = (
    "/responses",
    "/responses/compact",
    "/responses/input_tokens",
    "/chat/completions",
)
CHAINED = {"previous_response_id": "resp_" + "0" * 32}


@pytest.mark.parametrize(
    ("endpoint", "body", "kind", "keeps"),
    [
        (RESPONSES, {}, ResponsesTurn, True),
        (RESPONSES, {"store": None}, ResponsesTurn, True),
        (RESPONSES, {"store": False}, Turn, False),
        (RESPONSES, {"store": False, **CHAINED}, ResponsesTurn, False),
        (COMPACT, {}, Turn, False),
        (COMPACT, CHAINED, ResponsesTurn, False),
        (COUNT, CHAINED, ResponsesTurn, False),
        (CHAT, {"store": True}, ChatTurn, True),
        (CHAT, {"store": None}, Turn, False),
        (CHAT, {}, Turn, False),
    ],
)
async def test_turns(endpoint: str, body: dict[str, Any], kind: type, keeps: bool) -> None:
    """Responses are stored unless a request says otherwise, chat completions only if it says so."""
    keeper = Keeper("memory", limits=Limits())
    async with keeper.running():
        turn = await turn_of(keeper, SCOPE, endpoint, body)
    assert type(turn) is kind
    assert turn.keeps is keeps


async def test_without_a_store() -> None:
    """Reasoning is sealed, and nothing else."""
    keeper = Keeper(None, seal=["0" * 64], limits=Limits())
    assert type(await turn_of(keeper, SCOPE, RESPONSES, CHAINED)) is Turn
    await keeper.end()


@pytest.mark.parametrize("endpoint", [RESPONSES, CHAT])
async def test_what_is_no_boolean(endpoint: str) -> None:
    """Nobody knows whether it means yes."""
    keeper = Keeper("memory", limits=Limits())
    async with keeper.running():
        with pytest.raises(RequestError) as caught:
            await turn_of(keeper, SCOPE, endpoint, {"store": "no"})
    assert caught.value.param == "store"


@pytest.mark.parametrize("metadata", [{"k" * 65: "v"}, {"k": "v" * 513}, {str(i): "v" for i in range(17)}, {"k": 1}])
async def test_what_is_kept_has_bounds(metadata: dict[str, Any]) -> None:
    """Of what is not kept, nobody counts the metadata."""
    keeper = Keeper("memory", limits=Limits())
    with pytest.raises(RequestError, match="metadata"):
        await turn_of(keeper, SCOPE, RESPONSES, {"metadata": metadata})
    assert (await turn_of(keeper, SCOPE, RESPONSES, {"metadata": metadata, "store": False})).keeps is False
