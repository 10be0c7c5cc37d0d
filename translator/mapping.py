"""What a row of a field table is, and the one walk over a body that reads it.

A row is the only place that says what becomes of a field: the converter, the loss report, the strict refusal and
FIELDS.md all read it. Rows hold facts, no conditions: what has order or memory is straight-line code elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from .errors import BadRequest
from .profiles import Terms
from .wire import shape

Shape = Callable[[Any, str, Terms], Any]
Rule = Callable[[Any, dict[str, Any], Terms], None]


class Row(NamedTuple):
    """One field of a request. Paths are dotted; ``None``: that dialect has no such field."""

    responses: str | None
    chat: str | None
    how: Literal["carried", "lost", "refused", "kept", "by code"]
    why: str = ""
    shape: Shape | None = None
    harmless: tuple[Any, ...] = (None,)  # values that say no more than leaving the field out


def same(*names: str) -> list[Row]:
    """Fields with one name and one meaning on both sides."""
    return [Row(name, name, "carried") for name in names]


def hint(name: str, shape: Shape | None, *harmless: Any) -> Row:
    """A field of the same name that says nothing when it has one of the *harmless* values."""
    return Row(name, name, "carried", "", shape, (None, *harmless))


def moved(responses: str, chat: str, shape: Shape | None = None, why: str = "", *harmless: Any) -> Row:
    """A field with another name or place, reshaped by *shape*."""
    return Row(responses, chat, "carried", why, shape, (None, *harmless))


def responses_only(name: str, why: str, *harmless: Any) -> Row:
    """A field that chat requests have no word for: left out and reported."""
    return Row(name, None, "lost", why, None, (None, *harmless))


def chat_only(name: str, why: str, *harmless: Any) -> Row:
    """A field of the other dialect that a confused client may send: it would collide with what is written there."""
    return Row(None, name, "lost", why, None, (None, *harmless))


def passed(*names: str) -> list[Row]:
    """Chat fields without a Responses counterpart that mean what they say when a client sends them all the same."""
    return [Row(None, name, "carried", "not a Responses field; handed on when it is sent") for name in names]


def refused(name: str, why: str, *harmless: Any) -> Row:
    """A field that changes the meaning of the request so much that leaving it out would be a lie."""
    return Row(name, None, "refused", why, None, (None, *harmless))


def kept(name: str, why: str, *harmless: Any) -> Row:
    """A field that is answered here and not sent to the upstream."""
    return Row(name, None, "kept", why, None, (None, *harmless))


def by_code(responses: str, chat: str | None, why: str) -> Row:
    """A field that straight-line code takes, because it has order or depends on others."""
    return Row(responses, chat, "by code", why)


def without(word: str, why: str) -> Shape:
    """A shape for fields whose values are the same words on both sides, but for one that only Responses has."""

    def shape_word(value: Any, path: str, terms: Terms) -> Any:
        if value != word:
            return value
        terms.report.dropped(path, why, value)
        return None

    return shape_word


Rules = dict[str, Any]


def compile_rules(rows: Iterable[Row]) -> Rules:
    """One lookup from a field's name to what happens to it; nested fields are nested lookups."""
    rules: Rules = {}
    for row in rows:
        *parents, name = (row.responses or row.chat or "").split(".")
        node = rules
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = _rule(row)
    return rules


def _rule(row: Row) -> Rule:
    path = row.responses or row.chat or ""
    if row.how == "carried":
        return _carrier(row, path)
    if row.how == "by code":
        return lambda value, out, terms: None

    def stays(value: Any, out: dict[str, Any], terms: Terms) -> None:
        if is_one_of(value, row.harmless):
            return
        if row.how == "refused":
            raise BadRequest(f"'{path}' is not supported: {row.why}.", path, "unsupported_parameter")
        if row.how == "kept":
            terms.report.emulated(path, row.why, value)
        else:
            terms.report.dropped(path, row.why, value)

    return stays


def _carrier(row: Row, path: str) -> Rule:
    def carry(value: Any, out: dict[str, Any], terms: Terms) -> None:
        if value is None:
            return
        goal = row.chat or ""
        if not terms.profile.takes(goal):
            if is_one_of(value, row.harmless):
                return
            terms.report.dropped(path, "the upstream does not take it", value)
            return
        shaped = row.shape(value, path, terms) if row.shape else value
        if shaped is not None:
            put(out, terms.profile.renamed.get(goal, goal), shaped)

    return carry


def put(out: dict[str, Any], path: str, value: Any) -> None:
    """Set a dotted *path* in *out*."""
    *parents, name = path.split(".")
    for parent in parents:
        out = out.setdefault(parent, {})
    out[name] = value


def walk(rules: Rules, body: dict[str, Any], out: dict[str, Any], terms: Terms, prefix: str = "") -> None:
    """Carry every field of *body* over into *out*; what cannot come is reported, or refused."""
    for name, value in body.items():
        rule = rules.get(name)
        if rule is None:
            _unknown(prefix, name, value, out, terms)
        elif isinstance(rule, dict):
            if value is not None:
                walk(rule, shape.mapping(value, prefix + name), out, terms, f"{prefix}{name}.")
        else:
            rule(value, out, terms)


def _unknown(prefix: str, name: str, value: Any, out: dict[str, Any], terms: Terms) -> None:
    if not prefix and terms.profile.unknown == "pass":
        out[name] = value
    else:
        terms.report.dropped(prefix + name, "no such field is known", value)


def is_one_of(value: Any, candidates: Iterable[Any]) -> bool:
    """Like ``in``, but 0 is not False and 1 is not True."""
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in candidates)
