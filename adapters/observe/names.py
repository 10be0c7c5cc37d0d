"""THE TABLE of metrics, and the names that conventions have for providers. The dashboard is made from it, too.

Names, buckets and providers are those of OpenTelemetry's semantic conventions for generative AI
(https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-metrics.md, status: development), in
Prometheus' spelling: dots become underscores, the unit is the end of the name
(https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/). `{token}` is no unit there.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

CHAT = "chat"
"""The conventions' name of the operation, whichever API it goes through."""
OTHER = "other"
_GEN_AI = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_response_model")
_DURATION = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_FIRST_TOKEN = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_OUTPUT_TOKEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_TOKENS = tuple(float(4**power) for power in range(14))
_TRANSLATION = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)


class Metric(NamedTuple):
    """One row."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()


DURATION = Metric(
    "gen_ai_server_request_duration_seconds",
    "histogram",
    "Time from a translated request to the end of its answer.",
    (*_GEN_AI, "error_type"),
    _DURATION,
)
FIRST_TOKEN = Metric(
    "gen_ai_server_time_to_first_token_seconds",
    "histogram",
    "Time to the first piece of text, reasoning or arguments of a stream.",
    _GEN_AI,
    _FIRST_TOKEN,
)
OUTPUT_TOKEN = Metric(
    "gen_ai_server_time_per_output_token_seconds",
    "histogram",
    "Time per output token of a stream after the first one.",
    _GEN_AI,
    _OUTPUT_TOKEN,
)
TOKENS = Metric(
    "gen_ai_client_token_usage",
    "histogram",
    "Tokens of an exchange, as the upstream counts them; cached_input is part of input, reasoning of output.",
    (*_GEN_AI, "gen_ai_token_type"),
    _TOKENS,
)
REQUESTS = Metric("diglot_requests_total", "counter", "Requests that are over.", ("endpoint", "way", "outcome"))
IN_PROGRESS = Metric("diglot_requests_in_progress", "gauge", "Requests that are being served.", ("endpoint",))
LOSSES = Metric("diglot_losses_total", "counter", "What could not be carried over, by field.", ("field", "kind", "way"))
ATTEMPTS = Metric("diglot_upstream_attempts_total", "counter", "Calls of the upstream.", ("upstream", "result"))
ADAPTATIONS = Metric(
    "diglot_adaptations_total", "counter", "Settings that were changed because of a refusal.", ("setting",)
)
TRANSLATION = Metric(
    "diglot_translation_seconds",
    "histogram",
    "Time to translate a request, or an answer that is no stream.",
    ("step",),
    _TRANSLATION,
)
BUILD = Metric("diglot_build_info", "gauge", "The version; the value is 1.", ("version",))

METRICS = (
    *(DURATION, FIRST_TOKEN, OUTPUT_TOKEN, TOKENS),
    *(REQUESTS, IN_PROGRESS, LOSSES, ATTEMPTS, ADAPTATIONS, TRANSLATION, BUILD),
)
BY_KEY = (REQUESTS, TOKENS)
"""Those that can be told by the names of the clients' keys, too (`--metrics-by-key`)."""
KEY = "key"
TOKEN_TYPES = ("input", "output", "cached_input", "reasoning")

_PROVIDERS = {
    "azure": "azure.ai.openai",
    "mistral": "mistral_ai",
    "gemini": "gcp.gemini",
    "xai": "x_ai",
    "kimi": "moonshot_ai",
    "bedrock": "aws.bedrock",
    "default": "openai",
}
"""The conventions' names of providers, where the profile has another one. Otherwise a custom value is allowed."""


def provider_of(profile: str) -> str:
    """Return the `gen_ai.provider.name` for the name of a profile."""
    return _PROVIDERS.get(profile, profile) or _PROVIDERS["default"]


_ENDPOINT = re.compile(
    r"/(chat/completions|responses/compact|responses/input_tokens|responses|completions|embeddings|models"
    r"|conversations|files|batches|moderations|images|audio)(/.+)?/?\Z",
    re.DOTALL,
)
_LONGEST = 1_000


def endpoint_of(path: str) -> str:
    """Return what a path is for, as one of few names: `/responses`, `/responses/{id}` (and below it), or `other`.

    >>> endpoint_of("/v1/chat/completions"), endpoint_of("/v1/responses/resp_1/cancel"), endpoint_of("/favicon.ico")
    ('/chat/completions', '/responses/{id}', 'other')
    """
    return _endpoint_of(path) if len(path) <= _LONGEST else OTHER


@lru_cache(256)
def _endpoint_of(path: str) -> str:
    match = _ENDPOINT.search(path)
    return OTHER if match is None else f"/{match[1]}/{{id}}" if match[2] else f"/{match[1]}"
