"""What is done to values, events and bytes before they are fed. All chance is handed in."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

DEEP_LIST: Any = json.loads("[" * 70 + "]" * 70)
DEEP_OBJECT: Any = json.loads('{"a":' * 70 + "1" + "}" * 70)
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 7, 2**31, 2**53 + 1, 2**63, -(2**63), 2**70, 0.5, -0.0, 1e308, 1e-320, float("nan")),
    *(
        "",
        " ",
        "\n",
        "\x00",
        "\u2028",
        "\ufeff",
        "é",
        "😀",
        "\ud800",
        "null",
        "{}",
        "[DONE]",
        "data: x\n\n",
        "</think>",
    ),
    *("auto", "none", "stop", "error", "function", "message", "{", '{"a":', "x" * 70, "x" * 5000),
    *([], {}, [[]], [None], [{}], ["x"], {"": None}, {"type": None}, {"type": "message"}, DEEP_LIST, DEEP_OBJECT),
]
"""Values that somebody will send. Lone surrogates and NaN are what JSON texts may hold, and values here may not."""
LINES = [b":\n\n", b"\n", b"data\n\n", b"data:\n\n", b"data: [DONE]\n\n", b"event: error\n", b"id: 1\nretry: 5\n\n"]
LINES += [
    b"data: {}\n\n",
    b"data: null\n\n",
    b"data: [1]\n\n",
    b'data: {"error": {}}\n\n',
    b"\xef\xbb\xbf",
    b"\xff\n\n",
    b"\r",
]


def wire(value: Any) -> bytes:
    """Return *value* as the JSON that a careless program sends: with NaN, and halves of characters escaped."""
    return json.dumps(value).encode()


# --- values


def value(random: Random, seed: Any, pool: list[tuple[str, Any]], most: int = 3) -> Any:
    """Return *seed* with up to *most* damages; *pool* has members that other seeds have."""
    whole = [copy.deepcopy(seed)]
    for _ in range(random.randint(0, most)):
        owner, key = _place(random, whole)
        random.choice(_DAMAGES)(random, owner, key, pool)
        if not whole:
            whole.append(None)
    return whole[0]


def _place(random: Random, whole: list[Any]) -> tuple[Any, Any]:
    """Somewhere in the value: the list or object, and where in it. Deep places are as likely as flat ones."""
    owner, key = whole, 0
    while random.random() < 0.85:
        inner = owner[key]
        if not inner or not isinstance(inner, (dict, list)):
            break
        owner, key = inner, random.choice([*inner]) if isinstance(inner, dict) else random.randrange(len(inner))
    return owner, key


def _replace(random: Random, owner: Any, key: Any, pool: list[tuple[str, Any]]) -> None:
    owner[key] = copy.deepcopy(random.choice(ODD))


def _drop(random: Random, owner: Any, key: Any, pool: list[tuple[str, Any]]) -> None:
    del owner[key]


def _graft(random: Random, owner: Any, key: Any, pool: list[tuple[str, Any]]) -> None:
    name, grafted = random.choice(pool)
    if isinstance(owner, dict):
        owner[name if random.random() < 0.7 else key] = copy.deepcopy(grafted)
    else:
        owner[key] = copy.deepcopy(grafted)


def _add(random: Random, owner: Any, key: Any, pool: list[tuple[str, Any]]) -> None:
    name, _ = random.choice(pool)
    added = copy.deepcopy(random.choice(ODD))
    if isinstance(owner, dict):
        owner[random.choice([name, "unheard_of", ""])] = added
    else:
        owner.insert(key, added)


def _double(random: Random, owner: Any, key: Any, pool: list[tuple[str, Any]]) -> None:
    if isinstance(owner, list):
        owner.insert(random.randint(0, len(owner)), copy.deepcopy(owner[key]))
    else:
        owner[random.choice([*owner])] = copy.deepcopy(owner[key])


def _swap(random: Random, owner: Any, key: Any, pool: list[tuple[str, Any]]) -> None:
    other = random.choice([*owner]) if isinstance(owner, dict) else random.randrange(len(owner))
    owner[key], owner[other] = owner[other], owner[key]


def _wrap(random: Random, owner: Any, key: Any, pool: list[tuple[str, Any]]) -> None:
    name, _ = random.choice(pool)
    owner[key] = [owner[key]] if random.random() < 0.5 else {name: owner[key]}


def _bend(random: Random, owner: Any, key: Any, pool: list[tuple[str, Any]]) -> None:
    """Another text or number of the same kind, or of the other."""
    found = owner[key]
    if isinstance(found, str):
        at = random.randint(0, len(found))
        owner[key] = random.choice(
            [found[:at], found[at:], found.upper(), found + " ", found * 2, [found], " " + found]
        )
    elif isinstance(found, (int, float)) and abs(found) < 2**64:
        owner[key] = random.choice([str(found), -found, found + 1, found + 0.5, [found], bool(found)])
    elif isinstance(found, (dict, list)):
        owner[key] = json.dumps(found)[:2000]


_DAMAGES: list[Callable[[Random, Any, Any, list[tuple[str, Any]]], None]] = [
    *(_replace, _drop, _graft, _graft, _add, _double, _swap, _wrap, _bend)
]


# --- streams

_EVENT = re.compile(rb".*?(?:\n\n|\Z)", re.S)


def split_events(data: bytes) -> list[bytes]:
    """Return the events of an undamaged stream as bytes, each with the empty line that ends it."""
    return [event for event in _EVENT.findall(data) if event]


def stream(random: Random, events: list[bytes], others: list[list[bytes]], pool: list[tuple[str, Any]]) -> bytes:
    """Return a stream of *events* with one to four damages; *others* are events of other streams."""
    events = [*events]
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(events)) if events else 0
        random.choice(_STREAM_DAMAGES)(random, events, at, others, pool)
    data = b"".join(events)
    if random.random() < 0.15:
        data = data_bytes(random, data)
    return data.replace(b"\n", random.choice([b"\r\n", b"\r"])) if random.random() < 0.05 else data


def data_bytes(random: Random, data: bytes) -> bytes:
    """Return *data* with one to four bytes changed, inserted or taken out, or a piece of it cut out or doubled."""
    grown = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(grown))
        end = min(len(grown), at + random.choice([1, 1, 1, 2, 8, 64]))
        kind = random.randrange(4)
        if kind == 0 and at < len(grown):
            grown[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            grown[at:at] = bytes([random.randrange(256)]) * random.choice([1, 1, 3])
        elif kind == 2:
            del grown[at:end]
        else:
            grown[at:at] = grown[at:end]
    return bytes(grown)


def _event_dropped(random: Random, events: list[bytes], at: int, others: Any, pool: Any) -> None:
    del events[at : at + random.choice([1, 1, 1, 3])]


def _event_doubled(random: Random, events: list[bytes], at: int, others: Any, pool: Any) -> None:
    events[at:at] = events[at : at + random.choice([1, 1, 2, 4])] * random.choice([1, 1, 2])


def _event_moved(random: Random, events: list[bytes], at: int, others: Any, pool: Any) -> None:
    if events:
        events.insert(random.randint(0, len(events) - 1), events.pop(at))


def _events_merged(random: Random, events: list[bytes], at: int, others: Any, pool: Any) -> None:
    """Without the empty line between them they are one event, whose data has two lines."""
    if events:
        events[at] = events[at][:-1] if random.random() < 0.7 else events[at].rstrip(b"\n")


def _events_ended(random: Random, events: list[bytes], at: int, others: Any, pool: Any) -> None:
    del events[at:]


def _event_foreign(random: Random, events: list[bytes], at: int, others: list[list[bytes]], pool: Any) -> None:
    other = random.choice(others)
    start = random.randrange(len(other))
    events[at:at] = other[start : start + random.choice([1, 1, 2, 5])]


def _line_odd(random: Random, events: list[bytes], at: int, others: Any, pool: Any) -> None:
    events.insert(at, random.choice(LINES))


def _event_bent(random: Random, events: list[bytes], at: int, others: Any, pool: list[tuple[str, Any]]) -> None:
    if not events:
        return
    head, mark, data = events[at].partition(b"data: ")
    try:
        seed = json.loads(data)
    except ValueError:
        return
    events[at] = head + mark + wire(value(random, seed, pool)) + b"\n\n"


_STREAM_DAMAGES: list[Callable[[Random, list[bytes], int, list[list[bytes]], list[tuple[str, Any]]], None]] = [
    *(_event_dropped, _event_doubled, _event_moved, _events_merged, _events_ended, _event_foreign, _line_odd),
    *[_event_bent] * 6,
]


def pieces(random: Random, data: bytes) -> list[bytes]:
    """Return *data* cut anywhere: into single bytes, a few large pieces, or as a network does it."""
    size = random.choice([1, 3, 17, 200, 3000])
    found, at = [], 0
    while at < len(data):
        end = at + random.randint(1, 2 * size)
        found.append(data[at:end])
        at = end
    return found
