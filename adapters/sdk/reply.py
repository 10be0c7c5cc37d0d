"""What a call gives to the SDK: a head first, and then, for a stream, what reads the middle of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...translator import AnswerReader, Data, TranslationError, encode_json
from ..asgi import answer_headers
from ..asgi.types import Headers
from .http import Answer

JSON = (b"content-type", b"application/json")


class Head(NamedTuple):
    """What the client gets first; without *content*, a stream follows."""

    status: int
    headers: Headers
    content: bytes | None
    extensions: dict[str, Any]


def error_head(error: TranslationError, headers: Headers, losses: str, extensions: dict[str, Any]) -> Head:
    """Return the head for an error; *headers* are the upstream's, if it has answered."""
    own = [*answer_headers.of_body(headers, losses), JSON]
    return Head(error.status, own, encode_json(error.body()), extensions)


class Middle:
    """Reads the pieces of one *answer* in the middle of its stream."""

    def __init__(self, reader: AnswerReader[bytes], answer: Answer, pending: list[Any]) -> None:
        self.pieces: Any = answer.pieces
        self._reader = reader
        self._pending = pending

    def take(self, data: bytes) -> bytes | None:
        """Read a piece; return frames, or None where the middle ends: then the action is *pending*."""
        reader = self._reader
        action = reader.feed(data)
        if reader.goes_on and isinstance(action, Data):
            frames = [*action.frames]
            return frames[0] if len(frames) == 1 else b"".join(frames)
        self._pending.append(action)
        return None
