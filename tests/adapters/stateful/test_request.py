"""What endpoints get."""

from __future__ import annotations

import inspect
import typing

from diglot.adapters.stateful.request import StatefulRequest
from diglot.adapters.stateful.routes import ROUTES


def test_every_endpoint_takes_one() -> None:
    """All have the same shape, so that one place serves them all."""
    for route in ROUTES:
        for endpoint in route.endpoints.values():
            assert inspect.iscoroutinefunction(endpoint)
            assert typing.get_type_hints(endpoint) == {"request": StatefulRequest, "return": dict[str, typing.Any]}
