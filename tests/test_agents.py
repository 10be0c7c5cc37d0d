"""Codex in multi-agent mode: a parent spawns a sub-agent, which gets its task and whose answer comes back (W20).

The requests have the shape of Codex's own; the upstream is a script that answers by what it was told, if it was.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import ServeResponses

Body = dict[str, Any]

PARAMETERS = {"type": "object", "properties": {"task_name": {"type": "string"}, "message": {"type": "string"}}}
SPAWN = {"type": "function", "name": "spawn_agent", "description": "", "strict": False, "parameters": PARAMETERS}
WAIT = {**SPAWN, "name": "wait_agent"}
PLAIN = [SPAWN, WAIT]
SPACED = [{"type": "namespace", "name": "collaboration", "description": "Agents", "tools": PLAIN}]
TASK = "Count the tests in tests/unit."
ANSWER = "There are 12 tests."


def user(words: str) -> Body:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}


def from_agent(author: str, recipient: str, kind: str, payload: Body) -> Body:
    head = f"Message Type: {kind}\nTask name: {recipient}\nSender: {author}\nPayload:\n"
    return {
        "type": "agent_message",
        "id": "amsg_1",
        "author": author,
        "recipient": recipient,
        "content": [{"type": "input_text", "text": head}, payload],
        "internal_chat_message_metadata_passthrough": {"turn_id": "t"},
    }


def upstream(request: Body) -> Body:
    """A model that spawns, does what it is told, waits, and reports."""
    told = "\n".join(str(message["content"]) for message in request["messages"])
    names = {
        tool["function"]["name"].rpartition("__")[2]: tool["function"]["name"] for tool in request.get("tools", [])
    }
    if "FINAL_ANSWER" in told:
        return {"content": f"The agent says: {ANSWER}" if ANSWER in told else "ANSWER LOST"}
    if "NEW_TASK" in told:
        return {"content": ANSWER if TASK in told else "TASK LOST"}
    called = [message for message in request["messages"] if message.get("tool_calls")]
    name, arguments = (names["wait_agent"], {}) if called else (names["spawn_agent"], {"message": TASK})
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"content": None, "tool_calls": [{"id": f"c{len(called)}", "type": "function", "function": function}]}


@pytest.fixture
def ask(new_id: Callable[[str], str], clock: Callable[[], float]) -> Callable[[list[Body], list[Body]], list[Body]]:
    def answered(given: list[Body], tools: list[Body]) -> list[Body]:
        body = {"model": "m", "instructions": "You are Codex.", "input": given, "tools": tools, "store": False}
        exchange = ServeResponses(body, new_id=new_id, clock=clock)
        message = {"role": "assistant", **upstream(exchange.request)}
        reason = "tool_calls" if "tool_calls" in message else "stop"
        choice = {"index": 0, "message": message, "finish_reason": reason}
        assert not [loss for loss in exchange.report if loss.path.startswith("input") and loss.kind == "dropped"]
        return exchange.answer({"id": "x", "model": "m", "choices": [choice]})["output"]

    return answered


@pytest.mark.parametrize("tools", [PLAIN, SPACED], ids=["plain", "namespace"])
def test_a_sub_agent_gets_its_task_and_its_answer_comes_back(
    ask: Callable[[list[Body], list[Body]], list[Body]], tools: list[Body]
) -> None:
    """Whether the tools have a namespace or not: what the parent's model wrote is the task, in plain words."""
    history = [user("How many tests are there?")]
    (spawn,) = ask(history, tools)
    assert (spawn["type"], spawn["name"]) == ("function_call", "spawn_agent")
    assert spawn.get("namespace") == ("collaboration" if tools is SPACED else None)

    task = {"type": "encrypted_content", "encrypted_content": json.loads(spawn["arguments"])["message"]}
    (said,) = ask([user("You are /lead/child."), from_agent("/lead", "/lead/child", "NEW_TASK", task)], tools)
    assert said["content"][0]["text"] == ANSWER

    history += [spawn, {"type": "function_call_output", "call_id": spawn["call_id"], "output": '{"task_name":"child"}'}]
    (wait,) = ask(history, tools)
    assert wait["name"] == "wait_agent"
    history += [wait, {"type": "function_call_output", "call_id": wait["call_id"], "output": '{"timed_out":false}'}]
    history.append(from_agent("/lead/child", "/lead", "FINAL_ANSWER", {"type": "input_text", "text": ANSWER}))
    (final,) = ask(history, tools)
    assert final["content"][0]["text"] == f"The agent says: {ANSWER}"
