from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Report, RequestError
from diglot.translator.stream.to_chat.calls import CallReader
from diglot.translator.stream.to_chat.completion import Completion
from diglot.translator.stream.to_chat.context import CompletionContext
from diglot.translator.stream.to_chat.item_index import ItemIndex
from diglot.translator.stream.to_chat.received_call import ReceivedCall

FUNCTION, CUSTOM = "function_call", "custom_tool_call"
Stage = tuple[Completion, CallReader, Report]


@pytest.fixture
def stage(make_context: Callable[..., CompletionContext]) -> Callable[..., Stage]:
    def make(legacy: bool = False) -> Stage:
        context = make_context(legacy=legacy)
        out, report = Completion(context), context.context.report
        return out, CallReader(ItemIndex(), out, report, context.new_id), report

    return make


def calls_of(out: Completion) -> list[tuple[str, str, str]]:
    """Id, name and payload of every call that the client has."""
    made = out.answer["choices"][0]["message"].get("tool_calls", [])
    return [(call["id"], *call[call["type"]].values()) for call in made]


def begin(calls: CallReader, kind: str = FUNCTION, **body: Any) -> ReceivedCall:
    call = calls.begin({"type": kind}, None, ())
    calls.announce(call, body)
    return call


def finish(calls: CallReader, call: ReceivedCall, **body: Any) -> None:
    calls.finish(call, body)
    call.finish()


def test_a_call_streams(stage: Callable[..., Stage]) -> None:
    """It is announced when its name and id are known, and each piece goes on at once."""
    out, calls, report = stage()
    call = begin(calls, name="f", call_id="c", arguments="")
    calls.add(call, '{"a"')
    assert calls_of(out) == [("c", "f", '{"a"')]
    calls.add(call, ":1}")
    calls.end_payload(call, '{"a":1}')
    finish(calls, call, arguments='{"a":1}')
    assert calls_of(out) == [("c", "f", '{"a":1}')]
    assert not list(report)


def test_calls_take_turns(stage: Callable[..., Stage]) -> None:
    """Clients take a call for whole when the next one begins: the SDKs parse its arguments then."""
    out, calls, report = stage()
    first, second = begin(calls, name="f", call_id="c1"), begin(calls, name="g", call_id="c2")
    calls.add(first, '{"a"')
    calls.add(second, "{}")
    assert calls_of(out) == [("c1", "f", '{"a"')]
    assert calls.appender(second) is None
    calls.end_payload(first, '{"a":1}')
    assert calls_of(out) == [("c1", "f", '{"a":1}'), ("c2", "g", "{}")]
    assert not calls.are_whole()
    finish(calls, second)
    assert calls.are_whole()
    assert not list(report)


def test_a_call_waits_for_its_name(stage: Callable[..., Stage]) -> None:
    """And those behind it wait too, for their order is that of their indexes."""
    out, calls, _ = stage()
    first, second = begin(calls, call_id="c1"), begin(calls, name="g", call_id="c2")
    calls.add(first, "{}")
    calls.add(second, "{}")
    assert calls_of(out) == []
    finish(calls, first, name="f")
    assert calls_of(out) == [("c1", "f", "{}"), ("c2", "g", "{}")]


def test_a_call_without_an_id_gets_one(stage: Callable[..., Stage]) -> None:
    """At its end, for until then the id may come; a repeated id is no id."""
    out, calls, _ = stage()
    call = begin(calls, name="f", call_id=None)
    assert calls_of(out) == []
    finish(calls, call, arguments='{"a":1}')
    finish(calls, begin(calls, name="g", call_id="call_1"), arguments='{"a":1}')
    assert calls_of(out) == [("call_1", "f", '{"a":1}'), ("call_3", "g", '{"a":1}')]


@pytest.mark.parametrize(
    ("kind", "streamed", "payload", "expected", "reported"),
    [
        (FUNCTION, "", "", "{}", 0),
        (FUNCTION, "", None, "{}", 0),
        (FUNCTION, "  ", None, "  {}", 0),
        (FUNCTION, '{"a"', '{"a":1}', '{"a":1}', 0),
        (FUNCTION, "", {"a": 1}, '{"a":1}', 0),
        (FUNCTION, '{"b":1}', '{"a":1}', '{"b":1}', 1),
        (FUNCTION, '{"a":1}', "", '{"a":1}', 0),
        (CUSTOM, "", "", "", 0),
        (CUSTOM, "ab", "abc", "abc", 0),
        (CUSTOM, "x", "abc", "x", 1),
    ],
)
def test_what_was_not_streamed_is_said(
    stage: Callable[..., Stage], kind: str, streamed: str, payload: Any, expected: str, reported: int
) -> None:
    """Arguments are never an empty string: clients parse them."""
    out, calls, report = stage()
    call = begin(calls, kind, name="f", call_id="c")
    calls.add(call, streamed)
    finish(calls, call, **{"input" if kind == CUSTOM else "arguments": payload})
    calls.close(whole=True)
    assert calls_of(out) == [("c", "f", expected)]
    assert len(report) == reported


def test_namespaces_are_part_of_the_name(stage: Callable[..., Stage]) -> None:
    """As the client declared it."""
    out, calls, _ = stage()
    finish(calls, begin(calls, name="f", call_id="c1", namespace="ns"), arguments='{"a":1}')
    begin(calls, name="f", call_id="c2", namespace=5)
    assert [name for _, name, _ in calls_of(out)] == ["ns__f", "f"]


def test_the_first_name_counts(stage: Callable[..., Stage]) -> None:
    """An announced call never changes its name or its id."""
    out, calls, _ = stage()
    call = begin(calls, name="f", call_id="c")
    finish(calls, call, name="g", call_id="d", arguments='{"a":1}')
    assert calls_of(out) == [("c", "f", '{"a":1}')]


def test_a_cut_call_keeps_what_came(stage: Callable[..., Stage]) -> None:
    """Nobody can say how it would have gone on."""
    out, calls, _ = stage()
    begin(calls, name="f", call_id="c1")
    cut = begin(calls, name="f", call_id="c2")
    calls.add(cut, '{"a')
    cut.set_cut(True)
    finish(calls, cut)
    calls.close(whole=False)
    assert calls_of(out) == [("c1", "f", ""), ("c2", "f", '{"a')]


def test_empty_arguments_of_a_cut_call(stage: Callable[..., Stage]) -> None:
    """They are what was said."""
    out, calls, _ = stage()
    cut = begin(calls, name="f", call_id="c")
    cut.set_cut(True)
    finish(calls, cut, arguments="{}")
    calls.close(whole=False)
    assert calls_of(out) == [("c", "f", "{}")]


def test_at_the_end_all_calls_are_announced(stage: Callable[..., Stage]) -> None:
    """But for one that nobody can run."""
    out, calls, _ = stage()
    begin(calls, call_id="c1")
    begin(calls, name="f", call_id="c2")
    calls.close(whole=True)
    calls.close(whole=True)
    assert calls_of(out) == [("c2", "f", "{}")]
    assert calls.is_nameless


def test_what_comes_after_the_end(stage: Callable[..., Stage]) -> None:
    """The call was whole; it is reported."""
    out, calls, report = stage()
    call = begin(calls, name="f", call_id="c")
    finish(calls, call, arguments='{"a":1}')
    calls.add(call, "more")
    calls.end_payload(call, '{"a":1}more')
    assert calls_of(out) == [("c", "f", '{"a":1}')]
    assert [loss.kind for loss in report] == ["approximated", "approximated"]


def test_a_built_in_tool_is_a_function(stage: Callable[..., Stage]) -> None:
    """Its action becomes the arguments; told again, it is the same call."""
    out, calls, report = stage()
    call = begin(calls, "shell_call", call_id="c")
    for _ in range(2):
        finish(calls, call, type="shell_call", action={"commands": ["ls"]})
    assert calls_of(out) == [("c", "shell", '{"commands":["ls"]}')]
    assert [str(loss) for loss in report] == ["emulated tool_calls: the built-in call is returned as a function call"]


def test_a_built_in_tool_that_says_nothing(stage: Callable[..., Stage]) -> None:
    """There is nothing to run."""
    _, calls, _ = stage()
    with pytest.raises(RequestError):
        calls.finish(begin(calls, "shell_call", call_id="c"), {"type": "shell_call"})


def test_an_older_client_gets_the_first_call(stage: Callable[..., Stage]) -> None:
    """The pieces of the others go nowhere."""
    out, calls, _ = stage(legacy=True)
    first, second = begin(calls, name="f", call_id="c1"), begin(calls, name="g", call_id="c2")
    calls.add(first, "{}")
    calls.add(second, '{"x":1}')
    calls.close(whole=True)
    assert out.answer["choices"][0]["message"]["function_call"] == {"name": "f", "arguments": "{}"}


def test_a_call_that_comes_too_late_is_ignored(stage: Callable[..., Stage]) -> None:
    """Behind a stop sequence: nothing is said of it, nor reported."""
    out, calls, report = stage()
    out.stop()
    call = calls.begin({"type": FUNCTION}, None, ())
    calls.announce(call, {"name": "f", "call_id": "c"})
    calls.add(call, "{")
    calls.end_payload(call, "{}")
    finish(calls, call, name="f", call_id="c", arguments='{"a":1}')
    assert (calls_of(out), list(report), calls.are_whole()) == ([], [], True)


@pytest.mark.parametrize(("kind", "payload"), [(FUNCTION, '{"a":1}'), (CUSTOM, "x")])
def test_what_comes_behind_the_end_of_a_payload(stage: Callable[..., Stage], kind: str, payload: Any) -> None:
    """It is none of it, and reported; the fast path does not take it either."""
    out, calls, report = stage()
    call = begin(calls, kind, name="f", call_id="c")
    calls.end_payload(call, payload)
    calls.add(call, "more")
    assert calls.appender(call) is None
    assert calls_of(out) == [("c", "f", payload)]
    assert [loss.why for loss in report] == ["more data arrived for a call that was already complete"]


# --- W31: the fullest word counts, wherever it stands ----------------------------------------------------------------

WORDS = [(FUNCTION, "arguments", '{"a":1}'), (CUSTOM, "input", "ls -l")]


@pytest.mark.parametrize(("kind", "field", "payload"), WORDS)
@pytest.mark.parametrize("empty", ["", None, "{}"])
def test_an_end_that_says_nothing(
    stage: Callable[..., Stage], kind: str, field: str, payload: str, empty: str | None
) -> None:
    """The finished output may have the payload yet, and the next call waits for that."""
    if kind == CUSTOM and empty == "{}":
        empty = ""
    out, calls, report = stage()
    first = begin(calls, kind, name="f", call_id="c1")
    calls.end_payload(first, empty)
    finish(calls, first, **{field: empty})
    finish(calls, begin(calls, kind, name="g", call_id="c2"), **{field: payload})
    assert calls_of(out) == [("c1", "f", "")]
    assert calls.are_whole()
    finish(calls, first, **{field: payload})
    calls.close(whole=True)
    assert calls_of(out) == [("c1", "f", payload), ("c2", "g", payload)]
    assert not list(report)


@pytest.mark.parametrize(("kind", "field", "payload"), WORDS)
def test_pieces_behind_an_empty_end(stage: Callable[..., Stage], kind: str, field: str, payload: str) -> None:
    """It was none."""
    out, calls, report = stage()
    call = begin(calls, kind, name="f", call_id="c")
    calls.end_payload(call, "")
    calls.add(call, payload)
    assert calls.appender(call) is not None
    finish(calls, call, **{field: ""})
    assert calls_of(out) == [("c", "f", payload)]
    assert not list(report)


@pytest.mark.parametrize(
    ("kind", "early", "pieces", "end", "expected"),
    [
        (FUNCTION, '{"a":1}', [], None, '{"a":1}'),
        (FUNCTION, {"a": 1}, [], None, '{"a":1}'),
        (FUNCTION, '{"a":1}', ['{"a"', ":1}"], '{"a":1}', '{"a":1}'),
        (FUNCTION, '{"a":1}', ['{"a"', ":2}"], '{"a":2}', '{"a":2}'),
        (FUNCTION, '{"a":1}', ['{"b"', ":2}"], None, '{"b":2}'),
        (FUNCTION, '{"a"', [":1}"], None, '{"a":1}'),
        (FUNCTION, "{}", ['{"a":1}'], None, '{"a":1}'),
        (FUNCTION, '{"a":1}', [], "{}", '{"a":1}'),
        (FUNCTION, '{"a"', [], '{"a":1}', '{"a":1}'),
        (CUSTOM, "ls", [], None, "ls"),
        (CUSTOM, "ls", ["l", "s", " -l"], None, "ls -l"),
        (CUSTOM, "ls", [" -l"], "ls -l", "ls -l"),
        (CUSTOM, "ls", [], "", "ls"),
        (CUSTOM, "lsls", ["ls", "x"], None, "lslslsx"),
    ],
)
def test_a_payload_at_the_beginning(
    stage: Callable[..., Stage], kind: str, early: Any, pieces: list[str], end: Any, expected: str
) -> None:
    """Its pieces repeat it or go on behind it; where it was whole and they differ, they count."""
    out, calls, report = stage()
    field = "input" if kind == CUSTOM else "arguments"
    call = begin(calls, kind, name="f", call_id="c", **{field: early})
    assert calls_of(out) == [("c", "f", "")]
    for piece in pieces:
        calls.add(call, piece)
    finish(calls, call, **{field: end})
    calls.announce(call, {field: early})
    calls.close(whole=True)
    assert calls_of(out) == [("c", "f", expected)]
    assert not list(report)


def test_the_fast_path_waits_for_what_is_undecided(stage: Callable[..., Stage]) -> None:
    """Pieces may repeat what was there at the beginning."""
    out, calls, _ = stage()
    call = begin(calls, CUSTOM, name="f", call_id="c", input="ls")
    calls.announce(call, {"input": "lsof"})
    calls.add(call, "l")
    assert calls.appender(call) is None
    calls.add(call, "s -l")
    assert calls.appender(call) is not None
    assert calls_of(out) == [("c", "f", "ls -l")]


@pytest.mark.parametrize(
    ("kind", "told", "expected"),
    [
        (FUNCTION, ['{"a"', '{"a":1}'], '{"a":1}'),
        (FUNCTION, ['{"a":1}', '{"a":1}{"a":1}'], '{"a":1}'),
        (FUNCTION, ["{a}", "{a}}"], "{a}}"),
        (FUNCTION, ["[1]", "[1] "], "[1] "),
        (CUSTOM, ["ls", "ls -l"], "ls -l"),
    ],
)
def test_ends_that_say_more_and_more(stage: Callable[..., Stage], kind: str, told: list[str], expected: str) -> None:
    """As long as no other call has begun, and nothing is whole that cannot grow."""
    out, calls, _ = stage()
    call = begin(calls, kind, name="f", call_id="c")
    for payload in told:
        calls.end_payload(call, payload)
    assert calls_of(out) == [("c", "f", expected)]
    begin(calls, kind, name="g", call_id="c2")
    calls.end_payload(call, expected + "!")
    assert calls_of(out)[0] == ("c", "f", expected)


# --- W32, W33 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "early", "pieces", "has_end"),
    [
        (FUNCTION, "", [], False),
        (FUNCTION, "", ['{"a":'], False),
        (FUNCTION, "", ['{"a":1}'], True),
        (FUNCTION, "", ["{a}"], False),
        (FUNCTION, '{"a":1}', [], True),
        (FUNCTION, '{"a":1', [], False),
        (CUSTOM, "", ["ls"], False),
        (CUSTOM, "ls", [], True),
        ("shell_call", "", [], False),
    ],
)
def test_a_call_without_an_end(
    stage: Callable[..., Stage], kind: str, early: str, pieces: list[str], has_end: bool
) -> None:
    """Only arguments that are a whole object need none."""
    _, calls, _ = stage()
    call = begin(calls, kind, name="f", call_id="c", arguments=early, input=early)
    for piece in pieces:
        calls.add(call, piece)
    assert calls.are_complete() is has_end


@pytest.mark.parametrize(("kind", "field", "payload"), WORDS)
@pytest.mark.parametrize("again", [0, 1])
def test_a_call_that_comes_twice(stage: Callable[..., Stage], kind: str, field: str, payload: str, again: int) -> None:
    """It is one call: under the same id, with the same payload, or with none."""
    out, calls, report = stage()
    finish(calls, begin(calls, kind, name="f", call_id="c"), **{field: payload})
    second = begin(calls, kind, name="f", call_id="c")
    calls.add(second, payload[:2])
    assert len(calls_of(out)) == 1
    if again:
        calls.end_payload(second, payload)
    finish(calls, second, **{field: payload})
    finish(calls, begin(calls, kind, call_id="c"), **{field: ""})
    calls.add(second, "more")
    calls.close(whole=True)
    assert calls_of(out) == [("c", "f", payload)]
    assert {loss.why for loss in report} == {"the call came twice; it is passed on once"}
    assert calls.are_whole()


def test_the_payload_of_a_call_may_come_where_it_is_repeated(stage: Callable[..., Stage]) -> None:
    """The fullest word counts."""
    out, calls, _ = stage()
    finish(calls, begin(calls, name="f", call_id="c"), arguments="{}")
    finish(calls, begin(calls, name="f", call_id="c"), arguments='{"a":1}')
    calls.close(whole=True)
    assert calls_of(out) == [("c", "f", '{"a":1}')]


def test_calls_that_are_alike(stage: Callable[..., Stage]) -> None:
    """Another id, another name or another payload makes another call."""
    out, calls, _ = stage()
    for name, call_id, arguments in (("f", "c", '{"a":1}'), ("f", "d", '{"a":1}'), ("f", "c", '{"a":2}')):
        finish(calls, begin(calls, name=name, call_id=call_id), arguments=arguments)
    finish(calls, begin(calls, name="g", call_id="c"), arguments='{"a":1}')
    for given in ('{"a":1}', "ls"):
        finish(calls, begin(calls, CUSTOM, name="h", call_id="c"), input=given)
        finish(calls, begin(calls, CUSTOM, name="h", call_id="h"), input=given)
    assert [(name, payload) for _, name, payload in calls_of(out)] == [
        ("f", '{"a":1}'),
        ("f", '{"a":1}'),
        ("f", '{"a":2}'),
        ("g", '{"a":1}'),
        ("h", '{"a":1}'),
        ("h", '{"a":1}'),
        ("h", "ls"),
        ("h", "ls"),
    ]
    assert len({call_id for call_id, _, _ in calls_of(out)}) == 8


def test_white_space_makes_no_other_call(stage: Callable[..., Stage]) -> None:
    """Some servers write the arguments of the finished output anew."""
    out, calls, _ = stage()
    finish(calls, begin(calls, name="f", call_id="c"), arguments='{"a":1}')
    finish(calls, begin(calls, name="f", call_id="c"), arguments='{"a": 1}')
    assert calls_of(out) == [("c", "f", '{"a":1}')]


def test_an_item_that_comes_twice_without_the_id_of_its_call(stage: Callable[..., Stage]) -> None:
    """The id of the item says it."""
    out, calls, _ = stage()
    first = begin(calls, name="f")
    finish(calls, first, arguments='{"a":1}')
    second = begin(calls, name="f")
    second.follow(first)
    finish(calls, second, arguments='{"a":1}')
    assert calls_of(out) == [("call_1", "f", '{"a":1}')]
