import itertools
from typing import Any

import pytest

from diglot.translator.parts.catalog import Catalog, DeclaredTool
from diglot.translator.stream.to_responses import call_deltas
from diglot.translator.stream.to_responses.call_deltas import CallDelta
from diglot.translator.stream.to_responses.call_item import CallItem


@pytest.mark.parametrize(
    ("delta", "call_delta"),
    [
        (
            {"index": 1, "id": "a", "function": {"name": "f", "arguments": "{"}},
            CallDelta(1, "a", "f", "{", False, None),
        ),
        ({"index": 0, "function": {"arguments": "}"}}, CallDelta(0, "", "", "}", False, None)),
        (
            {"index": 0, "id": None, "type": None, "function": {"name": None, "arguments": None}},
            CallDelta(0, "", "", "", False, None),
        ),
        ({"function": {"arguments": {"a": 1}}}, CallDelta(None, "", "", '{"a":1}', False, None)),
        ({"function": {"arguments": [1]}}, CallDelta(None, "", "", "[1]", False, None)),
        ({"type": "custom", "custom": {"name": "c", "input": "x"}}, CallDelta(None, "", "c", "x", True, None)),
        ({"custom": {}, "function": {"name": "f"}}, CallDelta(None, "", "f", "", False, None)),
        ({"extra_content": {"google": 1}}, CallDelta(None, "", "", "", False, {"google": 1})),
        ({"extra_content": "x", "index": 1.5, "id": 5, "function": "f"}, CallDelta(None, "", "", "", False, None)),
        ({"index": "0"}, CallDelta("0", "", "", "", False, None)),
        ({}, CallDelta(None, "", "", "", False, None)),
    ],
)
def test_a_delta_is_read(delta: dict[str, Any], call_delta: CallDelta) -> None:
    """What is null, empty or of another type says nothing (D10, D39)."""
    assert call_deltas.read(delta) == call_delta


@pytest.mark.parametrize(
    ("delta", "is_empty"),
    [
        ({"index": 1, "type": "function", "function": {"name": "", "arguments": ""}}, True),
        ({"id": "a"}, False),
        ({"function": {"name": "f"}}, False),
        ({"function": {"arguments": " "}}, False),
        ({"extra_content": {}}, False),
    ],
)
def test_an_empty_delta_makes_no_call(delta: dict[str, Any], is_empty: bool) -> None:
    """An index alone, or a type, is nothing that a call could be made of."""
    assert call_deltas.read(delta).is_empty is is_empty


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ('{"name":"f","arguments":{"a":1}}', {"name": "f", "arguments": {"a": 1}}),
        (' {"name":"f"} ', {"name": "f", "arguments": {}}),
        ('{"name":"f","parameters":{"a":1}}', {"name": "f", "arguments": {"a": 1}}),
        ('{"name":"g"}', None),
        ("{", None),
        ("[1]", None),
        ('{"name":""}', None),
        ('{"name":5}', None),
    ],
)
def test_a_call_in_markup(text: str, function: Any) -> None:
    """What stood in the tag is a call when it names a declared tool (D42)."""
    tool = DeclaredTool("f", "function", "f", None, "tools[0]", {"type": "function", "function": {"name": "f"}})
    made = call_deltas.from_tag(text, Catalog({"f": tool}))
    assert (made and made["function"]) == function


def found(*deltas: dict[str, Any]) -> list[int]:
    """Which call each delta belongs to: 0 for the first, and so on."""
    calls, known = table(), []
    numbers: list[int] = []
    for delta in deltas:
        call, is_new = calls.find(call_deltas.read(delta))
        assert is_new is (call not in known)
        known += [call] * is_new
        call.add(call_deltas.read(delta).payload)
        numbers.append(known.index(call))
    return numbers


def table(*names: str) -> call_deltas.CallIndex:
    count = itertools.count(1)
    catalog = Catalog({name: DeclaredTool(name, "function", name, None, "tools[0]", {}) for name in names})
    return call_deltas.CallIndex(catalog, lambda prefix: f"{prefix}_{next(count)}")


def delta(index: Any = None, call_id: Any = None, name: Any = None, arguments: Any = None) -> dict[str, Any]:
    return {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        ([delta(0, "a", "f"), delta(0, None, None, "{}"), delta(1, "b", "f"), delta(0)], [0, 0, 1, 0]),
        ([delta(1, "a", "f"), delta(1), delta(2, "b", "g")], [0, 0, 1]),  # D9
        ([delta(None, "a", "f"), delta(), delta(None, "b", "f"), delta()], [0, 0, 1, 1]),  # D7
        ([delta(None, "a", "f"), delta(None, "b", "g"), delta(None, "a")], [0, 1, 0]),
        ([delta(None, None, "f", "{}"), delta(None, None, "g", "{}")], [0, 1]),
        ([delta(None, None, "f", "{}"), delta(None, None, "f", "{}")], [0, 1]),
        ([delta(None, None, "f", "{"), delta(None, None, "f", "}")], [0, 0]),  # D12
        ([delta(None, None, "f", "1"), delta(None, None, "f", "2")], [0, 0]),
        ([delta(0, "a", "f"), delta(0, "b", "g"), delta(0)], [0, 1, 1]),  # D8
        ([delta(0, "a", "f"), delta(0, "a", "f", "{}")], [0, 0]),  # D12
        ([delta(0, None, "f", "{}"), delta(0, None, "g", "{}")], [0, 1]),
        ([delta(0, None, "f"), delta(0, "a"), delta(0)], [0, 0, 0]),
        ([delta(None, "a", "f"), delta(0, "a"), delta(0)], [0, 0, 1]),
        ([delta()], [0]),
    ],
)
def test_whose_delta_it_is(deltas: list[dict[str, Any]], calls: list[int]) -> None:
    """However a server numbers its calls (D7-D14)."""
    assert found(*deltas) == calls


@pytest.mark.parametrize(
    "deltas",
    [
        [delta(0, "a", "f"), delta(1, "a", "f")],
        [delta(0, "a", "f"), delta(1, None, "f"), delta(1, "a")],
        [delta(0, "a", "f"), delta(0, "b", "f"), delta(0, "a", "f")],
    ],
)
def test_two_calls_never_have_one_id(deltas: list[dict[str, Any]]) -> None:
    """The second gets an id of its own, or nobody could answer it."""
    calls = table()
    made = {id(call): call for call in (calls.find(call_deltas.read(d))[0] for d in deltas)}
    ids = []
    for call in made.values():
        call.settle()
        ids.append(call.call_id)
    assert len(ids) >= 2
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("names", "deltas", "called"),
    [
        (
            ["get_weather"],
            [delta(0, "a", "get_"), delta(0, None, "weather"), delta(0, None, None, "{}")],
            ["get_weather"],
        ),
        (["get_weather"], [delta(0, "a", "get"), delta(0, "a", "_wea"), delta(0, "a", "ther")], ["get_weather"]),
        (["get_weather"], [delta(0, "a", "get_"), delta(0, "a", "get_weather")], ["get_weather"]),
        (["get", "get_weather"], [delta(0, "a", "get"), delta(0, None, "_weather")], ["get_weather"]),
        (["get", "get_weather"], [delta(0, "a", "get"), delta(0, "a", None, "{}")], ["get"]),
        (["get", "more", "getmore"], [delta(0, "a", "get"), delta(0, None, "more")], ["get", "more"]),
        ([], [delta(0, "a", "get_"), delta(0, None, "weather")], ["get_", "weather"]),
        (["get_weather"], [delta(0, "a", "get_", "{"), delta(0, None, "weather")], ["get_", "weather"]),
        (["f"], [delta(0, "a", "f"), delta(0, "b", "", "{"), delta(0, "c", None, "}")], ["f"]),
        (["f"], [delta(None, "a", "f"), delta(None, "b", "", "{"), delta(None, "c", None, "}")], ["f"]),
        (["f"], [delta(0, None, "f", '{"a":1}'), delta(0, None, "f", '{"a":1}')], ["f"]),
        (["f"], [delta(0, None, "f", '{"a":1}'), delta(0, None, "f", '{"a":2}')], ["f", "f"]),
        (["f"], [delta(0, None, "f", "{}"), delta(0, None, "f", '{"a":2}')], ["f"]),
        (["f"], [delta(0, "a", "f", '{"a":1}'), delta(1, "a", "f", '{"a":1}')], ["f"]),
        (["f"], [delta(0, "a", "f", '{"a":1}'), delta(1, "a", "g", '{"a":1}')], ["f", "g"]),
    ],
)
def test_one_call_is_one_call(names: list[str], deltas: list[dict[str, Any]], called: list[str]) -> None:
    """A name in pieces, an id for each piece, the same call again (W5)."""
    calls = table(*names)
    made: dict[int, CallItem] = {}
    for member in deltas:
        call_delta = call_deltas.read(member)
        call, _ = calls.find(call_delta)
        call.add(call_delta.payload)
        made[id(call)] = call
    assert [call.name for call in made.values()] == called


def test_a_whole_message_names_its_calls_by_id_or_place() -> None:
    """Of another id, it is the same call only with equal arguments."""
    calls = table("f")
    call, _ = calls.find(call_deltas.read(delta(0, "a", "f")))
    call.add('{"a":1}')
    same = [delta(None, "a", "f", "{}"), delta(None, None, "f", "{}"), delta(None, "b", "f", '{"a": 1}')]
    assert all(calls.find(call_deltas.read(member), 0) == (call, False) for member in same)
    new = [(delta(None, "a", "g"), 0), (delta(None, "c", "f", "{}"), 0), (delta(None, "d", "f"), 9)]
    assert all(calls.find(call_deltas.read(member), at)[1] for member, at in new)


def test_the_older_member_may_be_a_twin() -> None:
    """Of a call that came in `tool_calls` (W4)."""
    calls = table("f")
    assert calls.has_twin({"name": "f"}) is False
    calls.find(call_deltas.read(delta(0, "a", "f")))
    assert [calls.has_twin(member) for member in ({"name": "f"}, {"arguments": "{"}, "x", {"name": "g"})] == [
        True,
        True,
        True,
        False,
    ]
    calls.find(call_deltas.read(delta(call_deltas.LEGACY, None, "g")))
    assert calls.has_twin({"arguments": "{"}) is False


@pytest.mark.parametrize(
    ("delta", "free_form"),
    [
        ({"type": "function", "function": {"name": "f"}, "custom": {"name": "c", "input": ""}}, False),
        ({"type": "custom", "function": {"name": "f"}, "custom": {"name": "c"}}, True),
        ({"function": {"name": "f"}, "custom": {"name": "", "input": ""}}, False),
        ({"function": {"name": "", "arguments": ""}, "custom": {"name": "c"}}, True),
    ],
)
def test_the_type_says_which_member_counts(delta: dict[str, Any], free_form: bool) -> None:
    """Without it, the one that says something (W4)."""
    assert call_deltas.read(delta).free_form is free_form
