"""Runs cases, tells equal findings from new ones, and makes them small."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from . import connections, exchanges, feeds
from . import invariants as must
from .feeds import Case

FEEDS: dict[str, tuple[Callable[[Random], Case], Callable[[Case], None], int]] = {
    "request": (feeds.make_request, feeds.check_request, 4),
    "stream": (feeds.make_stream, feeds.check_stream, 4),
    "answer": (feeds.make_answer, feeds.check_answer, 3),
    "error": (feeds.make_error, feeds.check_error, 1),
    "exchange": (exchanges.make, exchanges.check, 2),
    "connection": (connections.make, connections.check, 2),
}
"""How cases of each feed are made and checked, and how often their turn comes."""
_TURNS = [feed for feed, (_, _, share) in FEEDS.items() for _ in range(share)]
_EVERY = 500  # cases between two looks at the constants
_TRIES = 400


class Finding(NamedTuple):
    """A case that breaks an invariant; *kind* tells whether another one is the same."""

    number: int
    kind: str
    words: str
    case: Case


def case_of(seed: int, number: int) -> Case:
    """Return the case of that number: always the same one."""
    random = Random(f"{seed}/{number}")
    return FEEDS[random.choice(_TURNS)][0](random)


def check(case: Case) -> None:
    """Hold a case against all that must hold; raises what does not."""
    checked = FEEDS[case.feed][1]
    checked(case)


def found(number: int, case: Case) -> Finding | None:
    """Check a case; return what is wrong with it."""
    try:
        must.nothing_is_out_of_proportion(lambda: check(case), 8 * case.size)  # it is fed up to five times, and judged
    except Exception as error:
        return Finding(number, _kind(case, error), str(error)[:1500], case)
    return None


def run(seed: int, numbers: Iterator[int], tell: Callable[[Finding], None]) -> int:
    """Check the cases of these numbers; *tell* of each finding. Returns how many there were."""
    must.constants_are_unchanged()
    count = 0
    for count, number in enumerate(numbers, 1):
        if finding := found(number, case_of(seed, number)):
            tell(finding)
        if count % _EVERY == 0:
            must.constants_are_unchanged()
    must.constants_are_unchanged()
    return count


def _kind(case: Case, error: BaseException) -> str:
    """The invariant, and the innermost line of the translator or of a judge that is to blame."""
    inner = error.__cause__ or error
    while inner.__cause__ is not None:
        inner = inner.__cause__
    frames = traceback.extract_tb(inner.__traceback__)
    named = [f for f in frames if "diglot" in f.filename or "judges" in f.filename] or frames
    place = f"{named[-1].filename.rpartition('/')[2]}:{named[-1].name}:{named[-1].line or ''}"
    return f"{getattr(error, 'name', type(error).__name__)} {case.feed} {case.direction} {type(inner).__name__} {place}"


# --- small cases


def smaller(finding: Finding) -> Finding:
    """Return the same finding with as little as possible in its case, after so many tries."""
    tries, best, again = 0, finding, True
    while again and tries < _TRIES:
        again = False
        for case in _less(best.case):
            tries += 1
            other = found(finding.number, case)
            if other is not None and other.kind == finding.kind:
                best, again = other, True
                break
            if tries >= _TRIES:
                break
    return best


def _less(case: Case) -> Iterator[Case]:
    """Cases with a little less in them: large parts are tried first."""
    if case.profile != "default":
        yield case._replace(profile="default")
    if isinstance(case.asked, dict):
        yield from (case._replace(asked=asked) for asked in _less_of(case.asked))
    if case.feed == "stream":
        parts = case.data.split(b"\n\n")
        for size in (len(parts) // 2, len(parts) // 4, 1):
            for at in range(0, len(parts), max(size, 1)):
                yield case._replace(data=b"\n\n".join(parts[:at] + parts[at + max(size, 1) :]))
        for at, part in enumerate(parts):
            head, mark, data = part.partition(b"data: ")
            for other in _less_of(_decoded(data)):
                yield case._replace(
                    data=b"\n\n".join([*parts[:at], head + mark + json.dumps(other).encode(), *parts[at + 1 :]])
                )
    else:
        yield from (case._replace(data=json.dumps(less).encode()) for less in _less_of(_decoded(case.data)))


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _less_of(value: Any) -> Iterator[Any]:
    """The value without each one of its members, members of members, and so on."""
    if isinstance(value, dict):
        for name in value:
            yield {key: inner for key, inner in value.items() if key != name}
        for name, inner in value.items():
            yield from ({**value, name: less} for less in _less_of(inner))
    elif isinstance(value, list):
        for at in range(len(value)):
            yield value[:at] + value[at + 1 :]
        for at, inner in enumerate(value):
            yield from ([*value[:at], less, *value[at + 1 :]] for less in _less_of(inner))


def as_golden(case: Case) -> str:
    """The case in the form of a golden file, or as Python where bytes are not text."""
    try:
        text = case.data.decode()
    except UnicodeDecodeError:
        return repr(case)
    places = {"request": None, "stream": "sse", "error": "body"}
    name = places.get(case.feed, "completion" if case.direction == "serve_responses" else "response")
    try:
        value = text if case.feed in ("stream", "error") else json.loads(text)
    except ValueError:
        return repr(case)
    given: Any = value if name is None else {"asked": case.asked, name: value}
    if case.feed == "error":
        given["status"] = case.status
    return json.dumps({"about": "...", "profile": case.profile, "strict": case.what == "strict", "given": given})
