"""Log-probabilities of tokens (protocol 4.7): Responses requires lists where chat has nulls."""

from __future__ import annotations

from typing import Any


def to_responses(logprobs: Any) -> list[dict[str, Any]]:
    """Return the tokens of a chat choice's `logprobs` as Responses lists them."""
    return to_chat(logprobs.get("content")) if isinstance(logprobs, dict) else []


def to_chat(tokens: Any) -> list[dict[str, Any]]:
    """Return the tokens of a Responses text as chat lists them; the events of streams leave their bytes out."""
    return [_token(t) for t in tokens if isinstance(t, dict)] if isinstance(tokens, list) else []


def _token(token: dict[str, Any]) -> dict[str, Any]:
    top = token.get("top_logprobs")
    return {
        **_one(token),
        "top_logprobs": [_one(t) for t in top if isinstance(t, dict)] if isinstance(top, list) else [],
    }


def _one(token: dict[str, Any]) -> dict[str, Any]:
    text = token.get("token")
    text = text if isinstance(text, str) else ""
    octets = token.get("bytes")
    logprob = token.get("logprob")
    return {
        "token": text,
        "bytes": octets if _are_bytes(octets) else list(text.encode("utf-8", "replace")),
        "logprob": logprob if isinstance(logprob, (int, float)) else -9999.0,  # OpenAI's word for "very unlikely"
    }


def _are_bytes(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(byte, int) for byte in value)
