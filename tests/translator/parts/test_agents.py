from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.parts import agents

SEALED = "gAAAAABmZm9vYmFyYmF6cXV4"


def told(**item: Any) -> Any:
    return agents.to_chat({"type": "agent_message", **item}, "input[0]", Context(Profile(), Report()))


def text(words: str) -> dict[str, Any]:
    return {"type": "input_text", "text": words}


def payload(words: Any) -> dict[str, Any]:
    return {"type": "encrypted_content", "encrypted_content": words}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([text("Payload:\n"), payload("Count.")], "Payload:\nCount."),
        ([text("Payload:"), payload("Count.")], "Payload:\nCount."),
        ([payload("gAAAAA is how it begins")], "gAAAAA is how it begins"),
        ("Count.", "Count."),
        ([], ""),
        (None, ""),
    ],
)
def test_all_texts_are_told(content: Any, said: str) -> None:
    """Also those that their maker would have encrypted."""
    assert told(content=content) == said


@pytest.mark.parametrize(
    ("author", "recipient", "said", "head"),
    [
        ("/lead", "/lead/a", "Go", "Message from /lead to /lead/a:\n"),
        ("/lead", None, "Go", "Message from /lead:\n"),
        ("/lead", "/lead/a", "Sender: /lead\nGo", ""),
        (None, "/lead/a", "Go", ""),
        (5, 5, "Go", ""),
    ],
)
def test_who_speaks(author: Any, recipient: Any, said: str, head: str) -> None:
    """The model is told, once."""
    assert told(author=author, recipient=recipient, content=[text(said)]) == head + said


def test_pictures_go_along() -> None:
    """Behind who sent them."""
    picture = {"type": "image_url", "image_url": {"url": "u"}}
    given = {"type": "input_image", "image_url": "u"}
    assert told(content=[given]) == [picture]
    assert told(author="/lead", content=[given]) == [{"type": "text", "text": "Message from /lead:\n"}, picture]


@pytest.mark.parametrize("sealed", [SEALED, f" {SEALED}== ", 5, None])
def test_what_only_its_maker_can_read_is_refused(sealed: Any) -> None:
    """Without it, the task is gone."""
    with pytest.raises(RequestError) as refused:
        told(content=[text("Payload:"), payload(sealed)])
    assert refused.value.param == "input[0].content[1].encrypted_content"
