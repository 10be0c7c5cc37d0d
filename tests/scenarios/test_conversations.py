"""The official SDK keeps conversations and runs on them, each time at another process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from openai import OpenAI

from processes import Processes

TOOL: Any = {"type": "function", "name": "get_weather", "strict": False, "parameters": {"type": "object"}}


@pytest.fixture
def here(processes: Processes, credential: str) -> OpenAI:
    return processes.sdk(0, credential)


@pytest.fixture
def there(processes: Processes, credential: str) -> OpenAI:
    return processes.sdk(1, credential)


def message(text: str) -> Any:
    return {"type": "message", "role": "user", "content": text}


def texts(items: Any) -> list[str]:
    return [item.content[0].text for item in items if item.type == "message"]


def test_what_is_said_of_a_conversation(here: OpenAI, there: OpenAI) -> None:
    made = here.conversations.create(metadata={"topic": "weather"}, items=[message("Hello")])
    assert there.conversations.retrieve(made.id) == made
    changed = there.conversations.update(made.id, metadata={"topic": "sun"})
    assert here.conversations.retrieve(made.id) == changed
    assert changed.metadata == {"topic": "sun"}
    assert here.conversations.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        there.conversations.retrieve(made.id)
    with pytest.raises(openai.NotFoundError):
        there.responses.create(model="m", input="Hm?", conversation=made.id)


def test_items_are_added_read_paged_through_and_deleted(here: OpenAI, there: OpenAI) -> None:
    conversation = here.conversations.create().id
    numbers = [str(number) for number in range(20)]
    added = there.conversations.items.create(conversation, items=[message(number) for number in numbers])
    assert texts(added.data) == numbers
    assert texts(here.conversations.items.list(conversation, order="asc", limit=7)) == numbers
    assert texts(there.conversations.items.list(conversation, limit=6)) == numbers[::-1]
    third: Any = added.data[3]
    assert here.conversations.items.retrieve(third.id, conversation_id=conversation) == third
    assert there.conversations.items.delete(third.id, conversation_id=conversation).id == conversation
    with pytest.raises(openai.NotFoundError):
        here.conversations.items.retrieve(third.id, conversation_id=conversation)
    assert len(list(here.conversations.items.list(conversation))) == 19
    with pytest.raises(openai.BadRequestError):
        here.conversations.items.create(conversation, items=[message(str(number)) for number in range(21)])


@pytest.mark.parametrize("streamed", [False, True], ids=["json", "sse"])
def test_runs_go_on_where_the_one_before_ended(
    here: OpenAI, there: OpenAI, processes: Processes, credential: str, streamed: bool
) -> None:
    conversation = here.conversations.create(items=[message("My city is Paris.")]).id

    def run(client: OpenAI, **more: Any) -> Any:
        about: Any = {"model": "m", "conversation": conversation, "tools": [TOOL], **more}
        if not streamed:
            return client.responses.create(**about)
        with client.responses.stream(**about) as stream:
            return stream.get_final_response()

    for turn in range(3):
        called = run(here, input=f"Weather on day {turn}?")
        assert called.conversation.id == conversation
        (call,) = called.output
        answered = run(
            there, input=[{"type": "function_call_output", "call_id": call.call_id, "output": f"sunny {turn}"}]
        )
        assert answered.output_text == f"The tool said: sunny {turn}"
    *_, request = processes.recorded(credential)
    assert [each["role"] for each in request["messages"]] == [
        "user",
        *["user", "assistant", "tool", "assistant"] * 2,
        *["user", "assistant", "tool"],
    ]
    kept = [item.type for item in here.conversations.items.list(conversation, order="asc")]
    assert kept == ["message", *["message", "function_call", "function_call_output", "message"] * 3]


def test_a_run_without_store_leaves_no_trace(here: OpenAI, there: OpenAI) -> None:
    conversation = here.conversations.create(items=[message("My city is Paris.")]).id
    answer = there.responses.create(model="m", input="Which city?", conversation=conversation, store=False)
    assert "turn 2" in answer.output_text
    assert len(list(here.conversations.items.list(conversation))) == 1


def test_a_second_run_waits_for_the_first(processes: Processes, credential: str) -> None:
    """With the retries of the SDK, which are told to."""
    conversation = processes.sdk(0, credential).conversations.create().id

    def run(number: int) -> Any:
        client = processes.sdk(number, credential).with_options(max_retries=10)
        return client.responses.create(model="slow", input=f"Run {number}", conversation=conversation)

    with ThreadPoolExecutor() as threads:
        first = threads.submit(run, 0)
        while not processes.recorded(credential):
            pass
        with pytest.raises(openai.BadRequestError) as refused:
            processes.sdk(1, credential).responses.create(model="m", input="Now!", conversation=conversation)
        assert first.result().status == "completed"
    assert refused.value.code == "conversation_locked"
    assert refused.value.response.headers["x-should-retry"] == "true"

    with ThreadPoolExecutor() as threads:
        assert {answer.status for answer in threads.map(run, [1, 2])} == {"completed"}
    *_, last = processes.recorded(credential)
    assert [each["role"] for each in last["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    assert len(list(processes.sdk(0, credential).conversations.items.list(conversation))) == 6
