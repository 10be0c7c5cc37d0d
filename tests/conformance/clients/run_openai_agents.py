"""openai-agents: chained runs, a conversation that the server keeps, its lock, and both ways to compact a session."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import scenarios
from agents import (
    Agent,
    ModelSettings,
    OpenAIConversationsSession,
    OpenAIResponsesCompactionSession,
    OpenAIResponsesModel,
    Runner,
    SQLiteSession,
    function_tool,
    set_tracing_disabled,
)
from scenarios import MODEL, question

TURNS = 4
weather = function_tool(scenarios.weather)


def agent(credential: str, model: str = MODEL, **settings: Any) -> Agent:
    served = OpenAIResponsesModel(model=model, openai_client=scenarios.sdk(credential))
    return Agent(
        name="weather",
        instructions="Be brief.",
        model=served,
        tools=[weather],
        model_settings=ModelSettings(**settings),
    )


async def run(who: Agent, asked: Any, streamed: bool, **more: Any) -> Any:
    if not streamed:
        return await Runner.run(who, asked, **more)
    result = Runner.run_streamed(who, asked, **more)
    async for _ in result.stream_events():
        pass
    return result


def previous_response_id(streamed: bool) -> Any:
    async def loop(credential: str, chained: bool) -> None:
        who, last = agent(credential, store=chained), None
        for turn in range(TURNS):
            new = {"role": "user", "content": question(turn)}
            if chained:
                more = {"previous_response_id": last.last_response_id} if last else {"auto_previous_response_id": True}
                last = await run(who, [new], streamed, **more)
            else:
                last = await run(who, [*(last.to_input_list() if last else []), new], streamed)
            assert "sunny" in last.final_output, last.final_output

    return loop


def conversation(streamed: bool) -> Any:
    async def loop(credential: str, chained: bool) -> None:
        who, last = agent(credential, store=chained), None
        kept = (await scenarios.sdk(credential).conversations.create()).id if chained else None
        for turn in range(TURNS):
            new = {"role": "user", "content": question(turn)}
            if chained:
                last = await run(who, [new], streamed, conversation_id=kept)
            else:
                last = await run(who, [*(last.to_input_list() if last else []), new], streamed)
            assert "sunny" in last.final_output, last.final_output

    return loop


async def conversations_session(credential: str, chained: bool) -> None:
    """The session reads and writes the items of a conversation; the requests have the whole history."""
    session = OpenAIConversationsSession(openai_client=scenarios.sdk(credential))
    kept = session if chained else SQLiteSession("local")
    who = agent(credential, store=False)
    for turn in range(TURNS):
        result = await Runner.run(who, question(turn), session=kept)
        assert "sunny" in result.final_output, result.final_output
    assert len(await kept.get_items()) == 4 * TURNS
    assert len(await kept.get_items(limit=3)) == 3
    popped = await kept.pop_item()
    assert popped is not None
    assert popped["role"] == "assistant"
    assert len(await kept.get_items()) == 4 * TURNS - 1
    await kept.clear_session()


async def lock(credential: str) -> None:
    """The second of two runs at once is refused, and tried again by openai-agents."""
    kept = (await scenarios.sdk(credential).conversations.create()).id
    runs = [Runner.run(agent(credential, "slow"), question(number), conversation_id=kept) for number in range(2)]
    for result in await asyncio.gather(*runs):
        assert "sunny" in result.final_output, result.final_output
    items = [item.type async for item in scenarios.sdk(credential).conversations.items.list(kept, order="asc")]
    assert sorted(items) == sorted(["message", "function_call", "function_call_output", "message"] * 2), items


def compaction(mode: Any) -> Any:
    async def scenario(credential: str) -> None:
        session = OpenAIResponsesCompactionSession(
            "compacted",
            SQLiteSession("compacted"),
            client=scenarios.sdk(credential),
            model=MODEL,
            compaction_mode=mode,
            should_trigger_compaction=lambda about: len(about["compaction_candidate_items"]) >= 6,
        )
        who = agent(credential, store=mode != "input")
        lengths = []
        for turn in range(6):
            result = await Runner.run(who, question(turn), session=session)
            assert "sunny" in result.final_output, result.final_output
            lengths.append(len(await session.get_items()))
        kinds = [item.get("type") for item in await session.get_items()]
        assert "compaction" in kinds, kinds
        assert any(later < earlier for earlier, later in pairwise(lengths)), lengths

    return scenario


async def main() -> None:
    set_tracing_disabled(True)
    loops = {
        "previous_response_id": previous_response_id(False),
        "previous_response_id_streamed": previous_response_id(True),
        "conversation": conversation(False),
        "conversation_streamed": conversation(True),
        "conversations_session": conversations_session,
    }
    alone = {
        "conversation_lock": lock,
        "compaction_of_a_chain": compaction("previous_response_id"),
        "compaction_of_items": compaction("input"),
        "compaction_auto": compaction("auto"),
    }
    await scenarios.run("openai-agents", alone, **loops)


if __name__ == "__main__":
    asyncio.run(main())
