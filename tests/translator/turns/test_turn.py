from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.turns.turn import CallOutput, Outputs, Turn, has_no_call_id, is_server_side


def context(**profile: Any) -> Context:
    return Context(Profile(**profile), Report())


def placed(*items: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    return [(item, f"input[{i}]") for i, item in enumerate(items)]


def call(call_id: str = "c", name: str = "f") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": "{}"}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def test_a_turn_is_one_message() -> None:
    """Texts are joined, calls stand beside them; without text the content is null."""
    turn = Turn("input[0]")
    turn.calls.append(call())
    assert turn.message(context()) == {"role": "assistant", "content": None, "tool_calls": [call()]}
    turn.parts += [text("a"), text("b")]
    assert turn.message(context()) == {"role": "assistant", "content": "ab", "tool_calls": [call()]}


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"user"}, {"content": "a", "refusal": "no"}),
        ({"assistant"}, {"content": [text("a"), {"type": "refusal", "refusal": "no"}]}),
    ],
)
def test_a_refusal_beside_text(lists: set[str], message: dict[str, Any]) -> None:
    """Where lists are taken, the refusal keeps its place; elsewhere it has a field of its own."""
    turn = Turn("input[0]")
    turn.parts += [text("a"), {"type": "refusal", "refusal": "no"}]
    assert turn.message(context(content_lists=frozenset(lists))) == {"role": "assistant", **message}


def test_a_refusal_alone() -> None:
    """It is no content (protocol 2.10)."""
    turn = Turn("input[0]")
    turn.parts += [{"type": "refusal", "refusal": "no"}] * 2
    assert turn.message(context()) == {"role": "assistant", "content": None, "refusal": "nono"}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ([{}], "reasoning_content"),
        ([{"field": "reasoning"}], "reasoning"),
        ([{"field": "reasoning"}, {}], "reasoning"),
        ([{"field": "reasoning_text"}], "reasoning_text"),
        ([{"field": "content_"}], "reasoning_content"),
        ([{"field": "role"}], "reasoning_content"),
        ([{"field": ["x"]}], "reasoning_content"),
    ],
)
def test_thoughts_go_back_under_the_name_that_they_came_with(fields: list[dict[str, Any]], name: str) -> None:
    """The envelope may say under which name; a forged one cannot write into other fields."""
    turn = Turn("input[0]")
    for sealed in fields:
        turn.add_reasoning("hm", sealed)
    message = turn.message(context())
    assert message[name] == "\n\n".join(["hm"] * len(fields))
    assert (message["role"], message["content"]) == ("assistant", None)


def test_the_profile_names_the_field() -> None:
    """Where no envelope says it, the upstream's own name is used."""
    turn = Turn("input[0]")
    turn.add_reasoning("hm", {})
    assert turn.message(context(reasoning_field="reasoning"))["reasoning"] == "hm"


def test_structures_go_back_in_order() -> None:
    """What a provider sealed is handed back as it was, from all items of the turn; forged values are left."""
    turn = Turn("input[0]")
    turn.add_reasoning("", {"reasoning_details": [{"index": 0}], "thinking_blocks": "forged"})
    turn.add_reasoning("", {"reasoning_details": [{"index": 1}], "thinking_blocks": [{"signature": "s"}]})
    message = turn.message(context())
    assert message["reasoning_details"] == [{"index": 0}, {"index": 1}]
    assert message["thinking_blocks"] == [{"signature": "s"}]
    assert "reasoning_content" not in message


def test_signatures_go_back_to_their_calls() -> None:
    """D5: each call gets what came with it, and only that."""
    turn = Turn("input[0]")
    turn.calls += [call("a"), call("b"), call("c")]
    turn.add_reasoning("", {"calls": {"b": {"google": {"thought_signature": "s"}}}})
    turn.add_reasoning("", {"calls": "forged"})
    signed = {**call("b"), "extra_content": {"google": {"thought_signature": "s"}}}
    assert turn.message(context())["tool_calls"] == [call("a"), signed, call("c")]


def test_why_a_turn_is_nothing() -> None:
    """Thoughts that led to nothing are told apart from an empty message."""
    turn = Turn("input[0]")
    assert turn.why_nothing == "it is empty"
    turn.add_reasoning("hm", {})
    assert turn.why_nothing == "it is not followed by the item that it led to"


def item(kind: str, call_id: str | None = "c", **more: Any) -> dict[str, Any]:
    return {"type": kind, "call_id": call_id, **more}


CALL, OUTPUT = item("function_call"), item("function_call_output", output="x")


def taken(*items: dict[str, Any]) -> list[tuple[str, Any, str]]:
    """What the calls among *items* take along: (id, output, path)."""
    outputs = Outputs(placed(*items), context())
    found = [
        outputs.take(given, f"input[{i}]") for i, given in enumerate(items) if not given["type"].endswith("_output")
    ]
    outputs.expect_none()
    return [(call_id, output["output"], path) for call_id, output, path in found]


def test_a_call_takes_its_output_along() -> None:
    """Wherever the output stands, with its own path."""
    assert taken(CALL, OUTPUT) == [("c", "x", "input[1]")]
    assert taken(OUTPUT, CALL) == [("c", "x", "input[0]")]


def test_two_calls_of_one_id_take_one_output_each() -> None:
    """Some servers repeat ids from turn to turn: outputs go in order."""
    again = {**OUTPUT, "output": "y"}
    assert taken(CALL, OUTPUT, CALL, again) == [("c", "x", "input[1]"), ("c", "y", "input[3]")]


def test_the_last_output_of_a_call_counts() -> None:
    """An earlier one is dropped, and reported (protocol 2.8)."""
    given = context()
    outputs = Outputs(placed(CALL, OUTPUT, {**OUTPUT, "output": "y"}), given)
    assert outputs.take(CALL, "input[0]")[1]["output"] == "y"
    assert [(loss.path, loss.kind) for loss in given.report] == [("input[1]", "dropped")]
    outputs.expect_none()


def test_the_output_of_a_local_shell_call() -> None:
    """It refers in `id`, to the call's reference or to the id of its item."""
    shell = {"type": "local_shell_call", "id": "lsh_1", "call_id": "c"}
    assert taken(shell, {"type": "local_shell_call_output", "id": "c", "output": "x"}) == [("c", "x", "input[1]")]
    assert taken(shell, {"type": "local_shell_call_output", "id": "lsh_1", "output": "x"})[0][0] == "lsh_1"


@pytest.mark.parametrize(
    "items",
    [
        [CALL],
        [CALL, {**OUTPUT, "call_id": "d"}],
        [CALL, CALL, OUTPUT],
        [{"type": "local_shell_call", "id": [], "call_id": "c"}],
        [{"type": "local_shell_call", "id": "lsh_1", "call_id": "c"}],
    ],
)
def test_a_call_without_an_output_is_refused(items: list[dict[str, Any]]) -> None:
    """OpenAI's own words, for clients' logic keys on them."""
    with pytest.raises(RequestError, match=r"No tool output found for function call c\."):
        taken(*items)


def test_an_output_without_a_call_is_refused() -> None:
    """The first one that is left over is named."""
    with pytest.raises(RequestError, match="No tool call found") as raised:
        taken({**OUTPUT, "call_id": "d"}, CALL, OUTPUT)
    assert raised.value.param == "input[0].call_id"


def test_what_needs_no_pair_is_not_indexed() -> None:
    """Searches of the server, nameless outputs and other items ask for nothing."""
    items = [
        {"type": "tool_search_call", "execution": "server"},
        {"type": "tool_search_output", "execution": "server"},
        {"type": "function_call_output", "name": "f", "output": "x"},
        {"type": "message"},
        {"type": ["odd"]},
    ]
    Outputs(placed(*items), context()).expect_none()


@pytest.mark.parametrize(
    ("given", "server", "nameless"),
    [
        (item("tool_search_call", execution="server"), True, False),
        (item("tool_search_output", execution="client"), False, False),
        (item("function_call", execution="server"), False, False),
        (item("function_call_output", None, name="f"), False, True),
        (item("function_call_output", None), False, False),
        (item("function_call_output", "c", name="f"), False, False),
        (item("custom_tool_call_output", None, name="f"), False, False),
    ],
)
def test_special_items(given: dict[str, Any], server: bool, nameless: bool) -> None:
    """Which items were run by the server, and which outputs name a tool and no call."""
    assert (is_server_side(given), has_no_call_id(given)) == (server, nameless)


@pytest.mark.parametrize(
    ("parts", "rest"),
    [([], []), ([text("a")], [text("a")]), ([text("a"), {"type": "refusal", "refusal": "no"}], None)],
)
def test_thoughts_go_back_among_the_parts(parts: list[dict[str, Any]], rest: Any) -> None:
    """Where the upstream has them there, in front of what was said."""
    turn = Turn("input[0]")
    turn.parts += parts
    turn.add_reasoning("hm", {})
    lists = frozenset({"assistant"})
    message = turn.message(context(reasoning_field="content", content_lists=lists, refusals=True))
    thought, *others = message["content"]
    assert thought == {"type": "thinking", "thinking": [text("hm")]}
    assert others == (parts if rest is None else rest)


@pytest.mark.parametrize(("opaque", "sent"), [("x", "x"), (5, None)])
def test_what_only_its_maker_can_read_goes_back(opaque: Any, sent: str | None) -> None:
    """Beside the thoughts, as it came."""
    turn = Turn("input[0]")
    turn.parts.append(text("a"))
    turn.add_reasoning("", {"reasoning_opaque": opaque})
    assert turn.message(context()).get("reasoning_opaque") == sent


def test_a_placeholder_stands_for_a_signature() -> None:
    """The first of several calls has it, if nobody signed any; that is reported."""
    turn = Turn("input[0]")
    turn.add_call(call("c1"), "input[0]", CallOutput("", "", {}, ""))
    turn.add_call(call("c2"), "input[1]", CallOutput("", "", {}, ""))
    with_placeholder = context(signature_placeholder="skip")
    first, second = turn.message(with_placeholder)["tool_calls"]
    assert first == {**call("c1"), "extra_content": {"google": {"thought_signature": "skip"}}}
    assert second == call("c2")
    assert [(loss.path, loss.kind) for loss in with_placeholder.report] == [("input[0]", "approximated")]
    turn.add_reasoning("", {"calls": {"c2": {"google": {"thought_signature": "real"}}}})
    signed = context(signature_placeholder="skip")
    assert "extra_content" not in turn.message(signed)["tool_calls"][0]
    assert len(signed.report) == 0
