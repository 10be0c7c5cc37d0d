"""openai-agents with a transport: texts, tools, handoffs and typed outputs, with the API that the upstream lacks."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from pydantic import BaseModel

from diglot import async_http_client

BASE, UPSTREAM_API = os.environ["DIGLOT_BASE"], os.environ["DIGLOT_UPSTREAM_API"]
MODELS = {"chat": OpenAIResponsesModel, "responses": OpenAIChatCompletionsModel}
records: list[Any] = []


class Weather(BaseModel):
    city: str


@function_tool
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"In {city} it is sunny."


def agent(name: str, client: AsyncOpenAI, **settings: Any) -> Agent:
    return Agent(name=name, model=MODELS[UPSTREAM_API](model="m", openai_client=client), **settings)


async def text(client: AsyncOpenAI, run: Callable[..., Awaitable[Any]]) -> None:
    assert (await run(agent("a", client, instructions="Be brief."), "Hi")).final_output


async def tool(client: AsyncOpenAI, run: Callable[..., Awaitable[Any]]) -> None:
    output = (await run(agent("a", client, tools=[get_weather]), "What is the weather in Paris?")).final_output
    assert "sunny" in output, output


async def handoff(client: AsyncOpenAI, run: Callable[..., Awaitable[Any]]) -> None:
    weather = agent("weather", client)
    result = await run(agent("triage", client, handoffs=[weather]), "What is the weather in Paris?")
    assert result.last_agent is weather, result.last_agent.name


async def typed_output(client: AsyncOpenAI, run: Callable[..., Awaitable[Any]]) -> None:
    output = (await run(agent("a", client, output_type=Weather), "What is the weather in Paris?")).final_output
    assert isinstance(output, Weather), output


async def finished(who: Agent, asked: str) -> Any:
    return await Runner.run(who, asked, max_turns=6)


async def streamed(who: Agent, asked: str) -> Any:
    result = Runner.run_streamed(who, asked, max_turns=6)
    async for _ in result.stream_events():
        pass
    return result


async def main() -> int:
    set_tracing_disabled(True)
    made = async_http_client(upstream_api=UPSTREAM_API, on_exchange=records.append)
    failed = 0
    async with AsyncOpenAI(base_url=BASE, api_key="k", max_retries=0, http_client=made) as client:
        for scenario in (text, tool, handoff, typed_output):
            for run in (finished, streamed):
                name = f"{scenario.__name__}-{run.__name__}"
                records.clear()
                try:
                    await scenario(client, run)
                    assert records, "nothing was translated"
                    assert {record.outcome for record in records} == {"completed"}, records
                except Exception as error:
                    failed += 1
                    print(f"FAIL {name} {type(error).__name__}: {str(error)[:300]}", flush=True)
                else:
                    print(f"PASS {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
