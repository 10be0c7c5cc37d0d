"""The asynchronous transport, on asyncio and trio."""

import time
from typing import Any

import anyio
import httpx
import httpx2
import pytest

from diglot import AsyncTransport, async_http_client
from diglot.adapters.sdk import async_transport

from scripted_server import COMPLETION, HELLO, RESPONSE_STREAM, ScriptedServer, stream

pytestmark = pytest.mark.anyio
HI = {"model": "m", "input": "Hi"}


@pytest.mark.parametrize("body", [HI, {**HI, "stream": True}], ids=["whole", "stream"])
async def test_cancelling_hangs_up(upstream: ScriptedServer, body: Any) -> None:
    """Within a second, before the answer and within it."""
    records: list[Any] = []
    steps = [30.0] if body is HI else [*stream(*HELLO[:2], end=False), 30.0]
    upstream.script = lambda asked: steps
    async with async_http_client(httpx2.AsyncClient(timeout=60), on_exchange=records.append) as client:
        began = time.monotonic()
        with anyio.move_on_after(0.5) as scope:
            await client.post(f"{upstream.url}/v1/responses", json=body)
        assert scope.cancelled_caught
        assert time.monotonic() - began < 1.5
        assert await anyio.to_thread.run_sync(upstream.hung_up.wait, 1)
    assert [record.outcome for record in records] == ["disconnected"]


async def test_closing_while_another_task_reads(upstream: ScriptedServer) -> None:
    """The reader gets an end or an error, and the connection is closed."""
    upstream.script = lambda asked: [*stream(HELLO[0], end=False), 30.0]
    async with async_http_client() as client:
        request = client.build_request("POST", f"{upstream.url}/v1/responses", json={**HI, "stream": True})
        answered = await client.send(request, stream=True)

        async def read() -> None:
            try:
                await answered.aread()
            except (httpx2.HTTPError, anyio.ClosedResourceError):
                pass

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read)
                await anyio.sleep(0.3)
                await answered.stream._stream._call.close()
                assert await anyio.to_thread.run_sync(upstream.hung_up.wait, 1)
                tasks.cancel_scope.cancel()


@pytest.mark.parametrize("package", [httpx2, httpx])
async def test_a_transport_beneath(package: Any, upstream: ScriptedServer) -> None:
    """It is used as it is, and closed with the one above."""
    async with package.AsyncClient(transport=AsyncTransport(package.AsyncHTTPTransport())) as client:
        assert (await client.post(f"{upstream.url}/v1/responses", json=HI)).json()["status"] == "completed"
        assert (await client.get(f"{upstream.url}/v1/models")).json() == COMPLETION


async def test_nothing_beneath(upstream: ScriptedServer) -> None:
    """The package is that of the client above."""
    async with AsyncTransport() as made, httpx2.AsyncClient(transport=made) as client:
        assert (await client.post(f"{upstream.url}/v1/responses", json=HI)).status_code == 200
        assert isinstance(made.inner, httpx2.AsyncClient)
    await AsyncTransport().aclose()


async def test_sixteen_at_once_with_choices(upstream: ScriptedServer) -> None:
    """Every answer is whole."""
    upstream.script = lambda asked: stream(*RESPONSE_STREAM)
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "n": 2, "stream": True}
    told: list[str] = []
    async with async_http_client(upstream_api="responses") as client, anyio.create_task_group() as tasks:

        async def ask() -> None:
            told.append((await client.post(f"{upstream.url}/v1/chat/completions", json=body)).text)

        for _ in range(16):
            tasks.start_soon(ask)
    assert [text.count('"content":"Hello"') for text in told] == [2] * 16


async def test_an_answer_that_does_not_close() -> None:
    """Closing one takes a second at most, whatever the caller's client does."""

    class Stuck(httpx2.AsyncByteStream):
        async def aclose(self) -> None:
            await anyio.sleep(3600)

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> bytes:
            raise StopAsyncIteration

    with anyio.fail_after(3):
        await async_transport._Answer(httpx2.Response(200, stream=Stuck())).close()
