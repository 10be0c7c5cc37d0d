"""What is shown of stored responses: the optional members of items come only if `include` names them (protocol 6.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import pages
from .records import Item, Record


def retrieved(record: Record, include: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the Response object that a client retrieves."""
    return {**record.answer, "output": shown(record.answer["output"], include)}


def input_items(inherited: Sequence[Item], own: Sequence[Item], asked: pages.Query) -> dict[str, Any]:
    """Return the page of all that a response was made from: what came before, then its *own* input."""
    page = pages.cut([*inherited, *own], asked)
    return {**page, "data": shown(page["data"], asked.include)}


def deleted(response_id: str) -> dict[str, Any]:
    return {"id": response_id, "object": "response", "deleted": True}


def shown(items: Iterable[Item], include: frozenset[str]) -> list[Item]:
    """Return *items* without the members that have to be asked for."""
    return [one(item, include) for item in items]


def one(item: Item, include: frozenset[str]) -> Item:
    kind = item.get("type")
    for name, strip in _STRIPPED.get(kind, ()) if isinstance(kind, str) else ():
        if name not in include:
            item = strip(item)
    return item


def _without(member: str) -> Callable[[Item], Item]:
    """Return what leaves *member* out."""

    def strip(item: Item) -> Item:
        return {name: value for name, value in item.items() if name != member} if member in item else item

    return strip


def _empty(member: str, value: Any = None) -> Callable[[Item], Item]:
    """Return what leaves *member* there with nothing in it."""
    return lambda item: {**item, member: value} if item.get(member) else item


def _without_sources(item: Item) -> Item:
    action = item.get("action")
    return {**item, "action": _without("sources")(action)} if isinstance(action, dict) else item


def _without_screenshot(item: Item) -> Item:
    output = item.get("output")
    return {**item, "output": _without("image_url")(output)} if isinstance(output, dict) else item


def _parts(kind: str, strip: Callable[[Item], Item]) -> Callable[[Item], Item]:
    """Return what does *strip* to the content parts of a *kind*."""

    def strip_all(item: Item) -> Item:
        parts = item.get("content")
        if not isinstance(parts, list) or not any(_is_a(part, kind) for part in parts):
            return item
        return {**item, "content": [strip(part) if _is_a(part, kind) else part for part in parts]}

    return strip_all


def _is_a(part: Any, kind: str) -> bool:
    return isinstance(part, dict) and part.get("type") == kind


_STRIPPED: dict[str, tuple[tuple[str, Callable[[Item], Item]], ...]] = {
    "file_search_call": (("file_search_call.results", _empty("results")),),
    "web_search_call": (
        ("web_search_call.results", _without("results")),
        ("web_search_call.action.sources", _without_sources),
    ),
    "message": (
        ("message.input_image.image_url", _parts("input_image", _empty("image_url"))),
        ("message.output_text.logprobs", _parts("output_text", _empty("logprobs", []))),
    ),
    "computer_call_output": (("computer_call_output.output.image_url", _without_screenshot),),
    "code_interpreter_call": (("code_interpreter_call.outputs", _empty("outputs")),),
    "reasoning": (("reasoning.encrypted_content", _without("encrypted_content")),),
}
"""By the type of an item: what `include` calls a member, and what takes it away."""
