"""What endpoints get."""

from __future__ import annotations

import inspect
import threading
import typing

import pytest

from diglot.adapters.stateful.request import StatefulRequest, off_the_loop
from diglot.adapters.stateful.routes import ROUTES


def test_every_endpoint_takes_one() -> None:
    """All have the same shape, so that one place serves them all."""
    for route in ROUTES:
        for endpoint in route.endpoints.values():
            assert inspect.iscoroutinefunction(endpoint)
            assert typing.get_type_hints(endpoint) == {"request": StatefulRequest, "return": dict[str, typing.Any]}


@pytest.mark.anyio
async def test_large_things_are_made_in_a_thread() -> None:
    """Small ones are not: that would cost more."""
    here = threading.get_ident()
    assert await off_the_loop(2**20, threading.get_ident) == here
    assert await off_the_loop(2**20 + 1, threading.get_ident) != here
