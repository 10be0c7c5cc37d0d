"""A task that begins only if it is not stopped before."""

import anyio
import pytest

from diglot.adapters.asgi.late_task import start_late

pytestmark = pytest.mark.anyio


async def test_it_begins_after_its_delay() -> None:
    """In a task of its own."""
    began = anyio.Event()

    async def run() -> None:
        began.set()

    start_late(run, 0.01)
    assert not began.is_set()
    with anyio.fail_after(5):
        await began.wait()


async def test_it_is_stopped_before_it_begins() -> None:
    """Then it never does."""
    ran = list[int]()

    async def run() -> None:
        ran.append(1)

    start_late(run, 0.01)()
    await anyio.sleep(0.05)
    assert ran == []


async def test_it_is_stopped_while_it_runs() -> None:
    """It is cancelled; afterwards there is nothing to stop."""
    began, ended = anyio.Event(), anyio.Event()

    async def run() -> None:
        began.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    stop = start_late(run, 0.001)
    await began.wait()
    stop()
    with anyio.fail_after(5):
        await ended.wait()
    stop()


async def test_what_it_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody else would hear of it."""

    async def run() -> None:
        raise ValueError

    start_late(run, 0.001)
    await anyio.sleep(0.05)
    assert "A background task of a request raised ValueError" in caplog.text
