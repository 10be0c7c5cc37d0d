"""A task that begins only if it is not prevented before."""

import anyio
import pytest

from diglot.adapters.middleware.late_task import start_late

pytestmark = pytest.mark.anyio


async def test_it_begins_after_its_delay() -> None:
    """In a task of its own."""
    began = anyio.Event()

    async def run() -> None:
        began.set()

    start_late(0.01, run)
    assert not began.is_set()
    with anyio.fail_after(5):
        await began.wait()


async def test_it_is_prevented() -> None:
    """Then it never begins."""
    ran = list[int]()

    async def run() -> None:
        ran.append(1)

    start_late(0.01, run)()
    await anyio.sleep(0.05)
    assert ran == []


async def test_it_outlives_who_has_started_it() -> None:
    """And may be told to stop at any time, without any effect."""
    ended = anyio.Event()

    async def run() -> None:
        await anyio.sleep(0.02)
        ended.set()

    prevent = start_late(0.001, run)
    await anyio.sleep(0.01)
    prevent()
    with anyio.fail_after(5):
        await ended.wait()
