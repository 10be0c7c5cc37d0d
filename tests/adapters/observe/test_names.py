"""The table of metrics: names as conventions want them, and few values for what clients write."""

import re

import pytest

from diglot.adapters.observe import names
from diglot.adapters.observe.names import METRICS
from diglot.translator import PRESETS

CONVENTION = {
    "gen_ai.server.request.duration": "0.01 0.02 0.04 0.08 0.16 0.32 0.64 1.28 2.56 5.12 10.24 20.48 40.96 81.92",
    "gen_ai.server.time_to_first_token": "0.001 0.005 0.01 0.02 0.04 0.06 0.08 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0",
    "gen_ai.server.time_per_output_token": "0.01 0.025 0.05 0.075 0.1 0.15 0.2 0.3 0.4 0.5 0.75 1.0 2.5",
    "gen_ai.client.token.usage": "1 4 16 64 256 1024 4096 16384 65536 262144 1048576 4194304 16777216 67108864",
}
"""ExplicitBucketBoundaries of docs/gen-ai/gen-ai-metrics.md."""


@pytest.mark.parametrize("name", CONVENTION)
def test_conventions(name: str) -> None:
    """Names in Prometheus' spelling, and the buckets that the document wants."""
    (metric,) = [metric for metric in METRICS if metric.name.startswith(name.replace(".", "_"))]
    assert metric.name.removeprefix(name.replace(".", "_")) == ("" if name.endswith("usage") else "_seconds")
    assert list(metric.buckets) == [float(bound) for bound in CONVENTION[name].split()]


def test_rows() -> None:
    """Each metric is named once, is explained, and has buckets if it is a histogram."""
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch("[a-z_]+", metric.name)
        assert (metric.kind == "counter") is metric.name.endswith("_total")
        assert (metric.kind == "histogram") is bool(metric.buckets)
        assert metric.about.endswith(".")


def test_providers() -> None:
    """Each profile has a provider; the conventions' own words are used where there are any."""
    assert names.provider_of("azure") == "azure.ai.openai"
    assert names.provider_of("vllm") == "vllm"
    assert names.provider_of("") == names.provider_of("default") == "openai"
    assert all(names.provider_of(name) for name in PRESETS)
    assert set(names._PROVIDERS) <= set(PRESETS)


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/v1/responses", "/responses"),
        ("/v1/responses/", "/responses"),
        ("/v1/responses/compact", "/responses/compact"),
        ("/v1/responses/resp_1/input_items", "/responses/{id}"),
        ("/openai/v1/chat/completions", "/chat/completions"),
        ("/chat/completions/chatcmpl-1/messages", "/chat/completions/{id}"),
        ("/v1/completions", "/completions"),
        ("/v1/models/a/b", "/models/{id}"),
        ("/models/responses/x\ny", "/models/{id}"),
        ("/", "other"),
        ("/robots.txt", "other"),
        ("/v1/responsesx", "other"),
        ("/v1/responses/" + "x" * 10**6, "other"),
    ],
)
def test_endpoints(path: str, endpoint: str) -> None:
    """Paths are written by clients: there are few names for them."""
    assert names.endpoint_of(path) == endpoint
