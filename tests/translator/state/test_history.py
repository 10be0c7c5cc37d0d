"""A request with its history says what a client would have sent that keeps everything itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator import RequestError, ServeResponses
from diglot.translator.parts.reasoning import seal
from diglot.translator.state import history, ids, records

from costs import assert_linear

Item = dict[str, Any]
MODEL = {"model": "m"}
COMPACTION = {"type": "compaction", "id": "cmp_1", "encrypted_content": seal({"summary": "So far."})}


def key(number: int) -> str:
    return f"{number:032x}"


def user(text: str, **more: Any) -> Item:
    return {"type": "message", "role": "user", "content": text, **more}


def said(text: str, ident: str, **more: Any) -> Item:
    parts = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": ident, "role": "assistant", "status": "completed", "content": parts, **more}


def call(call_id: str, **more: Any) -> Item:
    return {"type": "function_call", "id": f"fc_{call_id}", "call_id": call_id, "name": "f", "arguments": "{}", **more}


def output_of(call_id: str, **more: Any) -> Item:
    return {"type": "function_call_output", "call_id": call_id, "output": "x", **more}


def record(number: int, own: list[Item], output: list[Item], status: str = "completed") -> records.Past:
    """A response as it comes back from a store."""
    new_id = ids.ItemIds(key(number))
    answer = {"id": new_id("resp"), "status": status, "output": output}
    kept = records.Record(answer, [history.kept(item, new_id) for item in own])
    written = records.encode(kept)
    assert records.decode(answer["id"], written.body, written.settings).past == kept.past
    return records.decode_past(answer["id"], written.body)


def expanded(body: Item, chain: list[records.Past], **more: Any) -> history.Expanded:
    new_id = ids.ItemIds(key(0xFFFF + len(chain)))
    return history.expand({**MODEL, **body}, new_id, inherited=history.of_chain(chain), **more)


def chat(body: Item) -> Any:
    return ServeResponses({**MODEL, **body}, profile="openai").chat


# --- chained is sent in full

TEXTS = st.text(min_size=1, max_size=5)
PLAIN = st.builds(user, TEXTS) | st.builds(
    lambda text: {"role": "user", "content": [{"type": "input_text", "text": text}]}, TEXTS
)
NOTES = st.builds(lambda text: {"role": "developer", "content": text}, TEXTS)


@st.composite
def conversations(draw: Any) -> list[tuple[Any, list[Item]]]:
    """Turns: an input, and what the model answered; calls are answered in the next input."""
    turns: list[tuple[Any, list[Item]]] = []
    waiting: list[str] = []
    for number in range(draw(st.integers(1, 5))):
        outputs = [output_of(call_id) for call_id in waiting]
        words = draw(st.lists(PLAIN | NOTES, min_size=0 if outputs else 1, max_size=2))
        own: Any = [*outputs, *words]
        if not outputs and draw(st.booleans()):
            own = draw(TEXTS)
        waiting = [f"c{number}_{i}" for i in range(draw(st.integers(0, 2)))]
        thought = {"type": "reasoning", "id": f"rs_{number}", "summary": [{"type": "summary_text", "text": "Hm."}]}
        answered = [thought] * draw(st.integers(0, 1)) + [said(draw(TEXTS), f"msg_{number}")]
        turns.append((own, [*answered, *[call(call_id) for call_id in waiting]]))
    return turns


@given(conversations())
def test_chained_is_sent_in_full(turns: list[tuple[Any, list[Item]]]) -> None:
    """The upstream gets the same request."""
    whole: list[Item] = []
    chain: list[records.Past] = []
    for number, (own, output) in enumerate(turns):
        whole += [user(own)] if isinstance(own, str) else own
        made = expanded({"input": own, "instructions": "Be brief.", "previous_response_id": "resp_x"}, chain)
        assert chat(made.body) == chat({"input": whole, "instructions": "Be brief."})
        assert "previous_response_id" not in made.body
        chain.append(record(number, made.own, output))
        whole += output


@given(conversations())
def test_a_conversation_is_sent_in_full(turns: list[tuple[Any, list[Item]]]) -> None:
    """The same of the items of a conversation, and of items that are referred to."""
    log: list[Item] = []
    whole: list[Item] = []
    for number, (own, output) in enumerate(turns):
        whole += [user(own)] if isinstance(own, str) else own
        new_id = ids.ItemIds(key(number))
        body = {**MODEL, "input": own, "conversation": "conv_1"}
        made = history.expand(body, new_id, inherited=history.of_conversation(log), in_conversation=True)
        assert chat(made.body) == chat({"input": whole})
        references = [{"type": "item_reference", "id": item["id"]} for item in log]
        sent = {**MODEL, "input": [*references, *([user(own)] if isinstance(own, str) else own)]}
        referenced = history.expand(sent, new_id, referenced={item["id"]: item for item in log})
        assert chat(referenced.body) == chat({"input": whole})
        log += [*made.own, *output]
        whole += output


# --- what a record keeps


def test_input_is_kept_as_items() -> None:
    """A text is a message with a part; what has no id gets one with the key of the response."""
    made = expanded({"input": "Hi"}, [])
    part = {"type": "input_text", "text": "Hi"}
    ident = f"msg_{key(0xFFFF)}0000"
    message = {"type": "message", "role": "user", "content": [part], "id": ident, "status": "completed"}
    assert made.own == [message]
    assert made.body == {"model": "m", "input": "Hi"}


def test_ids_of_clients_stay() -> None:
    """If they are ids; the texts of an assistant are what the model writes."""
    mine = {"role": "assistant", "content": "Hi", "id": "msg_mine"}
    tool = {"role": "tool", "content": "x", "tool_call_id": "c", "id": "not an id!"}
    one, two = history.kept(mine, ids.ItemIds(key(1))), history.kept(tool, ids.ItemIds(key(1)))
    assert one["id"] == "msg_mine"
    assert one["content"] == [{"type": "output_text", "text": "Hi", "annotations": []}]
    assert two == {**tool, "type": "message", "status": "completed", "id": f"msg_{key(1)}0000"}
    assert mine == {"role": "assistant", "content": "Hi", "id": "msg_mine"}


def test_a_trigger_is_not_kept() -> None:
    """It asks for a summary once."""
    made = expanded({"input": [user("Hi"), {"type": "compaction_trigger"}]}, [record(1, [user("A")], [])])
    assert [item["type"] for item in made.own] == ["message"]
    assert made.body["input"][-1] == {"type": "compaction_trigger"}


# --- what a parent hands on


@pytest.mark.parametrize(
    ("status", "handed_on"),
    [
        ("completed", ["msg_1", "fc_c1", "msg_2"]),
        ("incomplete", ["msg_1", "fc_c1", "msg_2"]),
        ("failed", ["msg_1", "fc_c1"]),
        ("cancelled", ["msg_1"]),
    ],
)
def test_what_a_parent_hands_on(status: str, handed_on: list[str]) -> None:
    """Its input, and what was finished of its output, by its status."""
    parent = record(1, [user("Hi", id="msg_1")], [call("c1"), said("Hal", "msg_2", status="incomplete")], status)
    assert [item["id"] for item in history.of_chain([parent])] == handed_on


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_what_runs_cannot_be_continued(status: str) -> None:
    """The error names it."""
    with pytest.raises(RequestError, match=f"Response 'resp_{key(1)}' has not finished."):
        history.of_chain([record(1, [user("Hi")], [], status)])


def test_incomplete_calls_count_only_if_they_are_answered() -> None:
    """A call that was cut short is left out, or the history would lack its output."""
    parent = record(1, [user("Hi")], [call("c1", status="incomplete")], "incomplete")
    assert [item["type"] for item in expanded({"input": "Go on"}, [parent]).body["input"]] == ["message"] * 2
    answered = expanded({"input": [output_of("c1")]}, [parent])
    assert [item["type"] for item in answered.body["input"]][1:] == ["function_call", "function_call_output"]


def test_calls_are_judged_over_the_whole_history() -> None:
    """An output may answer a call of long ago; without one the error is OpenAI's."""
    parent = record(1, [user("Hi")], [call("c1")])
    assert len(expanded({"input": [output_of("c1")]}, [parent]).body["input"]) == 3
    with pytest.raises(RequestError, match=r"No tool output found for function call c1\.") as caught:
        expanded({"input": "Hi"}, [parent])
    assert caught.value.param == "input"
    with pytest.raises(RequestError, match=r"No tool call found for function call output with call_id c2\."):
        expanded({"input": [output_of("c1"), output_of("c2")]}, [parent])


def test_no_input_is_an_input_with_a_history() -> None:
    """Without one, nothing is made up."""
    assert len(expanded({}, [record(1, [user("Hi")], [])]).body["input"]) == 1
    assert "input" not in expanded({}, []).body


# --- references and repeated items


def test_references_are_replaced() -> None:
    """By what was fetched, or by what the history has; what is nowhere is a 404."""
    found = {"rs_1": {"type": "reasoning", "id": "rs_1", "summary": []}}
    made = expanded({"input": [{"type": "item_reference", "id": "rs_1"}, user("Hi")]}, [], referenced=found)
    assert made.body["input"][0] == made.own[0] == found["rs_1"]
    with pytest.raises(RequestError, match=r"Item with id 'rs_2' not found\.") as caught:
        expanded({"input": [{"id": "rs_2"}]}, [], referenced=found)
    assert (caught.value.status, caught.value.param) == (404, "input")
    with pytest.raises(RequestError, match="Item with id '7' not found"):
        expanded({"input": [{"id": 7}]}, [])


def test_repeated_items_come_once() -> None:
    """A client that continues a chain and repeats its items anyway gets the first of each."""
    parent = record(1, [user("Hi", id="msg_1")], [call("c1"), said("Ho", f"msg_{key(1)}0000")])
    reference = {"type": "item_reference", "id": "fc_c1"}
    again = [user("Hi", id="msg_1"), reference, said("Ho", f"msg_{key(1)}0000", phase=None), output_of("c1")]
    made = expanded({"input": again}, [parent])
    assert [item["type"] for item in made.body["input"]] == ["message", "function_call", "message", again[-1]["type"]]
    assert [item["type"] for item in made.own] == ["function_call_output"]
    found = {"rs_1": {"type": "reasoning", "id": "rs_1", "summary": []}}
    assert len(expanded({"input": [{"id": "rs_1"}, {"id": "rs_1"}]}, [], referenced=found).own) == 1


def test_other_items_with_the_same_id_are_kept() -> None:
    """Some clients count from 1 in each request: the second `msg_1` is another message, and gets another id."""
    parent = record(1, [user("A", id="msg_1")], [])
    made = expanded({"input": [user("B", id="msg_1"), user("C", id="msg_1")]}, [parent])
    assert [item["content"] for item in made.body["input"][1:]] == ["B", "C"]
    assert len({"msg_1", *(item["id"] for item in made.own)}) == 3


def test_repeated_items_of_a_conversation_are_an_error() -> None:
    """It has them already."""
    there = [user("Hi", id="msg_1")]
    with pytest.raises(RequestError, match=r"Duplicate item found with id msg_1\. Remove duplicate items"):
        history.expand({"input": there}, ids.ItemIds(key(1)), inherited=there, in_conversation=True)
    with pytest.raises(RequestError, match="Duplicate item found with id msg_1"):
        history.expand({"input": [{"id": "msg_1"}]}, ids.ItemIds(key(1)), inherited=there, in_conversation=True)


def test_the_output_of_a_local_shell_has_the_id_of_its_call() -> None:
    """So it is no repeated item."""
    shell = {"type": "local_shell_call", "id": "lsh_1", "call_id": "lsh_1", "action": {"command": ["ls"]}}
    output = {"type": "local_shell_call_output", "id": "lsh_1", "output": "x"}
    made = expanded({"input": [output]}, [record(1, [user("Hi")], [shell])])
    assert made.own == [output]
    assert len(history.of_chain([record(1, [user("Hi")], [shell]), record(2, [output], [])])) == 3


# --- compaction


def test_a_history_starts_at_the_newest_compaction() -> None:
    """At the item itself, where the model made it."""
    compacted = record(2, [user("B", id="msg_b")], [COMPACTION, said("C", "msg_c")])
    chain = [record(1, [user("A")], [COMPACTION]), compacted, record(3, [user("D", id="msg_d")], [])]
    assert [item["id"] for item in history.of_chain(chain)] == ["cmp_1", "msg_c", "msg_d"]


def test_a_window_that_a_client_sends_stays_whole() -> None:
    """What came with the compaction in one request is not left out."""
    window = record(2, [user("B", id="msg_b"), COMPACTION, user("C", id="msg_c")], [])
    chain = [record(1, [user("A")], [said("x", "msg_x")]), window]
    assert [item["id"] for item in history.of_chain(chain)] == ["msg_b", "cmp_1", "msg_c"]


def test_conversations_start_at_the_newest_compaction() -> None:
    """Or at their beginning."""
    assert history.of_conversation([user("A"), COMPACTION, user("B")]) == [COMPACTION, user("B")]
    assert history.of_conversation([user("A"), user("B")]) == [user("A"), user("B")]
    assert history.of_conversation([]) == []


# --- errors in the client's words


def test_places_are_the_clients() -> None:
    """An error about an expanded request names the items that the client sent; others are `input`."""
    made = expanded({"input": [user("B"), {"role": "x", "content": "C"}]}, [record(1, [user("A")], [])])
    with pytest.raises(RequestError) as caught:
        ServeResponses(made.body)
    assert caught.value.param == "input[2].role"
    assert made.error(caught.value).param == "input[1].role"
    error = RequestError("'input[0].content' and 'input[2]' are wrong.", "input[0].content")
    mine = made.error(error)
    assert (str(mine), mine.param) == ("'history.content' and 'input[1]' are wrong.", "input")
    assert made.path("tools[0]") == "tools[0]"
    assert str(expanded({"input": "A"}, []).error(error)) == "'input[0].content' and 'history' are wrong."


def test_places_are_those_of_the_input_that_was_sent() -> None:
    """Also where something of it was left out."""
    parent = record(1, [user("A", id="msg_1")], [])
    made = expanded({"input": [user("A", id="msg_1"), user("B")]}, [parent])
    assert made.path("input[1].content") == "input[1].content"


def test_expanding_is_linear() -> None:
    """In the turns, the items, and the references."""

    def make(size: int) -> Any:
        chain = [record(i, [user("x" * 300)], [said("y" * 300, f"msg_{i}"), call(f"c{i}")]) for i in range(size)]
        answers = [output_of(f"c{i}") for i in range(size)]
        references = [{"type": "item_reference", "id": f"msg_{i}"} for i in range(size)]
        return lambda: expanded({"input": [*answers, *references]}, chain)

    assert_linear(make)
