"""The upstreams of a file, as they are made."""

from typing import Any

import pytest

from diglot.adapters.server.model_settings import tables
from diglot.adapters.server.upstreams import serve_all
from diglot.adapters.upstream.replicas import Replicas

FILE = """
[upstreams.a]
url = "http://a"
api = "responses"
[upstreams.b]
url = ["http://u:p@b1", "http://b2"]
profile = "vllm"
[models]
"*" = { upstream = "b" }
"""


def test_made(fakes: Any) -> None:
    """Each has its API and profile; only several replicas take turns, under names without secrets."""
    settings = fakes.settings(FILE, flags={"store": "memory"})
    found = tables(settings)
    assert found is not None
    served = serve_all(settings, found)
    a, b = served["a"], served["b"]
    assert (a.middleware.upstream_api, a.middleware.replicas, len(a.clients)) == ("responses", None, 1)
    assert (b.middleware.profile.name, len(b.clients)) == ("vllm", 2)
    assert isinstance(b.app, Replicas)
    assert [replica.name for replica in b.app._replicas] == ["http://b1", "http://b2"]
    assert [fakes[name].name for name in ("a", "u:p@b1", "b2")] == ["a", "b", "b"]
    assert a.middleware.keeper is b.middleware.keeper is not None


def test_single_one(fakes: Any) -> None:
    """One that is not in `[upstreams]` has no name: in logs and metrics it is its host and port."""
    settings = fakes.settings('upstream = "http://a"\nmodel_map = ["x=y"]\n')
    found = tables(settings)
    assert found is not None
    serve_all(settings, found)
    assert fakes["a"].name == ""


@pytest.mark.anyio
async def test_answers_without_a_replica(talk: Any, fakes: Any) -> None:
    """Of an upstream with one server nothing is remembered, nor of an error."""
    settings = fakes.settings(FILE)
    found = tables(settings)
    assert found is not None
    served = serve_all(settings, found)
    for name in ("a", "b"):
        await talk(served[name].middleware, {"model": "m"}).run()
    replicas = served["b"].middleware.replicas
    assert replicas is not None
    assert replicas._answered == {}
