"""LangChain: ChatOpenAI with `use_previous_response_id`, in a loop with tools."""

from __future__ import annotations

import asyncio
from typing import Any

import scenarios
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from scenarios import BASES, MODEL, REASONING_MODEL, question

TURNS = 4
weather = tool(scenarios.weather)


def loop(streamed: bool = False, **settings: Any) -> Any:
    async def run(credential: str, chained: bool) -> None:
        about: Any = {"model": MODEL, "base_url": BASES[0], "api_key": credential, "max_retries": 0, **settings}
        chat = ChatOpenAI(
            **about,
            use_responses_api=True,
            use_previous_response_id=chained,
            store=chained,
            http_client=scenarios.http(),
            http_async_client=scenarios.async_http(),
        ).bind_tools([weather])
        history: list[BaseMessage] = [SystemMessage("Be brief.")]
        for turn in range(TURNS):
            history.append(HumanMessage(question(turn)))
            while not isinstance(history[-1], AIMessage):
                answer = await _ask(chat, history, streamed)
                history.append(answer)
                for call in answer.tool_calls:
                    history.append(ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"]))
            assert "sunny" in history[-1].text, history[-1]

    return run


async def _ask(chat: Any, history: list[BaseMessage], streamed: bool) -> Any:
    if not streamed:
        return await chat.ainvoke(history)
    whole = None
    async for chunk in chat.astream(history):
        whole = chunk if whole is None else whole + chunk
    return whole


async def main() -> None:
    reasoning = {"model": REASONING_MODEL, "reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"]}
    await scenarios.run(
        "langchain",
        {},
        previous_response_id=loop(),
        previous_response_id_streamed=loop(streamed=True),
        previous_response_id_reasoning=loop(**reasoning),
    )


if __name__ == "__main__":
    asyncio.run(main())
