import itertools
from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Profile, Report
from diglot.translator.parts import reasoning, tools
from diglot.translator.profiles import Terms
from diglot.translator.stream.items import Call, Compaction, Message, Reasoning
from diglot.translator.stream.output import Item, Output

TOOLS = [
    {"type": "function", "name": "f"},
    {"type": "custom", "name": "c"},
    {"type": "tool_search", "execution": "client"},
    {"type": "shell"},
    {"type": "apply_patch"},
    {"type": "namespace", "name": "ns", "tools": [{"type": "function", "name": "g"}]},
]


def output() -> Output:
    count = itertools.count(1)
    return Output({"output": []}, lambda prefix: f"{prefix}_{next(count)}", "openai")


def story(out: Output) -> list[tuple[Any, ...]]:
    """The events, each as its name and what it says."""
    said = ("delta", "text", "refusal", "arguments", "input", "content_index", "summary_index")
    return [
        (event["type"].removeprefix("response."), *(event[name] for name in said if name in event))
        for event in out.take_events()
    ]


def grown(item: Item, grow: Callable[[Any], Any], status: str = "completed") -> list[tuple[Any, ...]]:
    """The story of one item from its opening to its end."""
    out = output()
    out.add(item)
    grow(item)
    out.close_all(status)
    return story(out)


def test_text_and_refusals_are_parts_of_their_own() -> None:
    """Each kind opens a part, one at a time, with its deltas in between (I6-I8)."""
    message = Message()

    def grow(m: Message) -> None:
        m.text("a", [])
        m.text("b", [])
        m.refusal("no")
        m.text("c", [])

    assert grown(message, grow) == [
        ("output_item.added",),
        ("content_part.added", 0),
        ("output_text.delta", "a", 0),
        ("output_text.delta", "b", 0),
        ("output_text.done", "ab", 0),
        ("content_part.done", 0),
        ("content_part.added", 1),
        ("refusal.delta", "no", 1),
        ("refusal.done", "no", 1),
        ("content_part.done", 1),
        ("content_part.added", 2),
        ("output_text.delta", "c", 2),
        ("output_text.done", "c", 2),
        ("content_part.done", 2),
        ("output_item.done",),
    ]
    assert [part.get("text", part.get("refusal")) for part in message.body["content"]] == ["ab", "no", "c"]


def test_logprobs_and_annotations_belong_to_their_part() -> None:
    """They are counted from 0 in every part (I13), and what was announced before stays as it was."""
    out, message = output(), Message()
    out.add(message)
    token = {"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": []}
    message.text("a", [token])
    message.annotation({"url": "u"})
    message.annotation({"url": "v"})
    message.refusal("no")
    message.annotation({"url": "w"})
    events = out.take_events()
    assert [event.get("annotation_index") for event in events if "annotation" in event] == [0, 1, 0]
    assert next(event["part"] for event in events if "part" in event) == {
        "type": "output_text",
        "text": "",
        "annotations": [],
        "logprobs": [],
    }
    part = message.body["content"][0]
    assert (part["logprobs"], [a["url"] for a in part["annotations"]]) == ([token], ["u", "v"])


def test_an_empty_message_has_no_parts() -> None:
    """It opens and closes, and nothing is made up."""
    message = Message()
    assert grown(message, lambda m: None, "incomplete") == [("output_item.added",), ("output_item.done",)]
    assert (message.body["content"], message.body["status"]) == ([], "incomplete")


def test_a_summary_is_sealed() -> None:
    """Texts and refusals are in the envelope; citations say nothing, and no delta shows it."""
    item = Compaction()

    def grow(c: Compaction) -> None:
        c.text("a", [])
        c.refusal("b")
        c.annotation({"url": "u"})

    assert grown(item, grow) == [("output_item.added",), ("compaction.compacting",), ("output_item.done",)]
    assert reasoning.unseal(item.body["encrypted_content"]) == {"summary": "ab"}
    assert "status" not in item.body


SUMMARY = [
    ("reasoning_summary_part.added", 0),
    ("reasoning_summary_text.delta", "a", 0),
    ("reasoning_summary_text.delta", "b", 0),
    ("reasoning_summary_text.done", "ab", 0),
    ("reasoning_summary_part.done", 0),
]
CONTENT = [
    ("content_part.added", 0),
    ("reasoning_text.delta", "a", 0),
    ("reasoning_text.delta", "b", 0),
    ("reasoning_text.done", "ab", 0),
    ("content_part.done", 0),
]


@pytest.mark.parametrize(
    ("show", "content", "summary"),
    [("content", True, False), ("summary", False, True), ("both", True, True), ("off", False, False)],
)
def test_where_thoughts_are_shown(show: str, content: bool, summary: bool) -> None:
    """In the content, in a summary, in both or nowhere; each with its own order of events (I11)."""
    item = Reasoning(show, lambda fields: None)
    told = grown(item, lambda r: (r.text("a"), r.text("b")))
    assert [event for event in told if event in SUMMARY] == SUMMARY * summary
    assert [event for event in told if event in CONTENT] == CONTENT * content
    assert len(told) == 2 + len(SUMMARY) * summary + len(CONTENT) * content
    assert item.body["summary"] == [{"type": "summary_text", "text": "ab"}] * summary
    assert item.body.get("content") == ([{"type": "reasoning_text", "text": "ab"}] if content else None)
    assert "encrypted_content" not in item.body


def test_what_goes_back_unread_is_sealed() -> None:
    """Text, name of the field, signatures and structures, each as it came."""
    sealed: list[Any] = []
    item = Reasoning("off", lambda fields: sealed.append(fields) or "sealed")

    def grow(r: Reasoning) -> None:
        r.text("a")
        r.came_as("reasoning")
        r.sign("c", {"google": 1})
        r.sign("d", {"google": 2})
        r.details("reasoning_details", [{"index": 0, "type": "t", "text": "a"}])
        r.details("reasoning_details", [{"index": 0, "type": "t", "text": "b"}])

    grown(item, grow)
    assert sealed == [
        {
            "text": "a",
            "field": "reasoning",
            "calls": {"c": {"google": 1}, "d": {"google": 2}},
            "reasoning_details": [{"index": 0, "type": "t", "text": "ab"}],
        }
    ]
    assert item.body["encrypted_content"] == "sealed"


def call(name: str = "f", call_id: str = "c", free_form: bool = False) -> Call:
    catalog = tools.declared({"tools": TOOLS}, Terms(Profile(), Report()))
    made = Call(catalog.by_flat, lambda: "call_new")
    made.head(name, call_id, free_form)
    return made


def test_a_function_call() -> None:
    """Announced without arguments, then deltas, then all of it with its name (I9)."""
    item = call()
    assert grown(item, lambda c: (c.hear('{"a":'), c.hear("1}"))) == [
        ("output_item.added",),
        ("function_call_arguments.delta", '{"a":'),
        ("function_call_arguments.delta", "1}"),
        ("function_call_arguments.done", '{"a":1}'),
        ("output_item.done",),
    ]
    assert item.body == {
        "id": "fc_1",
        "type": "function_call",
        "status": "completed",
        "call_id": "c",
        "name": "f",
        "arguments": '{"a":1}',
    }


@pytest.mark.parametrize("name", ["f", "unknown", "shell", "apply_patch"])
@pytest.mark.parametrize("heard", ["", " ", "\n"])
def test_arguments_are_never_empty(name: str, heard: str) -> None:
    """Clients parse them: nothing becomes `{}`, and the deltas say the same."""
    item = call(name)
    told = grown(item, lambda c: c.hear(heard) if heard else None)
    assert item.body["arguments"].strip() == "{}"
    deltas = [event[1] for event in told if event[0] == "function_call_arguments.delta"]
    assert "".join(deltas) == item.body["arguments"]


def test_a_call_in_a_namespace_has_its_own_names() -> None:
    """The client's names, not the upstream's."""
    item = call("ns__g")
    grown(item, lambda c: c.hear("{}"))
    assert (item.body["name"], item.body["namespace"]) == ("g", "ns")


@pytest.mark.parametrize(("free_form", "heard"), [(True, "a\nb"), (False, '{"input":"a\\nb"}')])
def test_a_free_form_call(free_form: bool, heard: str) -> None:
    """Native or wrapped, the input comes out as the client's tool takes it."""
    item = call("c", free_form=free_form)
    told = grown(item, lambda c: [c.hear(piece) for piece in (heard[:-4], heard[-4:])])
    assert told[0] == ("output_item.added",)
    assert "".join(event[1] for event in told if event[0] == "custom_tool_call_input.delta") == "a\nb"
    assert told[-2:] == [("custom_tool_call_input.done", "a\nb"), ("output_item.done",)]
    assert (item.body["type"], item.body["id"], item.body["input"]) == ("custom_tool_call", "ctc_1", "a\nb")


def test_input_that_is_no_wrapping_comes_at_the_end() -> None:
    """What the model wrote instead is the input."""
    told = grown(call("c"), lambda c: c.hear("ls"))
    assert told[1:3] == [("custom_tool_call_input.delta", "ls"), ("custom_tool_call_input.done", "ls")]


@pytest.mark.parametrize(
    ("name", "arguments", "kind", "prefix"),
    [
        ("shell", '{"commands":["ls"]}', "shell_call", "sh"),
        ("tool_search", '{"query":"x"}', "tool_search_call", "tsc"),
        ("apply_patch", '{"type":"delete_file","path":"a"}', "apply_patch_call", "apc"),
        ("shell", '{"commands":"ls"}', "function_call", "fc"),
        ("shell", '{"commands":["ls"', "function_call", "fc"),
    ],
)
def test_a_call_of_a_built_in_tool(name: str, arguments: str, kind: str, prefix: str) -> None:
    """It is announced when its arguments can be read, whole; what does not fit is a function call."""
    out, item = output(), call(name)
    out.add(item)
    item.hear(arguments)
    assert out.take_events() == []
    out.close_all("completed")
    added, done = (event for event in out.take_events() if "item" in event)
    assert (added["item"]["type"], added["item"]["id"]) == (kind, f"{prefix}_1")
    assert (added["item"]["status"], done["item"]["status"]) == ("in_progress", "completed")
    assert added["item"].get("arguments") in (None, "", {})


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("shell", '{"commands":["ls"]}', "shell_call"),
        ("apply_patch", '{"type":"delete_file","path":"a"}', "function_call"),
    ],
)
def test_a_cut_call_of_a_built_in_tool(name: str, arguments: str, kind: str) -> None:
    """A patch cannot be incomplete: it becomes a function call, which can."""
    item = call(name)
    grown(item, lambda c: c.hear(arguments), "incomplete")
    assert (item.body["type"], item.body["status"]) == (kind, "incomplete")


@pytest.mark.parametrize(
    ("pieces", "free_form", "whole"),
    [
        (["{}"], False, True),
        (['{"a":', "1}"], False, True),
        (['{"a":'], False, False),
        (["[1]"], False, False),
        ([], False, False),
        (["{}"], True, False),
    ],
)
def test_when_arguments_are_whole(pieces: list[str], free_form: bool, whole: bool) -> None:
    """An object is; of free-form input nobody knows."""
    item = call(free_form=free_form)
    for piece in pieces:
        item.hear(piece)
        item.is_whole()
    assert item.is_whole() is whole
    assert item.is_whole() is whole


def test_the_first_head_counts() -> None:
    """Names and ids that come again change nothing (D12); what is missing is settled (D11)."""
    item = call("", "")
    assert not item.is_ready()
    item.head("f", "", False)
    item.head("g", "", False)
    assert (item.name, item.is_ready()) == ("f", False)
    item.settle()
    item.head("", "late", False)
    assert (item.call_id, item.is_ready()) == ("call_new", True)


def test_a_live_call_does_not_become_free_form() -> None:
    """What was announced as a function stays one."""
    out, item = output(), call()
    out.add(item)
    item.head("", "", True)
    out.close_all("completed")
    assert item.body["type"] == "function_call"
