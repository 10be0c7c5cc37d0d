"""httpx2 and httpx as clients of an upstream."""

import importlib

import anyio
import pytest

from diglot.adapters import Limits
from diglot.adapters.upstream import client as upstream_client
from diglot.adapters.upstream import httpx

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", upstream_client.HTTPX)
async def test_a_client_for_many_users(name: str) -> None:
    """It is of the package that was named; it keeps no cookies and follows nobody."""
    client = httpx.new_client(name, Limits(connect=3))
    inner = client._client
    assert isinstance(inner, importlib.import_module(name).AsyncClient)
    assert inner.follow_redirects is False
    assert len(inner.cookies.jar) == 0
    assert client._timeout.connect == 3
    await client.aclose()
    assert inner.is_closed


@pytest.mark.parametrize("name", upstream_client.HTTPX)
async def test_an_answer_that_does_not_close(name: str) -> None:
    """Closing one takes no longer than an application may take to clean up."""

    class Stuck:
        status_code = 200
        headers = importlib.import_module(name).Headers()

        async def aclose(self) -> None:
            await anyio.sleep(3600)

    with anyio.fail_after(2):
        await httpx.HttpxAnswer(Stuck(), upstream_client.ErrorClasses((), (), ()), 0.1).aclose()
