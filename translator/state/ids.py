"""Ids that say where a thing is kept: `resp_<key>`, and for its items `msg_<key><number>`, a key being 32 hex digits.

So an item that a client refers to is found without an index of all items.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..errors import RequestError
from ..parts import calls
from ..wire import validate
from . import refusals

NewId = Callable[[str], str]
"""Makes an id for a prefix."""
LONGEST = 64
RESPONSE, CONVERSATION = "resp", "conv"
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]+")
_KEYED = re.compile(r"[a-z]+_([0-9a-f]{32})[0-9a-f]*")

PREFIXES: dict[str, str] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    **calls.PREFIXES,
    **{f"{kind}_output": f"{prefix}o" for kind, prefix in calls.PREFIXES.items()},
    "tool_search_output": "tso",
    "computer_call": "cu",
    "computer_call_output": "cuo",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "mcp_approval_request": "mcpr",
    "mcp_approval_response": "mcpa",
    "compaction": "cmp",
    "context_compaction": "cmp",
}
"""What the ids of items begin with; others begin with `item`."""


class ItemIds:
    """Makes ids for the prefixes of one response or conversation: `resp` is the response, others number its items."""

    def __init__(self, key: str, start: int = 0) -> None:
        self.key: str = key
        self.count: int = start

    def __call__(self, prefix: str) -> str:
        if prefix in (RESPONSE, CONVERSATION):
            return f"{prefix}_{self.key}"
        self.count += 1
        return f"{prefix}_{self.key}{self.count - 1:04x}"


def of_item(item: dict[str, Any], new_id: NewId) -> str:
    """Return an id for an item that has none."""
    kind = item.get("type")
    return new_id(PREFIXES.get(kind, "item") if isinstance(kind, str) else "item")


def key_of(ident: str) -> str:
    """Return the key in the id of a response, a conversation or an item; "" for an id that was not made here."""
    match = _KEYED.fullmatch(ident)
    return match[1] if match else ""


def is_id(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST and _WELL_FORMED.fullmatch(value) is not None


def checked(value: Any, path: str, prefix: str = "") -> str:
    """Return *value* if it is an id (that begins with *prefix*); raises RequestError."""
    ident = validate.text(value, path)
    if len(ident) > LONGEST:
        raise refusals.too_long(path, LONGEST, len(ident))
    if not _WELL_FORMED.fullmatch(ident):
        raise RequestError(
            f"Invalid '{path}': '{ident}'. Expected an ID that contains letters, numbers, underscores, or dashes, but "
            "this value contained additional characters.",
            path,
        )
    if prefix and not ident.startswith(prefix):
        raise RequestError(f"Invalid '{path}': '{ident}'. Expected an ID that begins with '{prefix}'.", path)
    return ident
