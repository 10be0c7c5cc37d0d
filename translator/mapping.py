"""The rows of the field tables, and the one walk over a body that applies them.

A row is the only place that says what happens to a field, in both directions: the converters, the loss report, the
strict refusal and FIELDS.md all read it. Rows hold facts, not conditions: whatever needs order or memory is
straight-line code elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from .context import Context
from .errors import RequestError
from .profiles import Profile
from .wire import validate

Shape = Callable[[Any, str, Context], Any]
Rule = Callable[[Any, dict[str, Any], Context], None]
Rules = dict[str, Any]
Goal = Literal["chat", "responses"]


class Way(NamedTuple):
    """What happens to a field on its way into one of the dialects."""

    how: Literal["carried", "lost", "refused", "live", "by code"]
    why: str = ""
    shape: Shape | None = None
    harmless: tuple[Any, ...] = (None,)  # values that say no more than leaving the field out
    offline: str = ""
    """Why it is dropped if only a request is translated: it takes effect in the answer."""
    needs: tuple[str, ...] = ()
    """If code carries it: the fields that the upstream must support for that, first the one where it arrives."""


class Row(NamedTuple):
    """One field of a request. Paths are dotted; ``None``: that dialect has no such field."""

    responses: str | None
    chat: str | None
    to_chat: Way | None
    to_responses: Way | None
    """``None``: another row describes it."""


CARRIED = Way("carried")


def carried(shape: Shape | None = None, why: str = "", *, harmless: tuple[Any, ...] = ()) -> Way:
    """For a field that arrives under the row's other name, reshaped by *shape*."""
    return Way("carried", why, shape, (None, *harmless))


def handed_on(*harmless: Any) -> Way:
    """For a field that the other dialect does not specify: if a client sends it all the same, it is passed on."""
    return carried(why="not a field of this format; passed on if sent", harmless=harmless)


HANDED_ON = handed_on()


def lost(why: str, *harmless: Any) -> Way:
    """For a field that the other dialect does not have: left out and reported."""
    return Way("lost", why, None, (None, *harmless))


def refused(why: str, *harmless: Any) -> Way:
    """For a field that changes the meaning of a request so much that leaving it out would be a lie."""
    return Way("refused", why, None, (None, *harmless))


def live(why: str, offline: str, *harmless: Any, shape: Shape | None = None) -> Way:
    """For a field that is not sent to the upstream but applied to its answer; *shape* reads its value.

    In a live exchange it is emulated; if only a request is translated, it is dropped.
    """
    return Way("live", why, shape, (None, *harmless), offline)


def by_code(why: str, *needs: str, offline: str = "") -> Way:
    """For a field that straight-line code translates, because it has order or depends on others.

    *needs* are the fields that the upstream must support for that, first the one where it arrives, if any.
    """
    return Way("by code", why, None, (None,), offline, needs)


def field(name: str, to_chat: Way = CARRIED, to_responses: Way = CARRIED) -> Row:
    """Return the row of a field that has the same name on both sides."""
    return Row(name, name, to_chat, to_responses)


def without(word: str, why: str) -> Shape:
    """Return the shape of a field whose values are the same on both sides, except *word*, which only Responses has."""

    def shape(value: Any, path: str, context: Context) -> Any:
        if value != word:
            return value
        context.report.dropped(path, why, value)
        return None

    return shape


def compile_rules(rows: Iterable[Row], goal: Goal) -> Rules:
    """Return a lookup from a field's name to its rule on the way into *goal*; nested fields are nested lookups.

    A name of the other dialect would collide with what is written there: it is lost, with a hint to the right name.
    """
    rows = list(rows)
    rules: Rules = {}
    for row in rows:
        source, way, target = _direction(row, goal)
        if source and way:
            _node(rules, source)[source.split(".")[-1]] = _rule(way, source, target, goal)
    speaker = "Responses" if goal == "chat" else "chat"
    for row in rows:
        source, _, target = _direction(row, goal)
        if row.responses and row.chat and source != target:
            collision = lost(f"{speaker} requests use '{source}'")
            _node(rules, target).setdefault(target.split(".")[-1], _rule(collision, target, target, goal))
    return rules


def shortcuts(rows: Iterable[Row], rules: Rules, goal: Goal, profile: Profile) -> dict[str, str | Rule | None]:
    """Return how fields get into *goal* with *profile*, as far as it does not take a walk.

    A name: what is not null arrives there as it is. None: code reads it. A rule: it decides.
    """
    ways: dict[str, str | Rule | None] = {name: rule for name, rule in rules.items() if not isinstance(rule, dict)}
    for row in rows:
        source, way, target = _direction(row, goal)
        if way is None or source not in ways:
            continue
        target = target or source
        name = profile.renamed.get(target, target) if goal == "chat" else target
        if way.how == "by code" and not way.offline:
            ways[source] = None
        elif way.how == "carried" and way.shape is None and profile.takes(target, goal) and "." not in name:
            ways[source] = name
    return ways


def _direction(row: Row, goal: Goal) -> tuple[str, Way | None, str]:
    """Return the path of a field in the caller's body, what happens to it, and its path in *goal*."""
    if goal == "chat":
        return row.responses or row.chat or "", row.to_chat, row.chat or ""
    return row.chat or row.responses or "", row.to_responses, row.responses or ""


def _node(rules: Rules, path: str) -> Rules:
    """Return the lookup that holds the last name of *path*."""
    for parent in path.split(".")[:-1]:
        rules = rules.setdefault(parent, {})
    return rules


def _rule(way: Way, path: str, target: str, goal: Goal) -> Rule:
    if way.how == "carried":
        return _carry_rule(way, path, target or path, goal)
    if way.how == "by code":
        return _code_rule(way, path)
    stay = _live_rule(way, path) if way.how == "live" else _stay_rule(way, path)
    if goal == "chat":
        return stay
    carry = _carry_rule(way._replace(shape=None), path, path, goal)

    def stay_or_carry(value: Any, out: dict[str, Any], context: Context) -> None:
        (carry if path in context.profile.responses_extras else stay)(value, out, context)

    return stay_or_carry


def _stay_rule(way: Way, path: str) -> Rule:
    def stay(value: Any, out: dict[str, Any], context: Context) -> None:
        if is_one_of(value, way.harmless):
            return
        if way.how == "refused":
            raise RequestError(f"'{path}' is not supported: {way.why}.", path, "unsupported_parameter")
        context.report.dropped(path, way.why, value)

    return stay


def _live_rule(way: Way, path: str) -> Rule:
    def emulate(value: Any, out: dict[str, Any], context: Context) -> None:
        shaped = way.shape(value, path, context) if way.shape else value
        if is_one_of(shaped, way.harmless):
            return
        if context.live:
            context.report.emulated(path, way.why, value)
        else:
            context.report.dropped(path, way.offline, value)

    return emulate


def _code_rule(way: Way, path: str) -> Rule:
    def leave(value: Any, out: dict[str, Any], context: Context) -> None:
        """Code reads it."""

    def leave_to_the_answer(value: Any, out: dict[str, Any], context: Context) -> None:
        if value is not None and not context.live:
            context.report.dropped(path, way.offline, value)

    return leave_to_the_answer if way.offline else leave


def _carry_rule(way: Way, path: str, target: str, goal: Goal) -> Rule:
    shape_it, harmless = way.shape, way.harmless

    def carry(value: Any, out: dict[str, Any], context: Context) -> None:
        if value is None:
            return
        profile = context.profile
        if profile.takes(target, goal):
            shaped = shape_it(value, path, context) if shape_it else value
            if shaped is None:
                return
            name = profile.renamed.get(target, target) if goal == "chat" else target
            if "." in name:
                put(out, name, shaped)
            else:
                out[name] = shaped
        elif not is_one_of(value, harmless):
            context.report.dropped(path, "the upstream does not support it", value)

    return carry


def put(out: dict[str, Any], path: str, value: Any) -> None:
    """Set a dotted *path* in *out*."""
    *parents, name = path.split(".")
    for parent in parents:
        there = out.get(parent)
        out[parent] = out = {**there} if isinstance(there, dict) else {}  # it may be the caller's
    out[name] = value


def put_supported(out: dict[str, Any], name: str, value: Any, path: str, context: Context) -> None:
    """Set a field of a Responses request, unless the upstream does not support it: that is reported for *path*."""
    if value is None:
        return
    if context.profile.takes(name, "responses"):
        out[name] = value
    elif value not in ("auto", True):
        context.report.dropped(path, f"the upstream does not support '{name}'", value)


def walk(
    rules: Rules,
    body: dict[str, Any],
    out: dict[str, Any],
    context: Context,
    unknown: Literal["pass", "report"],
    prefix: str = "",
) -> None:
    """Carry every field of *body* over into *out*; what cannot be carried is reported or refused.

    Fields without a row are passed on or reported (*unknown*); inside known fields they are always reported.
    """
    for name, value in body.items():
        rule = rules.get(name)
        if rule is None:
            if unknown == "pass":
                out[name] = value
            elif value is not None:
                context.report.dropped(prefix + name, "unknown field", value)
        elif isinstance(rule, dict):
            if value is not None:
                walk(rule, validate.mapping(value, prefix + name), out, context, "report", f"{prefix}{name}.")
        else:
            rule(value, out, context)


def is_one_of(value: Any, candidates: Iterable[Any]) -> bool:
    """Like ``in``, but 0 is not False and 1 is not True."""
    for other in candidates:
        if value is other or (value == other and isinstance(value, bool) == isinstance(other, bool)):
            return True
    return False
