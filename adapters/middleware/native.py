"""What a Responses request may need beyond messages and functions.

Many servers that have the endpoint refuse it or lose it in silence; translated to Chat Completions, it works.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio

from ...translator import RequestBody, TranslationError
from ..asgi.encodings import decode
from ..asgi.types import DECODED_BODY, Message, Receive, Scope, header
from ..limits import Limits
from .routes import ENDPOINTS

_TOOLS = frozenset({"custom", "namespace", "tool_search", "local_shell", "shell", "apply_patch"})
_ITEMS = frozenset(
    {
        *("custom_tool_call", "custom_tool_call_output"),
        *("tool_search_call", "tool_search_output"),
        *("local_shell_call", "local_shell_call_output"),
        *("shell_call", "shell_call_output"),
        *("apply_patch_call", "apply_patch_call_output"),
        *("additional_tools", "configuration_update", "compaction_trigger"),
    }
)
_STORED = ("previous_response_id", "conversation", "background", "prompt")
_LOGPROBS = "message.output_text.logprobs"


def asks_for_more(endpoint: str, body: Any) -> bool:
    """Whether a Responses request needs what few servers support, and nothing that needs stored state."""
    if not isinstance(body, dict) or any(body.get(name) for name in _STORED):
        return False
    items, tools = _objects(body.get("input")), _objects(body.get("tools"))
    if any(item.get("type") == "item_reference" for item in items):
        return False
    return (
        endpoint not in ENDPOINTS.values()  # few servers can compact
        or any(tool.get("type") in _TOOLS for tool in tools)
        or any(_is_special(item) for item in items)
        or bool(body.get("top_logprobs"))
        or _LOGPROBS in _list(body.get("include"))
    )


def _is_special(item: dict[str, Any]) -> bool:
    kind = item.get("type")
    if kind == "reasoning":
        return "content" in item and item["content"] is None
    return kind in _ITEMS or (kind == "function_call" and item.get("namespace") is not None)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in _list(value) if isinstance(one, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


_LARGE = 2**16  # bytes; above it, decoding happens in a thread


def _decoded(data: bytes, encoding: str, limit: int) -> Any:
    try:
        return RequestBody.read(decode(data, encoding, limit)).body
    except (TranslationError, ValueError):
        return None


class PeekedBody:
    """A request whose body is read ahead, and then read again by somebody else."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._encoding = header(scope, b"content-encoding").decode("latin-1")
        self._receive = receive
        self._data = bytearray()
        self._pending: list[Message] = []
        self._more = True
        self._decoded: RequestBody | None = None  # by somebody before

    async def decode(self, limits: Limits) -> Any:
        """Return the decoded body, or None if it cannot be read within the limits: its reader will say why."""
        with anyio.move_on_after(limits.request):
            await self._read_ahead(limits.max_body)
        if self._decoded is not None:
            return self._decoded.body
        data, self._data = bytes(self._data), bytearray()
        self._pending.append({"type": "http.request", "body": data, "more_body": self._more})
        if self._more:
            return None
        decode_data = partial(_decoded, data, self._encoding, limits.max_body)
        return decode_data() if len(data) < _LARGE else await anyio.to_thread.run_sync(decode_data)

    async def _read_ahead(self, limit: int) -> None:
        while self._more and len(self._data) <= limit:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._pending.append(message)
                return
            if DECODED_BODY in message:
                self._decoded = message[DECODED_BODY]
                self._pending.append(message)
                return
            self._data += message.get("body", b"")
            self._more = message.get("more_body", False)

    async def receive(self) -> Message:
        """Return the next message of the request; what was read ahead comes first, as one message."""
        return self._pending.pop() if self._pending else await self._receive()
