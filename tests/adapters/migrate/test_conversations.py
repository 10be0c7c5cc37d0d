"""Shapes for training."""

import json
from typing import Any

import pytest

from diglot.adapters.migrate import LineError, Options, convert_line

HI = {"role": "user", "content": "Hi"}
YO = {"role": "assistant", "content": "Yo"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
ITEMS = [
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}]},
    {"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "c", "name": "f", "arguments": "{}"},
]
FLAT = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}


def made(line: dict[str, Any], to: Any, **settings: Any) -> Any:
    return json.loads(convert_line(json.dumps(line), Options(to=to, **settings)).data)


def test_there_and_back() -> None:
    """A conversation is the same again."""
    line = {"messages": [HI, YO], "tools": [TOOL]}
    there = made(line, "responses")
    assert [item["role"] for item in there["input"]] == ["user", "assistant"]
    assert made(there, "chat") == line


def test_items_and_output_become_a_conversation() -> None:
    """A finished exchange is one example, with its reasoning and calls."""
    line = {"input": "Hi", "output": ITEMS, "tools": [FLAT]}
    example = made(line, "chat")
    assert example["messages"][0] == HI
    assert example["messages"][1]["reasoning_content"] == "Hm"
    assert example["messages"][1]["tool_calls"][0]["id"] == "c"
    assert example["tools"][0]["function"]["name"] == "f"
    listed = [{"type": "message", **HI}]
    assert made({**line, "input": listed}, "chat") == example


@pytest.mark.parametrize("place", ["response", "answer"])
def test_pairs_become_a_conversation(place: str) -> None:
    """If the shape is named, of either dialect; other settings are no part of an example."""
    pair = {"request": {"model": "m", "input": "Hi", "temperature": 1}, place: {"object": "response", "output": ITEMS}}
    assert [turn["role"] for turn in made(pair, "chat", shape="fine-tuning")["messages"]] == ["user", "assistant"]
    answer = {"choices": [{"message": {"content": "Yo"}}]}
    pair = {"request": {"model": "m", "messages": [HI]}, place: answer}
    assert made(pair, "chat", shape="fine-tuning") == {"messages": [HI, YO]}
    pair[place] = {"choices": [*answer["choices"], {"message": {"content": "Ho"}}]}
    both = convert_line(json.dumps(pair), Options(to="chat", shape="fine-tuning")).data.splitlines()
    assert [json.loads(each)["messages"][1]["content"] for each in both] == ["Yo", "Ho"]


@pytest.mark.parametrize(
    "pair",
    [
        {"request": {"messages": [HI]}, "answer": {"choices": []}},
        {"request": {"messages": 5}, "answer": {"choices": [{"message": {}}]}},
        {"request": {"input": 5}, "answer": {"object": "response", "output": []}},
    ],
)
def test_exchanges_that_are_none(pair: dict[str, Any]) -> None:
    """Without messages there is no conversation."""
    with pytest.raises(LineError):
        made(pair, "chat", shape="fine-tuning")


def test_a_call_at_the_end() -> None:
    """It is what the model should learn to write, there and back; an example may have nothing else."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    line = {"messages": [HI, {"role": "assistant", "content": None, "tool_calls": [call]}]}
    there = made(line, "responses")
    assert there["input"][1]["type"] == "function_call"
    assert made({**there, "output": []}, "chat") == line
    assert made({"input": "Hi", "output": []}, "chat") == {"messages": [HI]}
    assert made({"input": [], "output": ITEMS[1:]}, "chat")["messages"] == line["messages"][1:]


def test_an_exchange_stays_in_its_dialect() -> None:
    """Items with their output are left as they are."""
    line = {"input": "Hi", "output": ITEMS}
    assert made(line, "responses") == line


def test_weights_are_lost() -> None:
    """Items have none, and that is reported."""
    line = {"messages": [HI, {**YO, "weight": 0}]}
    assert [loss.path for loss in convert_line(json.dumps(line), Options(to="responses")).losses] == [
        "messages[1].weight"
    ]


def test_preferences() -> None:
    """The input and both outputs, there and back."""
    line = {"input": {"messages": [HI]}, "preferred_output": [YO], "non_preferred_output": [{**YO, "content": "No"}]}
    there = made(line, "responses")
    assert there["preferred_output"] == [{"type": "message", "role": "assistant", "content": "Yo"}]
    assert made(there, "chat") == line
    with pytest.raises(LineError, match="must be a list"):
        made({**line, "preferred_output": 5}, "responses")


def test_tables() -> None:
    """Null means absent, arguments may be objects, and calls without ids are answered in order."""
    calls = [{"type": "function", "function": {"name": "f", "arguments": value}} for value in ({"a": 1}, None)]
    content = [{"type": "text", "text": "Hi", "image_url": None}]
    line = {
        "messages": [
            {"role": "user", "content": content, "tool_calls": None, "name": None},
            {"role": "assistant", "content": None, "tool_calls": calls, "reasoning_content": None},
            {"role": "tool", "content": "1"},
            {"role": "tool", "content": "2", "tool_call_id": None},
            {"role": "assistant", "content": "Yo", "tool_calls": []},
        ],
        "tools": None,
        "id": 3,
    }
    there = made(line, "responses")
    assert there["input"][0]["content"] == "Hi"
    assert [item.get("arguments") for item in there["input"][1:3]] == ['{"a":1}', "{}"]
    assert [item["call_id"] for item in there["input"][1:5]] == ["call_0", "call_1", "call_0", "call_1"]


@pytest.mark.parametrize(
    "line",
    [
        {"messages": [5]},
        {"messages": 5},
        {"messages": [{"role": "user", "content": [5]}]},
        {"messages": [{"role": "assistant", "tool_calls": [5]}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"function": 5}]}]},
        {"input": {"x": 1}, "output": []},
        {"input": 5, "preferred_output": [], "non_preferred_output": []},
        {"conversations": 5},
        {"conversations": [5]},
        {"conversations": [{"from": "nobody", "value": ""}]},
        {"conversations": [{"from": "function_call", "value": "{"}]},
        {"conversations": [{"from": "human", "value": "Hi"}], "tools": "{"},
        {"conversations": [{"from": "human", "value": "Hi"}], "tools": 5},
    ],
)
def test_wrong_conversations(line: dict[str, Any]) -> None:
    """Each is the error of a line."""
    with pytest.raises(LineError) as caught:
        made(line, "chat" if "output" in line else "responses")
    assert "could not be converted" not in str(caught.value)


def test_sharegpt() -> None:
    """Speakers become roles, calls and their results get ids, tools are a text, and the rest stays."""
    line = {
        "id": "x",
        "system": "Be kind.",
        "tools": json.dumps([{"name": "f", "parameters": {}}, TOOL]),
        "conversations": [
            {"from": "human", "value": "Hi"},
            {"from": "function_call", "value": '{"name": "f", "arguments": {"a": 1}}'},
            {"from": "observation", "value": "1"},
            {"from": "function_call", "value": [{"name": "f", "arguments": "{}"}]},
            {"from": "gpt", "value": "Yo"},
        ],
    }
    there = made(line, "chat")
    assert [message["role"] for message in there["messages"]] == [
        *("system", "user", "assistant", "tool", "assistant", "assistant")
    ]
    assert (there["id"], there["messages"][3]["tool_call_id"], len(there["tools"])) == ("x", "call_0", 2)
    assert "tools" not in made({**line, "tools": None}, "chat")
    there = made({**line, "system": "", "tools": [TOOL]}, "responses")
    assert [item["type"] for item in there["input"]][:3] == ["message", "function_call", "function_call_output"]


def test_custom_calls() -> None:
    """Free-form calls have no arguments."""
    call = {"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}
    line = {"messages": [HI, {"role": "assistant", "content": None, "tool_calls": [call]}]}
    assert made(line, "responses")["input"][1]["type"] == "custom_tool_call"
