"""Both drivers have what a call needs."""

import inspect
from types import ModuleType

import pytest

from diglot.adapters.sdk import async_transport, http, transport


@pytest.mark.parametrize("driver", [transport, async_transport])
@pytest.mark.parametrize("protocol", [http.Http, http.Answer])
def test_the_verbs_are_there(driver: ModuleType, protocol: type) -> None:
    """Each with the parameters that the protocol says."""
    made = getattr(driver, f"_{protocol.__name__}")
    for name, verb in inspect.getmembers(protocol, inspect.iscoroutinefunction):
        assert list(inspect.signature(getattr(made, name)).parameters) == list(inspect.signature(verb).parameters)
