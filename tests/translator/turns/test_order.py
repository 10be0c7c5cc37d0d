from typing import Any

import pytest

from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.turns.order import MessageWithOrigin, alternate

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
IMAGE = {"type": "image_url", "image_url": {"url": "u"}}


def user(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **more}


def assistant(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


SYSTEM = {"role": "system", "content": "s"}
TOOL = {"role": "tool", "tool_call_id": "c", "content": "x"}


def ordered(*messages: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """The messages in the order that the upstream wants, and the paths of what was changed for that."""
    context = Context(Profile(), Report())
    made = alternate([MessageWithOrigin(message, f"input[{i}]", None) for i, message in enumerate(messages)], context)
    return [each.message for each in made], [loss.path for loss in context.report]


def test_good_order_stays() -> None:
    """What takes turns already is not touched."""
    good = [SYSTEM, user("a"), assistant("b"), user("c"), assistant(None, tool_calls=[CALL]), TOOL, assistant("d")]
    assert ordered(*good) == (good, [])


@pytest.mark.parametrize(
    ("contents", "joined"),
    [
        (["a", "b", "c"], "a\n\nb\n\nc"),
        (["a", [IMAGE]], [text("a"), IMAGE]),
        ([[IMAGE], "", "b"], [IMAGE, text("b")]),
        (["", None], None),
    ],
)
def test_neighbours_are_joined(contents: list[Any], joined: Any) -> None:
    """Texts with a blank line between them, parts as parts."""
    made, changed = ordered(*[user(content) for content in contents])
    assert made == [user(joined)]
    assert changed == [f"input[{i}]" for i in range(1, len(contents))]


def test_names_and_thoughts_of_neighbours() -> None:
    """The first name stands, thoughts are joined, and the last one may call."""
    made, _ = ordered(user("a", name="x"), user("b", name="y"))
    assert made == [user("a\n\nb", name="x")]
    first, second = assistant("a", reasoning="1"), assistant(None, reasoning="2", tool_calls=[CALL])
    made, _ = ordered(user("q"), first, second, TOOL)
    assert made[1] == assistant("a", reasoning="1\n\n2", tool_calls=[CALL])


def test_who_is_missing_says_a_word() -> None:
    """A user in front of the first assistant, an assistant between a result and the user."""
    made, changed = ordered(SYSTEM, assistant(None, tool_calls=[CALL]), TOOL, user("a"))
    assert [message["role"] for message in made] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert all(message["content"] for message in (made[1], made[4]))
    assert changed == ["input[1]", "input[3]"]


def test_nothing_is_shared() -> None:
    """The words that are put in are new ones each time."""
    first, second = (ordered(assistant("a"))[0][0] for _ in range(2))
    assert first == second
    assert first is not second
