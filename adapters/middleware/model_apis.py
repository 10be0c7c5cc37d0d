"""Which of the two APIs serves a model, when the upstream has both: after a refusal that says so, the other is tried.

OpenAI: "This model is only supported in v1/responses and not in v1/chat/completions." Copilot: "model ... is not
accessible via the /chat/completions endpoint" (caozhiyuan/copilot-api#113). Bedrock: "The model ... does not support
the '/openai/v1/responses' API" (BerriAI/litellm#29490).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any

from ...translator import TranslationError, read_error
from ..asgi.encodings import decode
from ..asgi.types import Message, Receive, Scope, Send, header
from .endpoint_check import MISSING
from .routes import ENDPOINTS

MOST_MODELS = 1024
"""How many models are remembered: clients may name any."""
_LONGEST = 200  # characters of a model's name
_MAX_TEXT = 2**16
_REFUSALS = (400, 404, 405, 422)
_NAMES = {
    ENDPOINTS["chat"]: r"chat[/ ._-]?completions?\b",
    ENDPOINTS["responses"]: r"(/responses\b|responses (api|endpoint)\b)",
}
_ONLY = r"\b(only|use|try|switch to|requires?|through|instead)\b[^.;]{0,60}"
_NOT = r"(\bnot|n't|\bcannot|\bunsupported)\b[^.;]{0,80}"


class ModelApis:
    """Remembers which endpoint serves a model of a place; those that were not used for longest are dropped."""

    def __init__(self) -> None:
        self._served: dict[tuple[bytes, str], str] = {}

    def __len__(self) -> int:
        return len(self._served)

    def get(self, place: bytes, body: Any) -> str | None:
        """Return the endpoint that is known to serve the model of a request *body*, or None."""
        key = place, _model(body)
        served = self._served.pop(key, None)
        if served is not None:
            self._served[key] = served  # at the end: it was used
        return served

    def remember(self, place: bytes, body: Any, endpoint: str) -> None:
        """Remember that the upstream served this *body* at *endpoint* after refusing it at the other."""
        model = _model(body)
        if 0 < len(model) <= _LONGEST:
            self._served[place, model] = endpoint
        if len(self._served) > MOST_MODELS:
            del self._served[next(iter(self._served))]


def _model(body: Any) -> str:
    model = body.get("model") if isinstance(body, dict) else None
    return model if isinstance(model, str) else ""


def points_elsewhere(endpoint: str, status: int, body: bytes) -> bool:
    """Whether the refusal of a request to *endpoint* says that the other API serves its model."""
    error = read_error(status, body)
    text = f"{error.message} {error.code} {error.param}"[:_MAX_TEXT]
    own = _NAMES[endpoint]
    other = next(name for path, name in _NAMES.items() if path != endpoint)
    if re.search(_ONLY + other, text, re.I):
        return True
    return re.search(_NOT + own, text, re.I) is not None and re.search(r"model", text, re.I) is not None


class Trial:
    """A request to *endpoint* that may be sent again.

    Its body is kept until the answer begins, and a refusal is held back if it points to the other API (or, on a
    *second* try, says that there is no such endpoint).
    """

    def __init__(self, receive: Receive, send: Send, endpoint: str, *, second: bool = False) -> None:
        self.refused: bool = False
        self.accepted: bool = False
        self.leave_record: Callable[[], None] = _leave_no_record
        """Writes the record of a refusal that the client gets after all."""
        self._receive = receive
        self._send = send
        self._endpoint = endpoint
        self._held_statuses = MISSING if second else _REFUSALS
        self._second = second
        self._request_messages: deque[Message] = deque()
        self._answer_messages: list[Message] = []
        self._size = 0
        self._has_answer = False

    def goes_to(self, endpoint: str) -> None:
        """The request is translated: it is this endpoint that may refuse its model."""
        self._endpoint = endpoint

    def hold_record(self, leave_record: Callable[[], None]) -> None:
        """Hold the record back with the refusal."""
        self.leave_record = leave_record

    async def receive(self) -> Message:
        """Return the next message of the client, and keep it."""
        message = await self._receive()
        if message["type"] == "http.request" and not self._has_answer:
            self._request_messages.append(message)
        return message

    async def replay(self) -> Message:
        """Return the same messages, from the first one."""
        return self._request_messages.popleft() if self._request_messages else await self._receive()

    async def send(self, message: Message) -> None:
        """Send a message of the answer, or hold it back."""
        if message["type"] == "http.response.start":
            self._has_answer = True
            self.accepted = 200 <= message["status"] < 300
            if message["status"] in self._held_statuses:
                self._answer_messages = [message]
                return
            self._request_messages = deque()
        if not self._answer_messages:
            await self._send(message)
            return
        self._answer_messages.append(message)
        self._size += len(message.get("body", b""))
        if self._size > _MAX_TEXT:
            await self.release()
        elif not message.get("more_body"):
            self.refused = self._second or self._points_elsewhere()
            if not self.refused:
                await self.release()

    async def release(self) -> None:
        """Send what was held back."""
        messages, self._answer_messages, self._request_messages = self._answer_messages, [], deque()
        for message in messages:
            await self._send(message)

    def _points_elsewhere(self) -> bool:
        start, *pieces = self._answer_messages
        scope: Scope = {"headers": list(start.get("headers", ()))}
        body = b"".join(piece.get("body", b"") for piece in pieces)
        try:
            plain = decode(body, header(scope, b"content-encoding").decode("latin-1"), _MAX_TEXT)
        except (TranslationError, ValueError):
            return False
        return points_elsewhere(self._endpoint, start["status"], bytes(plain))


def _leave_no_record() -> None:
    """A request that was passed through has no record."""
