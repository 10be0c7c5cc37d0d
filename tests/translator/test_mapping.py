from typing import Any

import pytest

from diglot.translator import BadRequest, Profile, Report
from diglot.translator.mapping import (
    Row,
    by_code,
    chat_only,
    compile_rules,
    hint,
    is_one_of,
    kept,
    moved,
    passed,
    put,
    refused,
    responses_only,
    same,
    walk,
    without,
)
from diglot.translator.profiles import Terms

ALL = Profile(unsupported=frozenset(), renamed={})


def walked(
    rows: list[Row], body: dict[str, Any], profile: Profile = ALL
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What *rows* make of *body*, and what they lose: (path, kind)."""
    out: dict[str, Any] = {}
    report = Report()
    walk(compile_rules(rows), body, out, Terms(profile, report))
    return out, [(loss.path, loss.kind) for loss in report]


@pytest.mark.parametrize("value", [0, 0.0, False, "", [], {}])
def test_a_carried_field_arrives_whatever_it_holds(value: Any) -> None:
    """Zero, false and empty are values; only null is none."""
    out, losses = walked(same("a"), {"a": value})
    assert out == {"a": value}
    assert type(out["a"]) is type(value)
    assert losses == []


def test_null_says_nothing() -> None:
    """A null is neither carried nor lost, at the top or inside."""
    rows = [*same("a"), moved("b.c", "d"), responses_only("e", "why"), refused("f", "why"), kept("g", "why")]
    assert walked(rows, dict.fromkeys("abefg")) == ({}, [])
    assert walked(rows, {"b": {"c": None}}) == ({}, [])


def test_a_moved_field_changes_name_and_depth() -> None:
    """Dotted paths are places inside objects, on both sides."""
    rows = [moved("text.verbosity", "verbosity"), moved("effort", "reasoning.effort"), moved("cap", "reasoning.cap")]
    out, losses = walked(rows, {"text": {"verbosity": "low"}, "effort": "high", "cap": 5})
    assert out == {"verbosity": "low", "reasoning": {"effort": "high", "cap": 5}}
    assert losses == []


def test_a_shape_gets_value_path_and_terms() -> None:
    """A row's part reshapes the value; what it returns as None is left out."""
    seen: list[Any] = []

    def doubled(value: Any, path: str, terms: Terms) -> Any:
        seen.append((value, path, terms.profile))
        return value * 2 or None

    assert walked([moved("a.b", "c", doubled)], {"a": {"b": 2}})[0] == {"c": 4}
    assert walked([moved("a.b", "c", doubled)], {"a": {"b": 0}}) == ({}, [])
    assert seen[0] == (2, "a.b", ALL)


def test_an_upstream_may_know_another_name() -> None:
    """The profile renames the chat field, not the client's."""
    profile = Profile(renamed={"limit": "max.tokens"}, unsupported=frozenset())
    assert walked([moved("cap", "limit")], {"cap": 5}, profile)[0] == {"max": {"tokens": 5}}


@pytest.mark.parametrize("taken", [frozenset({"limit"}), frozenset({"limit.cap"})])
def test_what_the_upstream_does_not_take_is_dropped(taken: frozenset[str]) -> None:
    """A field, or all fields inside of one, can be switched off by the profile; that is reported."""
    assert walked([moved("cap", "limit.cap")], {"cap": 5}, Profile(unsupported=taken)) == ({}, [("cap", "dropped")])


def test_a_hint_that_says_nothing_is_not_missed() -> None:
    """A harmless value is carried where it can be, and not reported where it cannot."""
    rows = [hint("tier", None, "auto")]
    assert walked(rows, {"tier": "auto"}) == ({"tier": "auto"}, [])
    assert walked(rows, {"tier": "auto"}, Profile(unsupported=frozenset({"tier"}))) == ({}, [])
    assert walked(rows, {"tier": "flex"}, Profile(unsupported=frozenset({"tier"}))) == ({}, [("tier", "dropped")])


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (responses_only("a", "why", False), "dropped"),
        (chat_only("a", "why"), "dropped"),
        (kept("a", "why", False), "emulated"),
    ],
)
def test_what_stays_behind_is_reported(row: Row, kind: str) -> None:
    """Lost fields are dropped, fields that are answered here are emulated."""
    assert walked([row], {"a": 1}) == ({}, [("a", kind)])


def test_harmless_values_stay_behind_in_silence() -> None:
    """A value that says no more than leaving the field out is no loss; 0 is not False, 1 is not True."""
    rows = [responses_only("a", "why", False), kept("b", "why", {})]
    assert walked(rows, {"a": False, "b": {}}) == ({}, [])
    assert walked(rows, {"a": 0}) == ({}, [("a", "dropped")])


def test_a_refused_field_is_an_error() -> None:
    """A field that cannot be left out without lying is a 400 with its path."""
    with pytest.raises(BadRequest, match=r"'a\.b' is not supported: there is none\.") as raised:
        walked([refused("a.b", "there is none", "auto")], {"a": {"b": "x"}})
    assert (raised.value.param, raised.value.code) == ("a.b", "unsupported_parameter")
    assert walked([refused("a.b", "there is none", "auto")], {"a": {"b": "auto"}}) == ({}, [])


def test_passed_fields_go_on_under_their_names() -> None:
    """Chat fields that confused clients send mean what they say."""
    assert walked(passed("stop", "seed"), {"stop": ["x"], "seed": 1}) == ({"stop": ["x"], "seed": 1}, [])


def test_fields_by_code_are_left_to_the_code() -> None:
    """The walk neither carries nor reports them."""
    assert walked([by_code("input", "messages", "why")], {"input": "x"}) == ({}, [])


def test_unknown_fields_pass_or_are_reported() -> None:
    """The profile decides on fields of no specification; inside of known objects they are always reported."""
    body = {"top_k": 5, "text": {"tone": "dry"}}
    rows = [moved("text.verbosity", "verbosity")]
    assert walked(rows, body) == ({"top_k": 5}, [("text.tone", "dropped")])
    reported = walked(rows, body, Profile(unknown="report"))
    assert reported == ({}, [("top_k", "dropped"), ("text.tone", "dropped")])


def test_an_object_must_be_an_object() -> None:
    """Where fields are nested, anything else than an object is a 400."""
    with pytest.raises(BadRequest) as raised:
        walked([moved("text.verbosity", "verbosity")], {"text": "low"})
    assert (raised.value.param, raised.value.code) == ("text", "invalid_type")


def test_put_makes_the_objects_on_its_way() -> None:
    """A dotted path is set inside of objects that are there or are made."""
    out: dict[str, Any] = {"a": {"x": 1}}
    put(out, "a.b.c", 2)
    assert out == {"a": {"x": 1, "b": {"c": 2}}}


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
    terms = Terms(Profile(), Report())
    assert without("ultrafast", "there is no such tier")(word, "service_tier", terms) == word
    assert len(terms.report) == 0


def test_a_word_of_one_side_is_dropped() -> None:
    """The one word that only Responses has is dropped, and reported (protocol 1.2)."""
    terms = Terms(Profile(), Report())
    assert without("ultrafast", "there is no such tier")("ultrafast", "service_tier", terms) is None
    assert [(loss.path, loss.kind, loss.value) for loss in terms.report] == [("service_tier", "dropped", "ultrafast")]
