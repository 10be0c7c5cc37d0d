"""What the Python clients share: servers that take turns, and a line on stdout for each scenario.

A scenario is a function of the credential. A loop runs twice: `chained`, where it relies on what the servers keep, and
then with everything sent. `clients.py` compares what reaches the upstream.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient

BASES = os.environ["DIGLOT_BASES"].split()
MODEL, REASONING_MODEL = "gpt-4.1", "gpt-5.1"
_bases = itertools.cycle(map(httpx2.URL, BASES))


def _turn(request: httpx2.Request) -> None:
    """Send the request to the process after the one that got the last request."""
    request.url = request.url.copy_with(port=next(_bases).port)
    request.headers["host"] = request.url.netloc.decode()


async def _turn_async(request: httpx2.Request) -> None:
    _turn(request)


def http() -> DefaultHttpxClient:
    return DefaultHttpxClient(event_hooks={"request": [_turn]})


def async_http() -> DefaultAsyncHttpxClient:
    return DefaultAsyncHttpxClient(event_hooks={"request": [_turn_async]})


def sdk(credential: str) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=BASES[0], api_key=credential, max_retries=0, http_client=async_http())


def weather(city: str, day: str) -> str:
    """Tell the weather of a city."""
    return f"In {city} it is sunny on {day}."


def question(turn: int) -> str:
    return f"What is the weather on day {turn}?"


async def run(client: str, scenarios: dict[str, Callable[[str], Awaitable[str | None]]], **loops: Any) -> None:
    """Run the *scenarios*, and each of the *loops* twice."""
    for name, loop in loops.items():
        await _run(name, lambda: _twice(loop, f"sk-{client}-{name}"))  # noqa: B023
    for name, scenario in scenarios.items():
        await _run(name, lambda: scenario(f"sk-{client}-{name}"))  # noqa: B023


async def _twice(loop: Callable[[str, bool], Awaitable[None]], credential: str) -> str:
    await loop(credential, True)
    await loop(f"{credential}-full", False)
    return "LOOP"


async def _run(name: str, scenario: Callable[[], Awaitable[str | None]]) -> None:
    try:
        verdict = await asyncio.wait_for(scenario(), 60)
    except Exception as error:
        print("FAIL", name, " ".join(f"{type(error).__name__}: {error}".split())[:400], flush=True)
    else:
        print(verdict or "PASS", name, flush=True)
