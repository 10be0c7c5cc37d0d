"""`truncation: auto`: the oldest whole turns go when the upstream says that the context is too long (protocol 1.5 f).

Instructions stay, and a call stays with its output. The last turn always stays.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any, NamedTuple

from ..wire import json
from . import pairing
from .records import Item

TRIES = 4
"""So often is a request made shorter before the client gets the upstream's error."""
_MARGIN = 0.9
"""Sizes are estimated by bytes, so somewhat more goes than seems necessary."""
_STAYING = ("additional_tools", "configuration_update", "compaction", "context_compaction")
_LIMIT = re.compile(
    r"(?:maximum|limit|context (?:length|size|window)|n_ctx)[^\d>]{0,60}?(\d[\d,_]{2,11})|> ?(\d[\d,_]{2,11})|"
    r"(\d[\d,_]{2,11}) ?(?:tokens? )?(?:maximum|limit)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.])\d[\d,_]{2,11}(?![\w])")


class Shorter(NamedTuple):
    """A request that lost its oldest turns."""

    body: dict[str, Any]
    dropped: list[int]
    """The places of the input items that are gone."""


def shortened(body: dict[str, Any], message: str = "") -> Shorter | None:
    """Return *body* without its oldest turns; None if there is nothing that may go.

    As much goes as the numbers in the upstream's *message* tell, half of it if there are none.
    """
    items = body.get("input")
    if not isinstance(items, list):
        return None
    turns = turns_of(items)
    sizes = [sum(len(json.encode(items[i])) for i in turn) for turn in turns]
    excess = sum(sizes) * (1 - share_kept(message))
    gone: set[int] = set()
    for turn, size in zip(turns[:-1], sizes, strict=False):
        if excess <= 0:
            break
        gone.update(turn)
        excess -= size
    if not gone:
        return None
    left = [item for i, item in enumerate(items) if i not in gone]
    return Shorter({**body, "input": left}, sorted(gone))


def share_kept(message: str) -> float:
    """Return how much of a request fits, by the words of the upstream's error."""
    limit = next((_integer(text) for match in _LIMIT.finditer(message) for text in match.groups() if text), 0)
    asked = max((_integer(text) for text in _NUMBER.findall(message)), default=0)
    return _MARGIN * limit / asked if 0 < limit < asked else 0.5


def stays(item: Item) -> bool:
    """Whether an item is no part of a turn: instructions, and what holds for all that follows."""
    return item.get("role") in ("system", "developer") or item.get("type") in _STAYING


def turns_of(items: list[Item]) -> list[list[int]]:
    """Return the turns that may go, oldest first, as places of items: each begins with what a user said.

    Turns that a call and its output connect are one.
    """
    turns: list[list[int]] = []
    spoken = True  # whether the turn has more than the words of the user
    for i, item in enumerate(items):
        if stays(item):
            continue
        is_users = item.get("role") == "user"
        if not turns or (is_users and spoken):
            turns.append([])
        spoken = not is_users
        turns[-1].append(i)
    return _connected(turns, items)


def _connected(turns: list[list[int]], items: list[Item]) -> list[list[int]]:
    """Make one of all turns from a call to its output."""
    calling: dict[str, int] = {}  # the turn with the newest call of each name: some servers repeat them
    reach = list(range(len(turns)))  # the first turn that each one needs
    for number, turn in enumerate(turns):
        for i in turn:
            for names in pairing.calls_of(items[i]):
                calling.update(dict.fromkeys(names, number))
            for call_id in pairing.answers_of(items[i]):
                reach[number] = min(reach[number], calling.get(call_id, number))
    groups: list[list[int]] = []
    starts: list[int] = []  # the number of the first turn of each group
    for number, turn in enumerate(turns):
        groups.append(list(turn))
        starts.append(number)
        first_group = bisect_right(starts, reach[number])
        for later in groups[first_group:]:
            groups[first_group - 1].extend(later)
        del groups[first_group:], starts[first_group:]
    return groups


def _integer(text: str) -> int:
    return int(text.replace(",", "").replace("_", "") or 0)
