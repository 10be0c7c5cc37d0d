"""The goals, row by row, with what was measured beside them."""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks.directions import DIRECTIONS, Api
from benchmarks.servers import contestants

from . import figures
from .tables import markdown, number

Found = dict[str, Any]
_SHORT: dict[Api, str] = {"responses": "Responses client", "chat": "chat client"}


class Goal(NamedTuple):
    """One row. *values* gives what was measured in one direction; all must be within *limit*, if there is one."""

    about: str
    limit: float | None
    unit: str
    question: str
    values: figures.Values
    at_least: bool = False

    def row(self, found: dict[str, Found | None]) -> list[str]:
        result = found[self.question]
        values = {api: [] if result is None else self.values(result, api) for api in DIRECTIONS}
        shown = [_span(values[api], self.unit) for api in DIRECTIONS]
        return [self.about, self._bound, *shown, self._verdict([value for each in values.values() for value in each])]

    @property
    def _bound(self) -> str:
        if self.limit is None:
            return "none, for reading only"
        return f"{'at least' if self.at_least else 'at most'} {number(self.limit)}{self.unit}"

    def _verdict(self, values: list[float]) -> str:
        if not values:
            return "not measured"
        limit = self.limit
        if limit is None:
            return ""
        reached = all(value >= limit if self.at_least else value <= limit for value in values)
        return "reached" if reached else "**missed**"


def _span(values: list[float], unit: str) -> str:
    if not values:
        return ""
    low, high = number(min(values)), number(max(values))
    return f"{low if low == high else f'{low} to {high}'}{unit}"


def table(found: dict[str, Found | None]) -> str:
    """All goals; *found* are the results by question."""
    head = ["", "goal", *(_SHORT[api] for api in DIRECTIONS), ""]
    return markdown(head, [goal.row(found) for goal in GOALS])


_FLOOR_D = " x floor D"
_BASE = " x `BaseHTTPMiddleware` that does nothing"
_PASSTHROUGH = f" x {contestants.FLOOR}"
_RELAY = f" x {contestants.RELAY}"
_ANSWER = "finished answer"

GOALS = (
    Goal("Codex request, bytes to bytes", 1.15, _FLOOR_D, "requests", figures.ours("Codex")),
    Goal("1,000 messages", 1.3, _FLOOR_D, "requests", figures.ours("1,000 messages")),
    Goal("5 MB image", 0.25, _FLOOR_D, "requests", figures.ours("5 MB image")),
    Goal("5 MB image, peak memory", 1.2, " x body", "memory", figures.image),
    Goal("small request", 3, _FLOOR_D, "requests", figures.ours("small")),
    Goal("finished answer to a Responses client, every case", 5, _FLOOR_D, "answers", figures.answers_to("responses")),
    Goal("finished answer to a chat client, every case", 2, _FLOOR_D, "answers", figures.answers_to("chat")),
    Goal("text chunk", 1.35, _FLOOR_D, "streams", figures.ours("text")),
    Goal("tool-argument and reasoning chunks", 1.5, _FLOOR_D, "streams", figures.ours("tool arguments", "reasoning")),
    Goal("a chunk that comes alone", 1.6, " x floor D that comes alone", "streams", figures.alone),
    Goal("a chunk of 100,000, against one of 1,000", 1.15, " x", "scaling", figures.grown("100000")),
    Goal("a chunk of 1,000,000, against one of 1,000", 1.15, " x", "scaling", figures.grown("1000000")),
    Goal("memory that a stream holds", 1.5, " x its text", "memory", figures.held),
    Goal("open stream in `diglot serve`, small request", 1.6, _PASSTHROUGH, "memory", figures.open_stream("servers")),
    Goal(
        "open stream in `diglot serve`, Codex request",
        0.6,
        _PASSTHROUGH,
        "memory",
        figures.open_stream("servers, Codex"),
    ),
    Goal("peers' streams, full path", 15, " x ours", "streams", figures.peers(but="logprobs"), at_least=True),
    Goal("the same, with log-probabilities", 5, " x ours", "streams", figures.peers(only="logprobs"), at_least=True),
    Goal("peers' answers, full path", 15, " x ours", "answers", figures.peers(but="20,000 characters"), at_least=True),
    Goal("the same, 20,000 characters", 6, " x ours", "answers", figures.peers("20,000 characters"), at_least=True),
    Goal("peers' requests, full path", 4, " x ours", "requests", figures.peers(), at_least=True),
    Goal(
        "peers' requests with our decoder and encoder",
        1.5,
        " x ours",
        "requests",
        figures.peers(our_json=True),
        at_least=True,
    ),
    Goal("middleware, one chunk", 0.18, _BASE, "middleware", figures.over_base("chunk")),
    Goal("middleware, finished answer", 0.35, _BASE, "middleware", figures.over_base(_ANSWER)),
    Goal("under an SDK, one chunk", 1.5, " x httpx2 alone", "transport", figures.over_package),
    Goal("inspector, one chunk", 1, " us over off", "observe", figures.tap("text, one chunk")),
    Goal("inspector, one exchange", 60, " us over off", "observe", figures.tap("one exchange")),
    Goal("proxy, one chunk", 1.3, _PASSTHROUGH, "proxy", figures.over_passthrough()),
    Goal("proxy, finished answer", 2.1, _PASSTHROUGH, "proxy", figures.over_passthrough(kind=_ANSWER)),
    Goal(
        "proxy, finished answer to a Codex request",
        4.5,
        _PASSTHROUGH,
        "proxy",
        figures.over_passthrough("Codex", _ANSWER),
    ),
    Goal("proxy, first token, p50", 1.6, _PASSTHROUGH, "proxy", figures.over_passthrough(key="first token, x floor")),
    Goal("codex-relay, one chunk", 1.75, _RELAY, "proxy", figures.over(contestants.RELAY)),
    Goal("codex-relay, finished answer", 4.2, _RELAY, "proxy", figures.over(contestants.RELAY, kind=_ANSWER)),
    Goal("codex-relay, Codex request", 1, _RELAY, "proxy", figures.over(contestants.RELAY, "Codex", _ANSWER)),
    Goal("LiteLLM's proxy, one chunk", 15, " x ours", "proxy", figures.under(contestants.LITELLM), at_least=True),
    Goal("nginx, one chunk", None, " x nginx", "proxy", figures.over(contestants.NGINX)),
    Goal("up to 1,000 streams at once: chunks lost or out of order", 0, "", "scaling", figures.misplaced),
    Goal("migration of a batch in one process", 1.1, " x a bare loop", "migrate", figures.migration(1)),
    Goal("migration of a batch in two processes", 1.15, " x a bare loop", "migrate", figures.migration(2)),
    Goal("memory of a migration, 5 GB against 0.5 GB", 1.2, " x", "migrate", figures.of_large_file),
)
