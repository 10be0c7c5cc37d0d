"""Keeps the server's own credentials out of what clients get: some servers repeat the key that they refuse."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from urllib.parse import parse_qsl

from ..asgi.types import Headers

_SHORTEST = 8  # bytes of a credential that is looked for: what is shorter may be a word
_MAY_REPEAT = 300  # the first status that does: a redirect repeats the query
_SECRET = re.compile(r"key|token|secret|password|sig", re.I)


def secrets_in(query: str) -> list[str]:
    """Return the values of a query whose names say that they are credentials."""
    return [value for name, value in parse_qsl(query) if _SECRET.search(name)]


class Masking:
    """Overwrites *credentials*, which are headers of requests, and those of the *query* in errors and redirects.

    No length changes. Other answers are not looked at, and compressed ones cannot be: `Upstream` asks for plain ones.
    """

    def __init__(self, credentials: Headers, query: str = "") -> None:
        found = {value.rpartition(b" ")[2] for _, value in credentials} | {each.encode() for each in secrets_in(query)}
        long = [secret for secret in found if len(secret) >= _SHORTEST]
        self._secrets = sorted(long, key=len, reverse=True)  # one may be the beginning of another

    @property
    def looks(self) -> bool:
        """Whether there is something to look for."""
        return bool(self._secrets)

    def applies(self, status: int) -> bool:
        """Whether an answer with this status may repeat a credential."""
        return status >= _MAY_REPEAT and self.looks

    def headers(self, headers: Headers) -> Headers:
        """Return the headers of an answer without credentials."""
        return [(name, self._masked(bytes(value))) for name, value in headers]

    async def pieces(self, pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """Yield a body without credentials; only what may be the beginning of one waits for the next piece."""
        held = b""
        async for piece in pieces:
            text = self._masked(held + piece)
            end = len(text) - self._begun(text)
            held = text[end:]
            if end:
                yield text[:end]
        if held:
            yield held

    def _begun(self, text: bytes) -> int:
        """Return how many bytes at the end of *text* may be the beginning of a credential."""
        return max(
            next((size for size in range(len(secret) - 1, 0, -1) if text.endswith(secret[:size])), 0)
            for secret in self._secrets
        )

    def _masked(self, text: bytes) -> bytes:
        for secret in self._secrets:
            text = text.replace(secret, b"*" * len(secret))
        return text
