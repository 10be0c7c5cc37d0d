from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.mapping import (
    CARRIED,
    HANDED_ON,
    Goal,
    Row,
    Way,
    by_code,
    carried,
    compile_rules,
    field,
    handed_on,
    is_one_of,
    live,
    lost,
    put,
    refused,
    walk,
    without,
)

ALL = Profile(unsupported=frozenset(), renamed={})


NOWHERE = by_code("read by code")


def walked(
    rows: list[Row], body: dict[str, Any], profile: Profile = ALL, goal: Goal = "chat", is_live: bool = True
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What *rows* make of *body* on its way into *goal*, and what they lose: (path, kind)."""
    out: dict[str, Any] = {}
    report = Report()
    unknown = profile.unknown if goal == "chat" else profile.responses_unknown
    walk(compile_rules(rows, goal), body, out, Context(profile, report, is_live), unknown)
    return out, [(loss.path, loss.kind) for loss in report]


def to_chat(name: str, way: Way) -> Row:
    return field(name, way, NOWHERE)


@pytest.mark.parametrize("value", [0, 0.0, False, "", [], {}])
def test_a_carried_field_arrives_whatever_it_holds(value: Any) -> None:
    """Zero, false and empty are values; only null is none."""
    out, losses = walked([field("a")], {"a": value})
    assert out == {"a": value}
    assert type(out["a"]) is type(value)
    assert losses == []


def test_null_says_nothing() -> None:
    """A null is neither carried nor lost, at the top or inside."""
    rows = [field("a"), Row("b.c", "d", CARRIED, CARRIED), Row("e", None, lost("why"), HANDED_ON)]
    rows += [to_chat("f", refused("why")), to_chat("g", live("why", "off"))]
    assert walked(rows, dict.fromkeys("abefg")) == ({}, [])
    assert walked(rows, {"b": {"c": None}}) == ({}, [])


def test_a_moved_field_changes_name_and_depth() -> None:
    """Dotted paths are places inside objects, on both sides."""
    rows = [
        Row("text.verbosity", "verbosity", CARRIED, CARRIED),
        Row("effort", "reasoning.effort", CARRIED, CARRIED),
        Row("cap", "reasoning.cap", CARRIED, CARRIED),
    ]
    out, losses = walked(rows, {"text": {"verbosity": "low"}, "effort": "high", "cap": 5})
    assert out == {"verbosity": "low", "reasoning": {"effort": "high", "cap": 5}}
    assert losses == []


def test_a_shape_gets_value_path_and_terms() -> None:
    """A row's part reshapes the value; what it returns as None is left out."""
    seen: list[Any] = []

    def doubled(value: Any, path: str, context: Context) -> Any:
        seen.append((value, path, context.profile))
        return value * 2 or None

    assert walked([Row("a.b", "c", carried(doubled), CARRIED)], {"a": {"b": 2}})[0] == {"c": 4}
    assert walked([Row("a.b", "c", carried(doubled), CARRIED)], {"a": {"b": 0}}) == ({}, [])
    assert seen[0] == (2, "a.b", ALL)


def test_an_upstream_may_know_another_name() -> None:
    """The profile renames the chat field, not the client's."""
    profile = Profile(renamed={"limit": "max.tokens"}, unsupported=frozenset())
    assert walked([Row("cap", "limit", CARRIED, CARRIED)], {"cap": 5}, profile)[0] == {"max": {"tokens": 5}}


@pytest.mark.parametrize("taken", [frozenset({"limit"}), frozenset({"limit.cap"})])
def test_what_the_upstream_does_not_take_is_dropped(taken: frozenset[str]) -> None:
    """A field, or all fields inside of one, can be switched off by the profile; that is reported."""
    assert walked([Row("cap", "limit.cap", CARRIED, CARRIED)], {"cap": 5}, Profile(unsupported=taken)) == (
        {},
        [("cap", "dropped")],
    )


def test_a_hint_that_says_nothing_is_not_missed() -> None:
    """A harmless value is carried where it can be, and not reported where it cannot."""
    rows = [field("tier", carried(harmless=("auto",)))]
    assert walked(rows, {"tier": "auto"}) == ({"tier": "auto"}, [])
    assert walked(rows, {"tier": "auto"}, Profile(unsupported=frozenset({"tier"}))) == ({}, [])
    assert walked(rows, {"tier": "flex"}, Profile(unsupported=frozenset({"tier"}))) == ({}, [("tier", "dropped")])


@pytest.mark.parametrize(
    ("row", "goal", "kind"),
    [
        (Row("a", None, lost("why", False), HANDED_ON), "chat", "dropped"),
        (field("a", NOWHERE, lost("why")), "responses", "dropped"),
        (field("a", live("why", "off", False), NOWHERE), "chat", "emulated"),
        (field("a", NOWHERE, live("why", "off", False)), "responses", "emulated"),
    ],
)
def test_what_stays_behind_is_reported(row: Row, goal: Goal, kind: str) -> None:
    """Lost fields are dropped; what is done while the answer comes back is emulated, if one comes back."""
    assert walked([row], {"a": 1}, goal=goal) == ({}, [("a", kind)])
    assert walked([row], {"a": 1}, goal=goal, is_live=False) == ({}, [("a", "dropped")])


def test_a_value_may_have_to_be_read() -> None:
    """Whether it says anything is seen from what it means."""

    def stripped(value: Any, path: str, context: Context) -> Any:
        return value.strip()

    rows = [field("a", NOWHERE, live("why", "off", "", shape=stripped))]
    assert walked(rows, {"a": " "}, goal="responses") == ({}, [])
    assert walked(rows, {"a": " x"}, goal="responses") == ({}, [("a", "emulated")])


def test_what_only_an_answer_shows_is_dropped_without_one() -> None:
    """Code reads it, but it becomes no part of the request."""
    rows = [Row("a", None, by_code("why", offline="off"), HANDED_ON)]
    assert walked(rows, {"a": 1}) == ({}, [])
    assert walked(rows, {"a": 1}, is_live=False) == ({}, [("a", "dropped")])
    assert walked(rows, {"a": None}, is_live=False) == ({}, [])


def test_harmless_values_stay_behind_in_silence() -> None:
    """A value that says no more than leaving the field out is no loss; 0 is not False, 1 is not True."""
    rows = [Row("a", None, lost("why", False), HANDED_ON), to_chat("b", live("why", "off", {}))]
    assert walked(rows, {"a": False, "b": {}}) == ({}, [])
    assert walked(rows, {"a": 0}) == ({}, [("a", "dropped")])


def test_a_refused_field_is_an_error() -> None:
    """A field that cannot be left out without lying is a 400 with its path."""
    with pytest.raises(RequestError, match=r"'a\.b' is not supported: there is none\.") as raised:
        walked([to_chat("a.b", refused("there is none", "auto"))], {"a": {"b": "x"}})
    assert (raised.value.param, raised.value.code) == ("a.b", "unsupported_parameter")
    assert walked([to_chat("a.b", refused("there is none", "auto"))], {"a": {"b": "auto"}}) == ({}, [])


def test_fields_of_the_other_dialect_are_handed_on() -> None:
    """Who sends a field that only the upstream's dialect has means what it says."""
    rows = [
        field("seed", handed_on(0), lost("Responses requests have no `seed`")),
        Row("truncation", None, lost("why"), HANDED_ON),
    ]
    assert walked(rows, {"seed": 1}) == ({"seed": 1}, [])
    assert walked(rows, {"truncation": "auto"}, goal="responses") == ({"truncation": "auto"}, [])


@pytest.mark.parametrize(
    ("row", "value"),
    [
        (field("seed", HANDED_ON, lost("Responses requests have no `seed`")), 1),
        (field("seed", HANDED_ON, refused("Responses requests have no `seed`")), 1),
        (field("seed", HANDED_ON, live("why", "off")), 0),
    ],
)
def test_some_upstreams_take_extras(row: Row, value: int) -> None:
    """What a profile names is carried, whatever becomes of it elsewhere."""
    taking = Profile(responses_extras=frozenset({"seed"}))
    assert walked([row], {"seed": value}, taking, "responses") == ({"seed": value}, [])


@pytest.mark.parametrize(("goal", "given", "made"), [("chat", "max", "limit"), ("responses", "limit", "max")])
def test_a_row_is_read_both_field(goal: Goal, given: str, made: str) -> None:
    """A name of the other dialect is not taken: it says nothing here, and the loss says what does."""
    rows = [Row("max", "limit", CARRIED, CARRIED)]
    assert walked(rows, {given: 5}, goal=goal) == ({made: 5}, [])
    assert walked(rows, {made: 5}, goal=goal) == ({}, [(made, "dropped")])


def test_another_name_of_a_field_is_a_row_of_its_own() -> None:
    """One direction reads both names, the other writes one of them."""
    rows = [Row("max", "limit", CARRIED, CARRIED), Row("max", "old", None, CARRIED)]
    assert walked(rows, {"old": 5}, goal="responses") == ({"max": 5}, [])
    assert walked(rows, {"max": 5}) == ({"limit": 5}, [])
    assert walked(rows, {"old": 5}) == ({}, [("old", "dropped")])


def test_upstreams_of_either_dialect_refuse_fields() -> None:
    """Each dialect has its own list of what the upstream does not take; renaming is for chat upstreams."""
    profile = Profile(responses_unsupported=frozenset({"text"}), renamed={"effort": "other"}, unsupported=frozenset())
    rows = [Row("text.tone", "tone", CARRIED, CARRIED), field("effort")]
    assert walked(rows, {"tone": "dry"}, profile, "responses") == ({}, [("tone", "dropped")])
    assert walked(rows, {"effort": 1}, profile, "responses") == ({"effort": 1}, [])
    assert walked(rows, {"text": {"tone": "dry"}}, profile) == ({"tone": "dry"}, [])


@pytest.mark.parametrize("goal", ["chat", "responses"])
def test_fields_by_code_are_left_to_the_code(goal: Goal) -> None:
    """The walk neither carries nor reports them, where they have a meaning."""
    rows = [
        Row("input", "messages", by_code("why"), by_code("messages become items")),
        Row("instructions", "messages", by_code("first"), None),
    ]
    assert walked(rows, {"input" if goal == "chat" else "messages": "x"}, goal=goal) == ({}, [])
    assert walked(rows, {"instructions": "x"}, goal=goal)[1] == ([("instructions", "dropped")] * (goal != "chat"))


def test_unknown_fields_pass_or_are_reported() -> None:
    """The profile decides on fields of no specification; inside of known objects they are always reported."""
    body = {"top_k": 5, "text": {"tone": "dry", "mood": None}}
    rows = [Row("text.verbosity", "verbosity", CARRIED, CARRIED)]
    assert walked(rows, body) == ({"top_k": 5}, [("text.tone", "dropped")])
    reported = walked(rows, {**body, "min_p": None}, Profile(unknown="report"))
    assert reported == ({}, [("top_k", "dropped"), ("text.tone", "dropped")])
    assert walked(rows, {"top_k": 5}, goal="responses") == ({}, [("top_k", "dropped")])


def test_an_object_must_be_an_object() -> None:
    """Where fields are nested, anything else than an object is a 400."""
    with pytest.raises(RequestError) as raised:
        walked([Row("text.verbosity", "verbosity", CARRIED, CARRIED)], {"text": "low"})
    assert (raised.value.param, raised.value.code) == ("text", "invalid_type")


def test_put_makes_the_objects_on_its_way() -> None:
    """A dotted path is set inside of objects that are there or are made."""
    out: dict[str, Any] = {"a": {"x": 1}}
    put(out, "a.b.c", 2)
    assert out == {"a": {"x": 1, "b": {"c": 2}}}


def test_put_leaves_what_is_there_as_it_was() -> None:
    """It may be a part of the caller's body."""
    theirs = {"x": 1}
    out: dict[str, Any] = {"a": theirs, "b": "text"}
    put(out, "a.y", 2)
    put(out, "b.y", 2)
    assert (out, theirs) == ({"a": {"x": 1, "y": 2}, "b": {"y": 2}}, {"x": 1})


@pytest.mark.parametrize(
    ("value", "candidates", "found"),
    [
        (0, (False,), False),
        (1, (True,), False),
        (False, (0, False), True),
        (1.0, (1,), True),
        ([], ([],), True),
        ({}, (None,), False),
    ],
)
def test_is_one_of(value: Any, candidates: tuple[Any, ...], found: bool) -> None:
    """Equal values are found; numbers are not truth values."""
    assert is_one_of(value, candidates) is found


@pytest.mark.parametrize("word", ["auto", "default", "vendor", 5])
def test_words_of_both_sides_are_carried(word: object) -> None:
    """Words that both sides know, and words that nobody knows, stay what they are."""
    context = Context(Profile(), Report())
    assert without("ultrafast", "there is no such tier")(word, "service_tier", context) == word
    assert len(context.report) == 0


def test_a_word_of_one_side_is_dropped() -> None:
    """The one word that only Responses has is dropped, and reported (protocol 1.2)."""
    context = Context(Profile(), Report())
    assert without("ultrafast", "there is no such tier")("ultrafast", "service_tier", context) is None
    assert [(loss.path, loss.kind, loss.value) for loss in context.report] == [("service_tier", "dropped", "ultrafast")]
