"""What every endpoint of stored state does for a tenant that names what is another's."""

from __future__ import annotations

from typing import Any, NamedTuple


class Case(NamedTuple):
    """What a tenant gets that names what is another's: the error of what is not there, or nothing of it."""

    body: Any = None
    mine: int = 200
    """The status that the owner gets."""
    others: int = 404


METADATA = {"metadata": {"a": "b"}}
CASES = {
    "GET /responses/{response_id}": Case(),
    "DELETE /responses/{response_id}": Case(),
    "GET /responses/{response_id}/input_items": Case(),
    "POST /responses/{response_id}/cancel": Case(mine=400),
    "POST /conversations": Case({"items": [{"role": "user", "content": "Hi"}]}, others=200),
    "GET /conversations/{conversation_id}": Case(),
    "POST /conversations/{conversation_id}": Case(METADATA),
    "DELETE /conversations/{conversation_id}": Case(),
    "GET /conversations/{conversation_id}/items": Case(),
    "POST /conversations/{conversation_id}/items": Case({"items": [{"role": "user", "content": "Hi"}]}),
    "GET /conversations/{conversation_id}/items/{item_id}": Case(),
    "DELETE /conversations/{conversation_id}/items/{item_id}": Case(),
    "GET /chat/completions": Case(others=200),
    "GET /chat/completions/{completion_id}": Case(),
    "POST /chat/completions/{completion_id}": Case(METADATA),
    "DELETE /chat/completions/{completion_id}": Case(),
    "GET /chat/completions/{completion_id}/messages": Case(),
}
"""Every endpoint has one."""
