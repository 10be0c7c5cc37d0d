from typing import Any

import pytest

from diglot.translator import Loss, Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.parts import reasoning
from diglot.translator.parts.names import ToolNames
from diglot.translator.turns.to_responses import LEGACY, ItemBuilder

USER = {"role": "user", "content": "Go"}
SEALED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}


def turned(*messages: Any, profile: Profile | None = None, **settings: Any) -> tuple[ItemBuilder, list[Loss]]:
    """The items of *messages*, and what was lost."""
    context = Context(profile or Profile(**settings), Report())
    items = ItemBuilder(context, ToolNames())
    items.add(list(messages))
    return items, list(context.report)


def items(*messages: Any, **settings: Any) -> list[dict[str, Any]]:
    return turned(*messages, **settings)[0].items


def kinds(losses: list[Loss]) -> list[tuple[str, str]]:
    return [(loss.path, loss.kind) for loss in losses]


def call(call_id: str, name: str = "f", arguments: Any = "{}") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def custom(call_id: str) -> dict[str, Any]:
    return {"id": call_id, "type": "custom", "custom": {"name": "c", "input": "x"}}


def calling(*calls: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls), **more}


def result(call_id: str, content: Any = "x") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def pairs(*messages: Any) -> list[tuple[str, str]]:
    """Of calls and results: the id, and whether it calls or what it says."""
    return [(item["call_id"], item.get("output", "calls")) for item in items(*messages) if "call_id" in item]


def test_every_item_knows_its_message() -> None:
    """Errors of the upstream about an item are told with the path of the client's message or call."""
    said = calling(call("a"), call("b"), content="Hm", reasoning_content="I think.")
    made, losses = turned(USER, said, result("a"), result("b"))
    assert [item["type"] for item in made.items] == [
        "message",
        "reasoning",
        "message",
        "function_call",
        "function_call",
        "function_call_output",
        "function_call_output",
    ]
    assert made.origins == [
        "messages[0]",
        "messages[1]",
        "messages[1]",
        "messages[1].tool_calls[0]",
        "messages[1].tool_calls[1]",
        "messages[2]",
        "messages[3]",
    ]
    assert losses == []


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant"])
def test_roles_stay(role: str) -> None:
    """Every role that speaks is a role of both (protocol 2.1); its name stays behind."""
    made, losses = turned({"role": role, "content": "Go", "name": "Ann"})
    assert made.items == [{"type": "message", "role": role, "content": "Go"}]
    assert kinds(losses) == [("messages[0].name", "dropped")]


@pytest.mark.parametrize(
    ("message", "param", "code"),
    [
        ("x", "messages[0]", "invalid_type"),
        (None, "messages[0]", "missing_required_parameter"),
        ({}, "messages[0].role", "missing_required_parameter"),
        ({"role": 5}, "messages[0].role", "invalid_type"),
        ({"role": ["user"]}, "messages[0].role", "invalid_type"),
        ({"role": "critic", "content": "x"}, "messages[0].role", "invalid_value"),
        ({"role": "user"}, "messages[0].content", "missing_required_parameter"),
        ({"role": "assistant", "content": 5}, "messages[0].content", "invalid_type"),
        ({"role": "assistant", "refusal": 5}, "messages[0].refusal", "invalid_type"),
        ({"role": "assistant", "tool_calls": 5}, "messages[0].tool_calls", "invalid_type"),
        (calling(5), "messages[0].tool_calls[0]", "invalid_type"),
        (calling({"function": {"name": "f"}}), "messages[0].tool_calls[0].id", "missing_required_parameter"),
        ({"role": "assistant", "function_call": 5}, "messages[0].function_call", "invalid_type"),
        ({"role": "assistant", "function_call": {}}, "messages[0].function_call.name", "missing_required_parameter"),
        ({"role": "assistant", "audio": "a"}, "messages[0].audio", "invalid_type"),
        ({"role": "assistant", "audio": {"id": "a"}}, "messages[0].audio", "unsupported_value"),
        ({"role": "tool", "content": "x"}, "messages[0].tool_call_id", "missing_required_parameter"),
        (result("c", None), "messages[0].content", "missing_required_parameter"),
        ({"role": "function", "content": "x"}, "messages[0].name", "missing_required_parameter"),
        ({"role": "function", "name": "f", "content": "x"}, "messages[0].name", "invalid_value"),
    ],
)
def test_messages_that_are_refused(message: Any, param: str, code: str) -> None:
    """What is no message, or cannot be said, is a 400 with its path."""
    with pytest.raises(RequestError) as raised:
        turned(message)
    assert (raised.value.param, raised.value.code) == (param, code)


@pytest.mark.parametrize(("given", "code"), [([], "empty_array"), ({}, "invalid_type"), ("x", "invalid_type")])
def test_messages_are_a_list(given: Any, code: str) -> None:
    """At least one message, in a list."""
    with pytest.raises(RequestError) as raised:
        ItemBuilder(Context(Profile(), Report()), ToolNames()).add(given)
    assert (raised.value.param, raised.value.code) == ("messages", code)


@pytest.mark.parametrize("content", [None, "", [], [{"type": "text", "text": ""}]])
def test_an_assistant_that_says_nothing(content: Any) -> None:
    """Alone it is left out; beside a call it is no message (protocol 2.5, M4 and M10)."""
    made, losses = turned(USER, {"role": "assistant", "content": content}, USER)
    assert (len(made.items), kinds(losses)) == (2, [("messages[1]", "dropped")])
    made, losses = turned(USER, calling(call("a"), content=content), result("a"))
    assert [item["type"] for item in made.items] == ["message", "function_call", "function_call_output"]
    assert losses == []


TEXT = {"type": "output_text", "text": "Hm", "annotations": []}
REFUSAL = {"type": "refusal", "refusal": "No."}


@pytest.mark.parametrize(
    ("said", "content"),
    [
        ({"content": "Hm"}, "Hm"),
        ({"content": "Hm", "refusal": ""}, "Hm"),
        ({"content": None, "refusal": "No."}, [REFUSAL]),
        ({"content": "", "refusal": "No."}, [REFUSAL]),
        ({"content": "Hm", "refusal": "No."}, [TEXT, REFUSAL]),
        (
            {"content": [{"type": "text", "text": "Hm"}, {"type": "text", "text": "Hm"}], "refusal": "No."},
            [TEXT, TEXT, REFUSAL],
        ),
        ({"content": [REFUSAL]}, [REFUSAL]),
    ],
)
def test_what_an_assistant_said_and_refused(said: dict[str, Any], content: Any) -> None:
    """Text and refusal are one message."""
    assert items({"role": "assistant", **said}) == [{"type": "message", "role": "assistant", "content": content}]


@pytest.mark.parametrize(
    ("content", "audio", "told"),
    [(None, {"transcript": "Hi"}, "Hi"), ("Ho", {"id": "a"}, "Ho"), ("Ho", {"transcript": "Hi"}, "Ho")],
)
def test_what_was_spoken_is_told(content: Any, audio: Any, told: str) -> None:
    """By its transcript or the text beside it; that is reported (M9)."""
    made, losses = turned({"role": "assistant", "content": content, "audio": audio})
    assert made.items == [{"type": "message", "role": "assistant", "content": told}]
    assert kinds(losses) == [("messages[0].audio", "approximated")]


# --- reasoning


@pytest.mark.parametrize(
    ("policy", "finished", "replayed", "kind"),
    [
        ("tool_loop", False, True, None),
        ("tool_loop", True, False, "emulated"),
        ("always", True, True, None),
        ("same_model", True, True, None),
        ("never", False, False, "dropped"),
    ],
)
def test_bare_thoughts_go_back_where_they_are_taken(policy: Any, finished: bool, replayed: bool, kind: Any) -> None:
    """In front of what they led to; the same text at the same place has the same id every time."""
    said = calling(call("a"), reasoning_content="I think.")
    conversation = [USER, said, result("a"), *([USER] if finished else [])]
    made, losses = turned(*conversation, reasoning_replay=policy)
    found = [item for item in made.items if item["type"] == "reasoning"]
    assert found == ([reasoning.to_item("I think.", 1)] if replayed else [])
    assert kinds(losses) == ([("messages[1]", kind)] if kind else [])


@pytest.mark.parametrize("policy", ["never", "tool_loop", "always"])
def test_sealed_reasoning_goes_back_as_it_was(policy: Any) -> None:
    """The server made it, and picks what it needs; the text beside it says the same."""
    said = calling(call("a"), reasoning_content="I think.", reasoning_details=[reasoning.to_details(SEALED)])
    made, losses = turned(USER, said, result("a"), USER, reasoning_replay=policy)
    assert made.items[1] == SEALED
    assert ([item["type"] for item in made.items].count("reasoning"), losses) == (1, [])


def test_reasoning_that_is_only_an_id_stays_behind() -> None:
    """Servers that do not store refuse it (R10)."""
    bare = {**SEALED, "encrypted_content": None}
    details = [reasoning.to_details(bare), reasoning.to_details(SEALED)]
    made, losses = turned(calling(call("a"), reasoning_details=details), result("a"))
    assert (made.items[0], len(made.items)) == (SEALED, 3)
    assert kinds(losses) == [("messages[0]", "dropped")]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"reasoning_content": "hm"}, "it is not followed by the item that it led to"),
        ({"reasoning_details": [reasoning.to_details(SEALED)]}, "it is not followed by the item that it led to"),
        ({}, "it is empty"),
    ],
)
def test_reasoning_needs_what_it_led_to(fields: dict[str, Any], why: str) -> None:
    """Alone it would be refused (M2)."""
    made, losses = turned(USER, {"role": "assistant", "content": None, **fields})
    assert (len(made.items), [loss.why for loss in losses]) == (1, [why])


@pytest.mark.parametrize(
    "fields", [{"thinking_blocks": [{"type": "redacted_thinking", "data": "x"}]}, {"reasoning": {"data": "x"}}]
)
def test_what_only_its_maker_can_read_is_dropped(fields: dict[str, Any]) -> None:
    """Foreign state says nothing to this upstream."""
    said = {"role": "assistant", "content": "Hi", **fields}
    made, losses = turned(USER, said)
    assert (len(made.items), kinds(losses)) == (2, [("messages[1]", "dropped")])


def test_thoughts_among_the_parts() -> None:
    """They are reasoning, and no part of the message (Mistral)."""
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "Hi"}]
    made = items(USER, {"role": "assistant", "content": parts})
    assert made[1:] == [reasoning.to_item("hm", 1), {"type": "message", "role": "assistant", "content": "Hi"}]


# --- calls and their results


def test_parallel_calls_are_items_in_a_row() -> None:
    """In their order, with their ids; results follow in theirs."""
    given = (USER, calling(call("a"), call("b")), result("b", "2"), result("a", "1"))
    assert pairs(*given) == [("a", "calls"), ("b", "calls"), ("b", "2"), ("a", "1")]


def test_a_result_is_of_the_kind_of_its_call() -> None:
    """Free-form calls have free-form results."""
    made = items(USER, calling(custom("a"), call("b")), result("a"), result("b"), result("c"))
    assert [item["type"] for item in made[3:]] == [
        "custom_tool_call_output",
        "function_call_output",
        "function_call_output",
    ]


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        ([calling(call("c")), result("c", "1"), calling(call("c")), result("c", "2")], "c c=1 c_2 c_2=2"),
        ([calling(call("c"), call("c")), result("c", "1"), result("c", "2")], "c c_2 c=1 c_2=2"),
        (
            [calling(call("c"), call("c_2")), result("c", "1"), result("c_2", "2"), calling(call("c"))],
            "c c_2 c=1 c_2=2 c_3",
        ),
        (
            [calling(call("c")), result("c", "1"), result("c", "2"), calling(call("c")), result("c", "3")],
            "c c=2 c_2 c_2=3",
        ),
        ([result("x", "1"), result("x", "2")], "x=2"),
    ],
)
def test_repeated_ids_stay_pairs(messages: Any, found: str) -> None:
    """Some servers use ids again; Responses pair by id alone, and the last result of a call counts (protocol 2.8)."""
    assert " ".join(i if o == "calls" else f"{i}={o}" for i, o in pairs(*messages)) == found


def test_an_earlier_result_is_reported() -> None:
    """The loss names the message that no longer counts, and errors name the other one."""
    made, losses = turned(calling(call("c")), result("c", "1"), result("c", "2"))
    assert kinds(losses) == [("messages[1]", "dropped")]
    assert made.origins == ["messages[0].tool_calls[0]", "messages[2]"]


def test_ids_that_do_not_fit_stay_pairs() -> None:
    """Too long or empty, they become a hash, for call and result alike."""
    (first, _), (second, _), *results = pairs(calling(call("x" * 65), call("")), result("x" * 65, "1"), result("", "2"))
    assert results == [(first, "1"), (second, "2")]
    assert all(1 <= len(call_id) <= 64 for call_id in (first, second))


def test_many_repeated_ids_are_no_trouble() -> None:
    """Twenty thousand calls of one id are done in a moment."""
    made = items(calling(*[call("c")] * 20_000), *[result("c")] * 20_000)
    assert len({item["call_id"] for item in made}) == 20_000


def test_calls_of_the_older_kind() -> None:
    """They get ids, and their results find the nearest one that waits (M6, M8)."""
    asked = [{"role": "assistant", "function_call": {"name": name, "arguments": ""}} for name in "fgf"]
    told = [{"role": "function", "name": name, "content": text} for name, text in (("f", "1"), ("g", None), ("f", "2"))]
    assert pairs(*asked, *told) == [
        (f"{LEGACY}0", "calls"),
        (f"{LEGACY}1", "calls"),
        (f"{LEGACY}2", "calls"),
        (f"{LEGACY}2", "1"),
        (f"{LEGACY}1", ""),
        (f"{LEGACY}0", "2"),
    ]
    assert turned(*asked, *told)[0].origins[0] == "messages[0].function_call"


def test_unknown_fields_are_reported() -> None:
    """The message stays, the field is named; what says nothing to a model is not missed."""
    given = [
        {**USER, "mood": "x", "tone": None},
        {"role": "assistant", "content": "Hi", "annotations": [], "parsed": {}},
    ]
    assert kinds(turned(*given)[1]) == [("messages[0].mood", "dropped")]
