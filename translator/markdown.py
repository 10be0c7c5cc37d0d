"""FIELDS.md: the tables of `fields.py` as Markdown, for any profile."""

from __future__ import annotations

from collections.abc import Iterator

from .fields import ANSWER, COMPLETION, OPTIONAL, REQUEST, AnswerField
from .mapping import Goal, Way
from .presets import DEFAULT, resolve_profile
from .profiles import Profile

_LEGEND = {"lost": "**lost**: ", "refused": "**refused**: ", "live": "emulated live: "}
_HEAD = """\
# What happens to every field

Generated from `fields.py` for the profile `{name}`. `diglot fields --profile NAME` prints the tables for another one,
and `--set KEY=VALUE` changes single settings.

- What is *not sent*, *lost* or *dropped* is reported, and refused with `strict`. **Refused** fields always get a 400,
  because leaving them out would be a lie. Values that mean the same as leaving the field out do not count.
- *Live* exchanges translate the answer, too: the server, the middleware, `ServeResponses` and `ServeChat`. *Offline*,
  only a request is translated: `diglot convert`, `diglot.chat_request` and `diglot.responses_request`.
- Fields that are in no table {to_chat} a chat upstream and {to_responses} a Responses upstream.
- Ids, states, annotations and log-probabilities of earlier items mean nothing to a model: they are left out without
  a report.
"""
_UNKNOWN = {"pass": "are passed on to", "report": "are reported and not sent to"}


def fields_as_markdown(profile: Profile | str = DEFAULT) -> Iterator[str]:
    """Yield the lines of the tables for *profile*; FIELDS.md has those of the default profile.

    Raises ValueError for an unknown profile name.
    """
    profile = resolve_profile(profile)
    to_chat, to_responses = _UNKNOWN[profile.unknown], _UNKNOWN[profile.responses_unknown]
    yield from _HEAD.format(name=profile.name, to_chat=to_chat, to_responses=to_responses).splitlines()
    yield from _request("chat", profile)
    yield from _answer("the Response object", [*ANSWER, *OPTIONAL])
    yield from _request("responses", profile)
    yield from _answer("the chat completion", COMPLETION)


_TITLES: dict[Goal, tuple[str, str]] = {
    "chat": ("Responses", "Chat Completions"),
    "responses": ("Chat Completions", "Responses"),
}


def _request(goal: Goal, profile: Profile) -> Iterator[str]:
    source, target_title = _TITLES[goal]
    yield ""
    yield f"## Request: {source} to {target_title}"
    yield ""
    yield f"| {source} | {target_title} | |"
    yield "| --- | --- | --- |"
    for row in REQUEST:
        name, target, way = (
            (row.responses, row.chat, row.to_chat) if goal == "chat" else (row.chat, row.responses, row.to_responses)
        )
        if way is not None:
            arrives, words = fate(name or target or "", target if name else None, way, goal, profile)
            yield f"| {_code(name or target)} | {_code(arrives)} | {words} |"


def fate(name: str, target: str | None, way: Way, goal: Goal, profile: Profile) -> tuple[str | None, str]:
    """Return where the request field *name* arrives with *profile* (None if it does not), and a description."""
    if way.how in ("carried", "by code"):
        arrives = (target or name) if way.how == "carried" else (way.needs[0] if way.needs else None)
        if not all(profile.takes(need, goal) for need in way.needs or ([arrives] if arrives else [])):
            return None, "not sent (reported)"
        if arrives and goal == "chat":
            arrives = profile.renamed.get(arrives, arrives)
        return arrives, (way.why or "as is") + (f"; dropped offline: {way.offline}" if way.offline else "")
    if goal == "responses" and name in profile.responses_extras:
        return name, "the upstream supports it"
    return None, f"{_LEGEND[way.how]}{way.why}" + (f"; dropped offline: {way.offline}" if way.offline else "")


def _answer(title: str, fields: list[AnswerField]) -> Iterator[str]:
    yield ""
    yield f"## Answer: {title}"
    yield ""
    yield "| Field | From | |"
    yield "| --- | --- | --- |"
    for field in fields:
        default = "" if field.default is None else f"default `{field.default}`"
        yield f"| `{field.name}` | {field.source} | {'; '.join(filter(None, (field.why, default)))} |"


def _code(name: str | None) -> str:
    return f"`{name}`" if name else ""
