"""Messages in the making."""

from typing import Any

import pytest

from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.turns.message_list import MessageList

USER: dict[str, Any] = {"role": "user", "content": "Go"}


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


def listed(*messages: dict[str, Any], **settings: Any) -> tuple[MessageList, list[tuple[str, str]]]:
    """The finished list of *messages*, whose paths are their numbers, and the losses."""
    report = Report()
    conversation = MessageList(Context(Profile(**settings), report))
    for i, message in enumerate(messages):
        conversation.add({**message}, str(i), [f"{i}.call"] if "tool_calls" in message else None)
    conversation.finish()
    return conversation, [(loss.path, loss.kind) for loss in report]


@pytest.mark.parametrize(
    ("policy", "contents", "origins"),
    [
        ("separate", ["a", "b", "Go", "c"], ["0", "1", "2", "3"]),
        ("leading", ["a\n\nb", "Go", "c"], ["0", "2", "3"]),
        ("one", ["a\n\nb\n\nc", "Go"], ["0", "2"]),
    ],
)
def test_system_messages(policy: str, contents: list[str], origins: list[str]) -> None:
    """They stay apart, or those in front are one, or all of them are."""
    conversation, losses = listed(system("a"), system("b"), USER, system("c"), system_messages=policy)
    assert [message["content"] for message in conversation.messages] == contents
    assert conversation.origins == origins
    assert losses == ([("3", "approximated")] if policy == "one" else [])


def test_a_late_system_message_moves_what_is_behind_it() -> None:
    """The calls of a message are found by its new number."""
    calling = {"role": "assistant", "content": None, "tool_calls": []}
    conversation, losses = listed(USER, calling, system("late"), system_messages="one")
    assert [message["role"] for message in conversation.messages] == ["system", "user", "assistant"]
    assert (conversation.origins, conversation.call_origins) == (["2", "0", "1"], {2: ["1.call"]})
    assert losses == [("2", "approximated")]


def test_roles_take_turns() -> None:
    """Neighbours are joined, where the upstream wants that."""
    conversation, losses = listed(USER, USER, alternating_roles=True)
    assert conversation.messages == [{"role": "user", "content": "Go\n\nGo"}]
    assert (conversation.origins, losses) == (["0"], [("1", "approximated")])
