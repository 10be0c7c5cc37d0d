"""The goals, row by row, with what was measured beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from benchmarks import measure
from benchmarks.directions import DIRECTIONS, Api
from benchmarks.servers import contestants

from .tables import markdown, number

Found = dict[str, Any]
_SHORT: dict[Api, str] = {"responses": "Responses client", "chat": "chat client"}


class Goal(NamedTuple):
    """One row. *values* gives for one direction what was measured; all of it must be within *limit*."""

    about: str
    limit: float
    unit: str
    question: str
    values: Callable[[Found, Api], Iterable[float]]
    at_least: bool = False

    def row(self, found: dict[str, Found | None]) -> list[str]:
        bound = f"{'at least' if self.at_least else 'at most'} {number(self.limit)}{self.unit}"
        result = found[self.question]
        if result is None:
            return [self.about, bound, "", "", "not measured"]
        values = {api: list(self.values(result, api)) for api in DIRECTIONS}
        every = [value for those in values.values() for value in those]
        reached = all(value >= self.limit if self.at_least else value <= self.limit for value in every)
        shown = [_span(values[api], self.unit) for api in DIRECTIONS]
        return [self.about, bound, *shown, "not measured" if not every else "reached" if reached else "**missed**"]


def _span(values: list[float], unit: str) -> str:
    if not values:
        return ""
    low, high = number(min(values)), number(max(values))
    return f"{low if low == high else f'{low} to {high}'}{unit}"


def table(found: dict[str, Found | None]) -> str:
    """All goals; *found* are the results by question."""
    head = ["", "goal", *(_SHORT[api] for api in DIRECTIONS), ""]
    return markdown(head, [goal.row(found) for goal in GOALS])


# where the values are


def _ours(*path: str, key: str = "median") -> Callable[[Found, Api], Iterable[float]]:
    """One of our values: the cases of *path*."""
    return lambda found, api: [found["directions"][api][case]["rows"][measure.OURS][key] for case in path]


def _full(found: Found, api: Api) -> list[float]:
    rows = [row for case in found["directions"][api].values() for row in case["rows"].items()]
    return [row["x diglot"] for name, row in rows if _is_peer(name) and not name.endswith(("alone", "msgspec"))]


def _mapping(found: Found, api: Api) -> list[float]:
    return [case["mapping: litellm x diglot"] for case in found["directions"][api].values()]


def _is_peer(name: str) -> bool:
    return name.startswith(("litellm", "openai-agents"))


def _image(found: Found, api: Api) -> list[float]:
    return [found["requests"][api]["5 MB image"]["rows"][measure.OURS]["x body"]]


def _grown(size: str) -> Callable[[Found, Api], list[float]]:
    return lambda found, api: [found["stream"][api]["rows"][measure.OURS][size]["x smallest"]]


def _held(found: Found, api: Api) -> list[float]:
    last = found["streams"][api][-1]
    return [round(last["held"] / last["text"], 2)]


def _over_wrapper(found: Found, api: Api) -> list[float]:
    cases = found["directions"][api]
    return [case["rows"][measure.OURS]["over wrapper"] for name, case in cases.items() if "chunk" in name]


def _over_package(found: Found, api: Api) -> list[float]:
    return [
        row["x floor"]
        for case in found["directions"][api].values()
        for row in case["rows"].values()
        if "x floor" in row
    ]


def _over_passthrough(found: Found, api: Api) -> list[float]:
    return [found["directions"][api]["rows"][contestants.OURS]["x floor"]]


def _under_litellm(found: Found, api: Api) -> list[float]:
    rows = found["directions"][api]["rows"]
    return [row["x diglot"] for name, row in rows.items() if name.startswith("litellm proxy")]


def _tap(case: str) -> Callable[[Found, Api], Iterable[float]]:
    return lambda found, api: [found["directions"][api][case]["rows"]["with tap"]["over off"]]


def _most_at_once(found: Found, api: Api) -> list[float]:
    return [cell["lost"] + cell["disordered"] for cell in found["at once"]["directions"][api][contestants.OURS]]


GOALS = (
    Goal("Codex request, bytes to bytes", 0.5, " x floor D", "requests", _ours("Codex", key="x floor")),
    Goal("1,000 messages", 0.5, " x floor D", "requests", _ours("1,000 messages", key="x floor")),
    Goal("5 MB image", 0.25, " x floor D", "requests", _ours("5 MB image", key="x floor")),
    Goal("5 MB image, peak memory", 1.2, " x body", "memory", _image),
    Goal("small request", 2, " x floor D", "requests", _ours("small", key="x floor")),
    Goal("text chunk", 2, " us", "streams", _ours("text")),
    Goal("tool-argument and reasoning chunks", 3, " us", "streams", _ours("tool arguments", "reasoning")),
    Goal("a chunk of 100,000, against one of 1,000", 1.15, " x", "scaling", _grown("100000")),
    Goal("a chunk of 1,000,000, against one of 1,000", 1.15, " x", "scaling", _grown("1000000")),
    Goal("memory that a stream holds", 1.5, " x its text", "memory", _held),
    Goal("peers' streams, full path", 50, " x ours", "streams", _full, at_least=True),
    Goal("peers' answers, full path", 20, " x ours", "answers", _full, at_least=True),
    Goal("peers' requests, full path", 8, " x ours", "requests", _full, at_least=True),
    Goal("LiteLLM's requests, mapping alone", 3, " x ours", "requests", _mapping, at_least=True),
    Goal("middleware, one chunk over a pass-through wrapper", 2.5, " us", "middleware", _over_wrapper),
    Goal("under an SDK, one chunk", 1.5, " x httpx2 alone", "transport", _over_package),
    Goal("inspector, one chunk", 1, " us over off", "observe", _tap("text, one chunk")),
    Goal("inspector, one exchange", 60, " us over off", "observe", _tap("one exchange")),
    Goal("proxy, one chunk", 1.1, f" x {contestants.FLOOR}", "proxy", _over_passthrough),
    Goal("LiteLLM's proxy, one chunk", 15, " x ours", "proxy", _under_litellm, at_least=True),
    Goal("up to 1,000 streams at once: chunks lost or out of order", 0, "", "scaling", _most_at_once),
)
