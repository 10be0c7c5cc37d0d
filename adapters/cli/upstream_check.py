"""`diglot check`: tries an upstream with small requests, each sent through diglot in the other API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from time import monotonic
from typing import Any, Literal, NamedTuple

import anyio

from ...translator import Profile, decode_json, encode_json
from ..asgi.types import App, Headers, Message
from ..limits import Limits
from ..middleware.app import TranslationMiddleware
from ..middleware.routes import ENDPOINTS, Api
from ..upstream.app import Upstream

APIS: tuple[Api, ...] = ("chat", "responses")
CASES = ("answers", "streams", "calls tools")
_NO_MODEL_FOR_TEXT = re.compile(
    r"embed|whisper|tts|dall-e|image|moderation|rerank|audio|transcribe|realtime|guard", re.I
)
_MAX_TOKENS = 512
_HELLO, _WEATHER = "Say hello, in one word.", "What is the weather in Paris?"
_TOOL: dict[str, Any] = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class CheckError(Exception):
    """The upstream cannot be checked; the message says why, and what to do."""


class Outcome(NamedTuple):
    """The result of one case."""

    good: bool
    words: str
    """A few words on success, or what went wrong."""
    missing: bool = False
    """Whether the endpoint does not exist."""


class UpstreamCheck:
    """Checks an upstream; call :meth:`model` first."""

    def __init__(self, url: str, profile: Profile, key: str | None, limits: Limits) -> None:
        self._limits = limits
        self._profile = profile
        self._upstream = Upstream(url, limits=limits)
        self._headers: Headers = [(b"content-type", b"application/json")]
        if key:
            self._headers.append((b"authorization", f"Bearer {key}".encode()))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._upstream.aclose()

    async def model(self, requested: str | None) -> str:
        """Return the model to use: *requested*, or else the first that is listed; raises CheckError."""
        reply = await _ask(self._upstream, "GET", "/v1/models", self._headers)
        if reply.status in (401, 403):
            raise CheckError(f"The key was refused ({reply.status}): {reply.error}\nSet one with --key or DIGLOT_KEY.")
        if reply.code in ("upstream_unreachable", "upstream_disconnected", "upstream_timeout"):
            raise CheckError(f"{reply.error} Is the URL right, and is the server running?")
        if requested:
            return requested
        models = reply.json.get("data") if reply.status == 200 else None
        listed: list[Any] = models if isinstance(models, list) else []
        names = [str(one["id"]) for one in listed if isinstance(one, dict) and "id" in one]
        fitting = [name for name in names if not _NO_MODEL_FOR_TEXT.search(name)]
        if not fitting:
            raise CheckError(f"GET /v1/models lists no model ({reply.status}); choose one with --model.")
        return fitting[0]

    async def api(self, api: Api, model: str) -> dict[str, Outcome]:
        """Return the result of each of the CASES with one API of the upstream; stops if the first one fails."""
        app = TranslationMiddleware(self._upstream, profile=self._profile, upstream_api=api, limits=self._limits)
        outcomes: dict[str, Outcome] = {}
        for case in CASES:
            outcomes[case] = await self._try(app, api, case, model)
            if not outcomes["answers"].good:
                break
        return outcomes

    async def _try(self, app: App, api: Api, case: str, model: str) -> Outcome:
        # through diglot: the client uses the other API
        path, body = ("/v1/responses", _responses) if api == "chat" else ("/v1/chat/completions", _chat)
        reply = await _ask(app, "POST", path, self._headers, body(model, case))
        if reply.status != 200:
            missing = reply.status in (404, 405, 501) and f"POST /v1{ENDPOINTS[api]}" in reply.error
            return Outcome(False, reply.error or f"status {reply.status}", missing)
        read = _read_responses if api == "chat" else _read_chat
        return read(reply, case)


# Requests


def _responses(model: str, case: str) -> dict[str, Any]:
    body: dict[str, Any] = {"model": model, "input": _HELLO, "max_output_tokens": _MAX_TOKENS}
    if case == "calls tools":
        return {**body, "input": _WEATHER, "tools": [{"type": "function", **_TOOL}], "tool_choice": "required"}
    return {**body, "stream": case == "streams"}


def _chat(model: str, case: str) -> dict[str, Any]:
    prompt = _WEATHER if case == "calls tools" else _HELLO
    messages = [{"role": "user", "content": prompt}]
    body: dict[str, Any] = {"model": model, "messages": messages, "max_completion_tokens": _MAX_TOKENS}
    if case == "calls tools":
        return {**body, "tools": [{"type": "function", "function": _TOOL}], "tool_choice": "required"}
    return {**body, "stream": case == "streams"}


# Answers


def _read_responses(reply: _AppAnswer, case: str) -> Outcome:
    if case == "streams":
        last = reply.events[-1] if reply.events else {}
        answer = last.get("response") or {}
        deltas = sum(event.get("type", "").endswith(".delta") for event in reply.events)
        return _streamed(reply, deltas, answer.get("error"), answer.get("status") in ("completed", "incomplete"))
    items = reply.json.get("output") or []
    return _finished(reply, case, any(item.get("type") == "function_call" for item in items))


def _read_chat(reply: _AppAnswer, case: str) -> Outcome:
    if case == "streams":
        last = reply.events[-1] if reply.events else {}
        choices = [choice for event in reply.events for choice in event.get("choices") or ()]
        deltas = sum(bool(choice["delta"]) for choice in choices)
        return _streamed(reply, deltas, last.get("error"), any(choice.get("finish_reason") for choice in choices))
    messages = [choice["message"] for choice in reply.json.get("choices") or ()]
    return _finished(reply, case, any(message.get("tool_calls") for message in messages))


def _streamed(reply: _AppAnswer, deltas: int, error: Any, ended: bool) -> Outcome:
    if not ended:
        return Outcome(False, error["message"] if isinstance(error, Mapping) else "the stream was cut")
    return Outcome(True, f"{deltas} pieces, the first after {reply.first:.1f} s")


def _finished(reply: _AppAnswer, case: str, called: bool) -> Outcome:
    if case == "calls tools" and not called:
        return Outcome(False, "it answered with text, although it was told to call the tool")
    return Outcome(True, f"{reply.seconds:.1f} s")


class _AppAnswer:
    """The answer of an application."""

    def __init__(self) -> None:
        self.status = 0
        self.body = b""
        self.first = self.seconds = 0.0
        self._began = monotonic()

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message.get("body"):
            self.first = self.first or monotonic() - self._began
            self.body += message["body"]
        self.seconds = monotonic() - self._began

    @property
    def json(self) -> dict[str, Any]:
        """The body; empty if it is not a JSON object."""
        try:
            value = decode_json(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of a stream."""
        return [decode_json(line[6:]) for line in self.body.splitlines() if line.startswith(b"data: {")]

    @property
    def error(self) -> str:
        return str(self._error("message") or "")

    @property
    def code(self) -> str:
        return str(self._error("code") or "")

    def _error(self, name: Literal["message", "code"]) -> Any:
        error = self.json.get("error")
        return error.get(name) if isinstance(error, dict) else error


async def _ask(app: App, method: str, path: str, headers: Headers, body: dict[str, Any] | None = None) -> _AppAnswer:
    reply = _AppAnswer()
    messages: list[Message] = [{"type": "http.request", "body": encode_json(body) if body else b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await anyio.sleep_forever()
        raise AssertionError("forever has an end")

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    try:
        await app({**scope, "headers": headers}, receive, reply.take)
    except Exception:  # an upstream that broke off its answer
        reply.status = reply.status or 502
    return reply
