"""pydantic-ai: `openai_previous_response_id="auto"` and `openai_conversation_id`, in a loop with tools."""

from __future__ import annotations

import asyncio
from typing import Any

import scenarios
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.providers.openai import OpenAIProvider
from scenarios import MODEL, REASONING_MODEL, question

TURNS = 4


def loop(by: str, streamed: bool = False, model: str = MODEL, **more: Any) -> Any:
    async def run(credential: str, chained: bool) -> None:
        client = scenarios.sdk(credential)
        settings = OpenAIResponsesModelSettings(openai_store=chained, **more)
        if chained and by == "conversation":
            settings["openai_conversation_id"] = (await client.conversations.create()).id
        elif chained:
            settings["openai_previous_response_id"] = "auto"
        agent = Agent(
            OpenAIResponsesModel(model, provider=OpenAIProvider(openai_client=client), settings=settings),
            instructions="Be brief.",
            tools=[scenarios.weather],
        )
        history: list[Any] = []
        for turn in range(TURNS):
            if streamed:
                async with agent.run_stream(question(turn), message_history=history) as result:
                    text = await result.get_output()
            else:
                result = await agent.run(question(turn), message_history=history)
                text = result.output
            assert "sunny" in text, text
            history = result.all_messages()

    return run


async def main() -> None:
    await scenarios.run(
        "pydantic-ai",
        {},
        previous_response_id=loop("previous"),
        previous_response_id_streamed=loop("previous", streamed=True),
        previous_response_id_reasoning=loop("previous", model=REASONING_MODEL, openai_reasoning_effort="low"),
        conversation=loop("conversation"),
    )


if __name__ == "__main__":
    asyncio.run(main())
