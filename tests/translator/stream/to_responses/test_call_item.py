import pytest
from stories import grown, output

from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.parts import tools
from diglot.translator.stream.to_responses.call_item import CallItem

TOOLS = [
    {"type": "function", "name": "f"},
    {"type": "custom", "name": "c"},
    {"type": "tool_search", "execution": "client"},
    {"type": "shell"},
    {"type": "apply_patch"},
    {"type": "namespace", "name": "ns", "tools": [{"type": "function", "name": "g"}]},
]


def call(name: str = "f", call_id: str = "c", free_form: bool = False) -> CallItem:
    catalog = tools.read_catalog({"tools": TOOLS}, Context(Profile(), Report()))
    made = CallItem(catalog, lambda prefix: f"{prefix}_new")
    made.set_head(name, call_id, free_form)
    return made


def test_a_function_call() -> None:
    """Announced without arguments, then deltas, then all of it with its name (I9)."""
    item = call()
    assert grown(item, lambda c: (c.add('{"a":'), c.add("1}"))) == [
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
@pytest.mark.parametrize("payload", ["", " ", "\n"])
def test_arguments_are_never_empty(name: str, payload: str) -> None:
    """Clients parse them: nothing becomes `{}`, and the deltas say the same."""
    item = call(name)
    events = grown(item, lambda c: c.add(payload) if payload else None)
    assert item.body["arguments"].strip() == "{}"
    deltas = [event[1] for event in events if event[0] == "function_call_arguments.delta"]
    assert "".join(deltas) == item.body["arguments"]


def test_a_call_in_a_namespace_has_its_own_names() -> None:
    """The client's names, not the upstream's."""
    item = call("ns__g")
    grown(item, lambda c: c.add("{}"))
    assert (item.body["name"], item.body["namespace"]) == ("g", "ns")


@pytest.mark.parametrize(("free_form", "payload"), [(True, "a\nb"), (False, '{"input":"a\\nb"}')])
def test_a_free_form_call(free_form: bool, payload: str) -> None:
    """Native or wrapped, the input comes out as the client's tool takes it."""
    item = call("c", free_form=free_form)
    events = grown(item, lambda c: [c.add(piece) for piece in (payload[:-4], payload[-4:])])
    assert events[0] == ("output_item.added",)
    assert "".join(event[1] for event in events if event[0] == "custom_tool_call_input.delta") == "a\nb"
    assert events[-2:] == [("custom_tool_call_input.done", "a\nb"), ("output_item.done",)]
    assert (item.body["type"], item.body["id"], item.body["input"]) == ("custom_tool_call", "ctc_1", "a\nb")


def test_input_that_is_no_wrapping_comes_at_the_end() -> None:
    """What the model wrote instead is the input."""
    events = grown(call("c"), lambda c: c.add("ls"))
    assert events[1:3] == [("custom_tool_call_input.delta", "ls"), ("custom_tool_call_input.done", "ls")]


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
    item.add(arguments)
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
    grown(item, lambda c: c.add(arguments), "incomplete")
    assert (item.body["type"], item.body["status"]) == (kind, "incomplete")


@pytest.mark.parametrize(
    ("pieces", "free_form", "whole"),
    [
        (["{}"], False, False),
        (["{", " }"], False, False),
        (['{"a":', "1}"], False, True),
        (['{"a":'], False, False),
        (["[1]"], False, False),
        (["}}"], False, False),
        (['{"a":1}', " " * 99], False, True),
        ([], False, False),
        (["{}"], True, False),
    ],
)
def test_when_arguments_are_whole(pieces: list[str], free_form: bool, whole: bool) -> None:
    """An object is, but `{}` may be a placeholder; of free-form input nobody knows."""
    item = call(free_form=free_form)
    for piece in pieces:
        item.add(piece)
        item.is_whole()
    assert item.is_whole() is whole
    assert item.is_whole() is whole


def test_the_first_head_counts() -> None:
    """Names and ids that come again change nothing (D12); what is missing is settled (D11)."""
    item = call("", "")
    assert not item.is_ready()
    item.set_head("f", "", False)
    item.set_head("g", "", False)
    assert (item.name, item.is_ready()) == ("f", False)
    item.settle()
    item.set_head("", "late", False)
    assert (item.call_id, item.is_ready()) == ("call_new", True)


def test_a_call_that_becomes_free_form() -> None:
    """Its arguments were a placeholder; the input is what came for it."""
    item = call()
    item.add("{}")
    item.set_head("", "", free_form=True)
    assert grown(item, lambda c: c.add("0")) == [
        ("output_item.added",),
        ("custom_tool_call_input.delta", "0"),
        ("custom_tool_call_input.done", "0"),
        ("output_item.done",),
    ]


def test_a_live_call_does_not_become_free_form() -> None:
    """What was announced as a function stays one."""
    out, item = output(), call()
    out.add(item)
    item.set_head("", "", True)
    out.close_all("completed")
    assert item.body["type"] == "function_call"
