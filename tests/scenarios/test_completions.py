"""The official SDK stores chat completions in front of a Responses upstream, and asks for them at another process."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import OpenAI

from processes import Processes


@pytest.fixture
def here(chat_processes: Processes, credential: str) -> OpenAI:
    return chat_processes.sdk(0, credential)


@pytest.fixture
def there(chat_processes: Processes, credential: str) -> OpenAI:
    return chat_processes.sdk(1, credential)


def stored(client: OpenAI, text: str, model: str = "m", **metadata: str) -> Any:
    messages: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]
    return client.chat.completions.create(model=model, messages=messages, store=True, metadata=metadata)


def ids(page: Any) -> list[str]:
    return [completion.id for completion in page]


def test_stored_completions_are_listed_and_filtered(here: OpenAI, there: OpenAI) -> None:
    """By time, and those of one second by id."""
    made = [stored(here, f"Question {number}", kind="odd" if number % 2 else "even") for number in range(5)]
    made.append(stored(there, "Something else", "n", kind="odd"))
    odd = {made[1].id, made[3].id, made[5].id}
    everything = ids(sorted(made, key=lambda completion: (completion.created, completion.id)))
    assert ids(there.chat.completions.list(limit=2)) == everything
    assert ids(here.chat.completions.list(limit=4, order="desc")) == everything[::-1]
    assert ids(there.chat.completions.list(model="n")) == [made[5].id]
    found = ids(there.chat.completions.list(metadata={"kind": "odd"}))
    assert found == [ident for ident in everything if ident in odd]
    assert ids(there.chat.completions.list(metadata={"kind": "odd"}, after=found[1])) == found[2:]


def test_a_completion_is_retrieved_changed_and_deleted(here: OpenAI, there: OpenAI) -> None:
    made = stored(here, "What is the weather?", topic="weather")
    found = there.chat.completions.retrieve(made.id)
    assert found.choices == made.choices
    assert found.metadata == {"topic": "weather"}
    changed = there.chat.completions.update(made.id, metadata={"topic": "sun"})
    assert here.chat.completions.retrieve(made.id) == changed
    assert here.chat.completions.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        there.chat.completions.retrieve(made.id)
    with pytest.raises(openai.NotFoundError):
        there.chat.completions.messages.list(made.id)


def test_the_messages_of_a_completion_are_paged_through(here: OpenAI, there: OpenAI) -> None:
    made = stored(here, "What is the weather?")
    oldest_first = list(there.chat.completions.messages.list(made.id, limit=1))
    assert [(entry.role, entry.content) for entry in oldest_first] == [
        ("system", "Be brief."),
        ("user", "What is the weather?"),
    ]
    assert list(here.chat.completions.messages.list(made.id, order="desc")) == oldest_first[::-1]


def test_a_streamed_completion_is_stored_too(here: OpenAI, there: OpenAI) -> None:
    messages: Any = [{"role": "user", "content": "Hello"}]
    with here.chat.completions.create(model="m", messages=messages, store=True, stream=True) as chunks:
        pieces = list(chunks)
    found = there.chat.completions.retrieve(pieces[0].id)
    text = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert found.choices[0].message.content == text


def test_what_is_not_stored_is_not_there(here: OpenAI, there: OpenAI) -> None:
    messages: Any = [{"role": "user", "content": "Hello"}]
    made = here.chat.completions.create(model="m", messages=messages)
    with pytest.raises(openai.NotFoundError):
        there.chat.completions.retrieve(made.id)
    assert ids(there.chat.completions.list()) == []


def test_another_credential_sees_nothing(here: OpenAI, chat_processes: Processes) -> None:
    made = stored(here, "A secret")
    stranger = chat_processes.sdk(1, "sk-stranger")
    with pytest.raises(openai.NotFoundError):
        stranger.chat.completions.retrieve(made.id)
    assert ids(stranger.chat.completions.list()) == []
