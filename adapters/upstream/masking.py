"""Keeps the server's own credentials out of what clients get: some servers repeat the key that they refuse."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from ..asgi.types import Headers

_SHORTEST = 8  # bytes of a credential that is looked for: what is shorter may be a word
_MAY_REPEAT = 400  # the first status of an error


class Masking:
    """Overwrites *credentials*, which are headers of requests, in errors; no length changes.

    Answers that are no errors are not looked at, and compressed ones cannot be.
    """

    def __init__(self, credentials: Headers) -> None:
        found = {value.rpartition(b" ")[2] for _, value in credentials}
        long = [secret for secret in found if len(secret) >= _SHORTEST]
        self._secrets = sorted(long, key=len, reverse=True)  # one may be the beginning of another

    def applies(self, status: int) -> bool:
        """Whether an answer with this status may repeat a credential."""
        return status >= _MAY_REPEAT and bool(self._secrets)

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
