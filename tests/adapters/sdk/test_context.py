"""What all calls of a transport share."""

from typing import Any

import pytest

from diglot.adapters.sdk.context import TransportContext

HERE: dict[str, Any] = {"scheme": "http", "server": ("h", 80), "path": "/v1/responses", "method": "POST"}


@pytest.mark.parametrize(
    ("api", "method", "path", "endpoint"),
    [
        ("chat", "POST", "/v1/responses", "/responses"),
        ("chat", "POST", "/any/base/responses/", "/responses"),
        ("chat", "POST", "/v1/responses/compact", "/responses/compact"),
        ("chat", "POST", "/v1/chat/completions", None),
        ("chat", "GET", "/v1/responses", None),
        ("responses", "POST", "/v1/chat/completions", "/chat/completions"),
        ("responses", "POST", "/openai/deployments/d/chat/completions", "/chat/completions"),
        ("responses", "POST", "/v1/responses", None),
        ("responses", "POST", "/v1/completions", None),
    ],
)
def test_what_is_translated(api: Any, method: str, path: str, endpoint: str | None) -> None:
    """The endpoints of the API that the upstream lacks, below any base."""
    context = TransportContext(api, "default", False, None)
    assert context.endpoint_of({"method": method, "path": path}) == endpoint


def test_lessons_belong_to_a_model_at_a_url() -> None:
    """Neither another model nor another host knows them."""
    context = TransportContext("chat", "default", False, None)
    context.learn(HERE, "m", {"unsupported": frozenset({"seed"})})
    context.learn(HERE, "m", {})
    plain = context.profile_for(HERE, "other")
    assert context.profile_for(HERE, "m") != plain
    assert context.profile_for({**HERE, "server": ("other", 80)}, "m") is plain
    assert not context.records
