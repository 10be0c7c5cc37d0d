"""The official SDK chains, reads, compacts, counts and deletes responses, each time at another process."""

from __future__ import annotations

from typing import Any, cast

import openai
import pytest
from openai.types.responses import Response

from processes import Processes

TURNS = 10
TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
SETTINGS: Any = {"model": "m", "instructions": "Be brief.", "tools": [TOOL]}
Item = dict[str, Any]


def user(text: str) -> Item:
    return {"role": "user", "content": text}


def results(answer: Response) -> list[Item]:
    return [
        {"type": "function_call_output", "call_id": item.call_id, "output": f"sunny, {item.arguments}"}
        for item in answer.output
        if item.type == "function_call"
    ]


def items_of(answer: Response) -> list[Item]:
    return [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in answer.output]


class Loop:
    """An agent that talks to one process after the other."""

    def __init__(self, processes: Processes, credential: str, streamed: bool = False) -> None:
        self.processes, self.credential, self.streamed = processes, credential, streamed
        self.answers: list[Response] = []
        self._asked = 0

    def ask(self, **more: Any) -> Response:
        client = self.processes.sdk(self._asked, self.credential)
        self._asked += 1
        if not self.streamed:
            self.answers.append(client.responses.create(**SETTINGS, **more))
        else:
            with client.responses.stream(**SETTINGS, **more) as stream:
                self.answers.append(stream.get_final_response())
        return self.answers[-1]

    def chained(self, turns: int) -> None:
        """Each request has what is new only."""
        previous = openai.omit
        for turn in range(turns):
            new = [user(f"What is the weather on day {turn}?")]
            while new:
                answer = self.ask(input=new, previous_response_id=previous)
                previous, new = answer.id, results(answer)

    def in_full(self, turns: int) -> None:
        """Each request has the whole history."""
        history: list[Item] = []
        for turn in range(turns):
            new = [user(f"What is the weather on day {turn}?")]
            while new:
                history += new
                answer = self.ask(input=history, store=False)
                history += items_of(answer)
                new = results(answer)


@pytest.mark.parametrize("streamed", [False, True], ids=["json", "sse"])
def test_chained_turns_are_the_same_for_the_upstream_as_those_that_are_sent_in_full(
    processes: Processes, credential: str, streamed: bool
) -> None:
    chained = Loop(processes, credential, streamed)
    chained.chained(TURNS)
    in_full = Loop(processes, f"{credential}-full", streamed)
    in_full.in_full(TURNS)

    requests = processes.recorded(credential)
    assert len(requests) == 2 * TURNS
    assert requests == processes.recorded(f"{credential}-full")
    assert len(requests[-1]["messages"]) == 1 + 4 * TURNS - 1
    assert all(answer.to_dict()["store"] for answer in chained.answers)
    assert [answer.output_text for answer in chained.answers] == [answer.output_text for answer in in_full.answers]


@pytest.fixture
def loop(processes: Processes, credential: str) -> Loop:
    """Three turns with a call each."""
    made = Loop(processes, credential)
    made.chained(3)
    return made


@pytest.mark.parametrize("process", [0, 1])
def test_retrieved_is_what_was_answered(loop: Loop, process: int) -> None:
    client = loop.processes.sdk(process, loop.credential)
    for answer in loop.answers:
        assert client.responses.retrieve(answer.id).model_dump() == answer.model_dump()


@pytest.mark.parametrize("process", [0, 1])
def test_input_items_are_paged_through_in_both_orders(loop: Loop, process: int) -> None:
    client = loop.processes.sdk(process, loop.credential)
    last = loop.answers[-1].id
    oldest_first = list(client.responses.input_items.list(last, order="asc", limit=3))
    assert [item.type for item in oldest_first] == [
        *["message", "function_call", "function_call_output", "message"] * 2,
        *["message", "function_call", "function_call_output"],
    ]
    newest_first = list(client.responses.input_items.list(last, limit=2))
    assert newest_first == oldest_first[::-1]
    page = client.responses.input_items.list(last, after=cast("Any", newest_first[3]).id, limit=4)
    assert page.data == newest_first[4:8]


def test_deleted_is_gone_for_all(loop: Loop) -> None:
    here, there = (loop.processes.sdk(process, loop.credential) for process in (0, 1))
    first, last = loop.answers[0].id, loop.answers[-1].id
    here.responses.delete(first)
    with pytest.raises(openai.NotFoundError):
        there.responses.retrieve(first)
    with pytest.raises(openai.NotFoundError):
        there.responses.delete(first)
    with pytest.raises(openai.BadRequestError) as refused:
        there.responses.create(**SETTINGS, input="Go on.", previous_response_id=last)
    assert refused.value.code == "previous_response_not_found"
    assert there.responses.retrieve(last).id == last


def test_a_response_is_the_parent_of_several(loop: Loop) -> None:
    """Each goes on from what it names."""
    middle = loop.answers[1].id
    for process in range(4):
        client = loop.processes.sdk(process, loop.credential)
        client.responses.create(model="m", input=f"Branch {process}", previous_response_id=middle)
    *_, request = loop.processes.recorded(loop.credential)
    assert [message["role"] for message in request["messages"]] == ["user", "assistant", "tool", "assistant", "user"]
    assert request["messages"][-1]["content"] == "Branch 3"


def test_items_are_referred_to(loop: Loop) -> None:
    client = loop.processes.sdk(1, loop.credential)
    call, message = loop.answers[0].output[0], loop.answers[1].output[0]
    referred: Any = [{"type": "item_reference", "id": item.id} for item in (call, message)]
    said: Any = [user("Hm?"), referred[0], *results(loop.answers[0]), referred[1]]
    client.responses.create(model="m", input=said)
    *_, request = loop.processes.recorded(loop.credential)
    assert [entry["role"] for entry in request["messages"]] == ["user", "assistant", "tool", "assistant"]


def test_a_compacted_chain_goes_on_from_its_output(loop: Loop) -> None:
    here, there = (loop.processes.sdk(process, loop.credential) for process in (0, 1))
    last = loop.answers[-1].id
    compacted = there.responses.compact(model="m", previous_response_id=last)
    assert compacted.object == "response.compaction"
    assert compacted.output[-1].type == "compaction"
    output: Any = [item.model_dump(exclude_none=True, warnings=False) for item in compacted.output]

    output.append(user("And now?"))
    answer = here.responses.create(model="m", input=output)
    again = there.responses.create(model="m", input="And then?", previous_response_id=answer.id)
    assert "And then?" in again.output_text
    *_, summarising, first, second = loop.processes.recorded(loop.credential)
    assert len(summarising["messages"]) > len(first["messages"])
    assert not any(message["role"] == "tool" for message in second["messages"])
    assert second["messages"][: len(first["messages"])] == first["messages"]
    shown = list(here.responses.input_items.list(again.id, order="asc"))
    assert "compaction" in [item.type for item in shown]


def test_a_chain_is_compacted_in_a_turn(loop: Loop) -> None:
    """The turn was made from all that it compacted; the next one was not."""
    here, there = (loop.processes.sdk(process, loop.credential) for process in (0, 1))
    asked: Any = [user("Sum it up."), {"type": "compaction_trigger"}]
    compacted = there.responses.create(model="m", input=asked, previous_response_id=loop.answers[-1].id)
    assert [item.type for item in compacted.output] == ["compaction"]
    assert len(list(here.responses.input_items.list(compacted.id))) == 4 * 3 + 1
    again = here.responses.create(model="m", input="And then?", previous_response_id=compacted.id)
    assert [item.type for item in there.responses.input_items.list(again.id, order="asc")] == ["compaction", "message"]
    *_, request = loop.processes.recorded(loop.credential)
    assert len(request["messages"]) == 2


def test_tokens_are_counted_with_the_history(loop: Loop) -> None:
    here, there = (loop.processes.sdk(process, loop.credential) for process in (0, 1))
    alone = here.responses.input_tokens.count(model="m", input="And tomorrow?").input_tokens
    counted = there.responses.input_tokens.with_raw_response.count(
        model="m", input="And tomorrow?", previous_response_id=loop.answers[-1].id
    )
    assert counted.parse().object == "response.input_tokens"
    assert counted.parse().input_tokens > alone > 0
    with pytest.raises(openai.BadRequestError):
        there.responses.input_tokens.count(model="m", input="Hm?", previous_response_id=f"resp_{0:032x}")


def test_what_is_not_stored_is_not_there(processes: Processes, credential: str) -> None:
    here, there = (processes.sdk(process, credential) for process in (0, 1))
    answer = here.responses.create(model="m", input="Forget this.", store=False)
    assert answer.to_dict()["store"] is False
    with pytest.raises(openai.NotFoundError):
        there.responses.retrieve(answer.id)
    with pytest.raises(openai.BadRequestError):
        there.responses.create(model="m", input="What was it?", previous_response_id=answer.id)


def test_another_credential_sees_nothing(loop: Loop) -> None:
    stranger = loop.processes.sdk(1, "sk-stranger")
    with pytest.raises(openai.NotFoundError):
        stranger.responses.retrieve(loop.answers[0].id)
    with pytest.raises(openai.BadRequestError) as refused:
        stranger.responses.create(model="m", input="What was said?", previous_response_id=loop.answers[-1].id)
    assert refused.value.code == "previous_response_not_found"
