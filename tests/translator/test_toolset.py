"""Which tools are declared, and the choice among them; with whole requests, in both directions."""

from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError, request

TOOL = {"type": "function", "name": "f"}
CHAT_TOOL = {"type": "function", "function": {"name": "f"}}
ABOUT_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")


def told(made: dict[str, Any], report: Report) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    about = {name: made[name] for name in ABOUT_TOOLS if name in made}
    return {**about, **({"tools": len(about["tools"])} if "tools" in about else {})}, [(x.path, x.kind) for x in report]


@pytest.mark.parametrize(
    ("asked", "unsupported", "made", "losses"),
    [
        ({}, (), {"tools": 1}, []),
        ({"tool_choice": "required"}, (), {"tools": 1, "tool_choice": "required"}, []),
        ({"tool_choice": "required"}, ("tool_choice",), {"tools": 1}, [("tool_choice", "dropped")]),
        ({"tool_choice": "auto"}, ("tool_choice",), {"tools": 1}, []),
        ({"tool_choice": "none"}, ("tool_choice",), {}, [("tool_choice", "emulated")]),
        ({"parallel_tool_calls": False}, (), {"tools": 1, "parallel_tool_calls": False}, []),
        ({"parallel_tool_calls": False}, ("parallel_tool_calls",), {"tools": 1}, [("parallel_tool_calls", "dropped")]),
        ({"parallel_tool_calls": True}, ("parallel_tool_calls",), {"tools": 1}, []),
        ({"tool_choice": "required"}, ("tools",), {}, [("tools", "dropped"), ("tool_choice", "dropped")]),
        ({"tool_choice": "none", "parallel_tool_calls": True}, ("tools",), {}, [("tools", "dropped")]),
        ({"parallel_tool_calls": False}, ("tools",), {}, [("tools", "dropped"), ("parallel_tool_calls", "dropped")]),
    ],
)
@pytest.mark.parametrize("goal", ["chat", "responses"])
def test_what_the_upstream_takes(
    goal: str, asked: Any, unsupported: tuple[str, ...], made: Any, losses: list[tuple[str, str]]
) -> None:
    """A choice is left out where it says nothing, done by other means, or reported."""
    refused = frozenset(unsupported)
    report = Report()
    if goal == "chat":
        profile = Profile(unsupported=refused)
        body = request.to_chat({"model": "m", "input": "Go", "tools": [TOOL], **asked}, report=report, profile=profile)
    else:
        profile = Profile(responses_unsupported=refused)
        given = {"model": "m", "messages": [{"role": "user", "content": "Go"}], "tools": [CHAT_TOOL], **asked}
        body = request.to_responses(given, report=report, profile=profile)
    about, found = told(body, report)
    assert (about, [(path.split("[")[0], kind) for path, kind in found]) == (made, losses)


@pytest.mark.parametrize(("name", "choice"), [("tool_choice", "required"), ("function_call", {"name": "f"})])
def test_a_choice_needs_tools(name: str, choice: Any) -> None:
    """As the APIs themselves say."""
    with pytest.raises(RequestError) as raised:
        request.to_responses({"model": "m", "messages": [{"role": "user", "content": "Go"}], name: choice})
    assert raised.value.param == name


CALLED = [
    {"type": "function_call", "call_id": "c", "name": "f.g", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "x"},
]


@pytest.mark.parametrize(
    ("given", "unsupported", "tools", "choice"),
    [
        ("Go", (), None, None),
        (CALLED, (), 1, "none"),
        ([*CALLED, *CALLED], (), 1, "none"),
        (CALLED, ("tool_choice",), 1, None),
        (CALLED, ("tools",), None, None),
    ],
)
def test_what_was_called_is_declared(given: Any, unsupported: Any, tools: int | None, choice: Any) -> None:
    """Where calls are taken beside declared tools only, and the client declares none any more."""
    report = Report()
    profile = Profile(declare_called_tools=True, unsupported=frozenset(unsupported))
    body = request.to_chat({"model": "m", "input": given}, report=report, profile=profile)
    assert (len(body["tools"]) if "tools" in body else None, body.get("tool_choice")) == (tools, choice)
    losses = [(loss.path, loss.kind) for loss in report if not loss.path.endswith(".name")]
    assert losses == ([("tools", "emulated")] if tools else [])
    if tools:
        (call,) = [message["tool_calls"][0] for message in body["messages"] if "tool_calls" in message][:1]
        assert body["tools"][0]["function"]["name"] == call["function"]["name"] != "f.g"


def test_what_is_declared_is_enough() -> None:
    """Declared tools are not joined by those that were called."""
    body = request.to_chat({"model": "m", "input": CALLED, "tools": [TOOL]}, profile=Profile(declare_called_tools=True))
    assert [tool["function"]["name"] for tool in body["tools"]] == ["f"]
