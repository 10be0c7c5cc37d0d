"""What the tests of both fast paths of answers share: an answer with and without the path, and what was recorded."""

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

from diglot.translator import PRESETS, AnswerReader, Body, Exchange, Failed, TranslationError, encode_json

HERE = Path(__file__).parent
Make = Callable[..., Exchange]
TEXT = st.text(max_size=6) | st.sampled_from(['"', "\\", "\n", " ", "%b", "é\U0001f600", "\x00", "<think>a</think>b"])
COUNT = st.sampled_from([0, 1, 7, None, -1, True, 1.0, "3", 10**15, 10**15 - 1, 10**30])
ODD = st.sampled_from([None, "", 0, 1, False, True, [], [1], {}, {"a": 1}, "x", 1e30, ["a"]])
"""What stands in any place where a server does what it should not."""
PROFILES = st.sampled_from(list(PRESETS.values()))


class Outcome(NamedTuple):
    """All that can be seen of how an answer was read."""

    data: bytes
    answer: str
    error: str
    losses: list[Any]
    header: str
    ids: str  # the next one


def outcome(make: Make, asked: Any, data: bytes, fast: bool, **settings: Any) -> tuple[Outcome, bool]:
    """What the client gets for *data*, and whether the fast path took it."""
    count, times = itertools.count(1), itertools.count(5)
    new_id = lambda prefix: f"{prefix}_{next(count)}"  # noqa: E731
    exchange = make(asked, new_id=new_id, clock=lambda: float(next(times)), **settings)
    taken = False
    if not fast:
        exchange.fast_path = None
    elif (path := exchange.fast_path) is not None:

        class Watched:
            def take(self, data: bytes) -> Body | None:
                nonlocal taken
                made = path.take(data)
                taken = made is not None
                return made

        exchange.fast_path = Watched()
    reader = AnswerReader.of(exchange)
    reader.head(200, "application/json")
    action = reader.feed(data, last=True)
    assert isinstance(action, Body | Failed)
    if isinstance(action, Failed):
        sent, error = b"", repr((action.error, action.error.status, action.error.body()))
    else:
        sent, error = action.data, ""
        assert action.answer == reader.answer
    losses = list(exchange.report)
    rest = f"{new_id('x')} {next(times)}"
    return Outcome(sent, repr(reader.answer), error, losses, exchange.report.header(), rest), taken


def same(make: Make, asked: Any, data: bytes, **settings: Any) -> bool | None:
    """Whether the fast path took *data*, which must make no difference; None if there is no such request."""
    try:
        general, _ = outcome(make, asked, data, fast=False, **settings)
    except TranslationError:
        return None
    fast, taken = outcome(make, asked, data, fast=True, **settings)
    assert fast == general
    return taken


def recorded(direction: str, finished: str, expected: str, servers: str) -> Iterator[tuple[str, Any, bytes]]:
    """Name, request (None: any) and bytes of every answer that the golden files and the recordings have."""
    for path in sorted(HERE.glob(f"golden/{direction}/answer/**/*.json")):
        given = json.loads(path.read_text())["given"]
        yield path.stem, given["asked"], encode_json(given[finished])
    for path in sorted(HERE.glob(f"golden/{expected}/answer/**/*.json")):
        yield path.stem, None, encode_json(json.loads(path.read_text())["expect"])
    for path in sorted(HERE.glob(f"data/servers/*/{servers}*.json")):
        yield path.stem, None, path.read_bytes()


def altered(data: bytes, places: list[int], value: Any) -> bytes:
    """An answer with another *value* somewhere inside of it: each number chooses a member on the way there."""
    whole = inside = json.loads(data)
    for place in places:
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        if not keys:
            break
        key = keys[place % len(keys)]
        if not isinstance(inside[key], (dict, list)) or place is places[-1]:
            inside[key] = value
            break
        inside = inside[key]
    return json.dumps(whole).encode()
