"""What needs a store, or more than HTTP."""

from typing import Any

import pytest

from diglot.adapters.sdk.stored_state import refusal


def scope(method: str, path: str, **headers: str) -> dict[str, Any]:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "path": path, "headers": pairs}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/responses/resp_1"),
        ("DELETE", "/v1/responses/resp_1"),
        ("POST", "/v1/responses/resp_1/cancel"),
        ("GET", "/openai/v1/responses/resp_1/input_items"),
        ("POST", "/v1/conversations"),
        ("GET", "/v1/conversations/conv_1/items/"),
    ],
)
def test_state_of_responses(method: str, path: str) -> None:
    """A chat upstream has none; a Responses upstream has its own."""
    error = refusal(scope(method, path), "chat")
    assert error is not None
    assert (error.status, error.code) == (404, "not_found")
    assert "send the whole conversation" in error.message
    assert "resp_1" not in error.message
    assert refusal(scope(method, path), "responses") is None


def test_stored_completions() -> None:
    """A Responses upstream has none."""
    asked = scope("GET", "/v1/chat/completions/c1")
    assert refusal(asked, "responses") is not None
    assert refusal(asked, "chat") is None


def test_counted_tokens() -> None:
    """It is no state, but there is nobody to ask."""
    error = refusal(scope("POST", "/v1/responses/input_tokens"), "chat")
    assert error is not None
    assert "Tokens cannot be counted" in error.message
    assert refusal(scope("POST", "/v1/responses/input_tokens"), "responses") is None


def test_websockets() -> None:
    """Refused where the API has one; others are not ours."""
    error = refusal(scope("GET", "/v1/responses", upgrade="WebSocket"), "chat")
    assert error is not None
    assert error.status == 426
    assert refusal(scope("GET", "/v1/realtime", upgrade="websocket"), "chat") is None


@pytest.mark.parametrize("path", ["/v1/models", "/v1/files/file_1/content", "/v1/responses", "/"])
def test_all_else_may_go_on(path: str) -> None:
    assert refusal(scope("GET", path), "chat") is None
