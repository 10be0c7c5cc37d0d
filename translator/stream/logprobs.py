"""Log-probabilities on the fast paths: the token structs that both directions share."""

from __future__ import annotations

import msgspec

from ..wire import json

NOT_READ = (msgspec.MsgspecError, RecursionError, UnicodeError)
"""What decoding into a struct raises for data of another shape."""


class OneToken(msgspec.Struct, gc=False, kw_only=True):
    """A token as it is read and sent: missing bytes are filled in, and fields are in the order of parts/logprobs.py."""

    token: str
    bytes: list[int] | None = None
    logprob: int | float

    def __post_init__(self) -> None:
        if self.bytes is None:
            self.bytes = list(self.token.encode())


class Token(OneToken, gc=False, kw_only=True):
    """A token with its most likely alternatives."""

    top_logprobs: list[OneToken] = []


def encode(tokens: list[Token]) -> bytes:
    """Return the tokens as JSON."""
    return json.encode(tokens)
