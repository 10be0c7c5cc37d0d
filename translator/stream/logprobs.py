"""Log-probabilities as they are read and sent on the fast paths: the structs of tokens that both directions share."""

from __future__ import annotations

import msgspec

from ..wire import json

NOT_READ = (msgspec.MsgspecError, RecursionError, UnicodeError)
"""What decoding into a struct raises for everything that is not of its shape."""


class OneToken(msgspec.Struct, gc=False, kw_only=True):
    """A token as it is sent, too: what is missing is filled in, and the order is that of parts/logprobs.py."""

    token: str
    bytes: list[int] | None = None
    logprob: int | float


class Token(OneToken, gc=False, kw_only=True):
    top_logprobs: list[OneToken] = []


def encode(tokens: list[Token]) -> bytes:
    for token in tokens:
        _fill(token)
        for other in token.top_logprobs:
            _fill(other)
    return json.encode(tokens)


def _fill(token: OneToken) -> None:
    if token.bytes is None:
        token.bytes = list(token.token.encode())
