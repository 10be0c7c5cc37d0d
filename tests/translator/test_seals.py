"""Sealed state on its way through a client, with the seals of the one who serves."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator import PLAIN, Profile, RequestError, Seals, ServeChat, ServeCompact, ServeResponses
from diglot.translator.parts import reasoning
from diglot.translator.seals import COMPACTION, ENVELOPE, REASONING

from judges import judge_stream

USER = {"type": "message", "role": "user", "content": "Go"}
TRIGGER = {"type": "compaction_trigger"}
SIGNED = {"google": {"thought_signature": "signed"}}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": SIGNED}
CALLED = {"role": "assistant", "reasoning_content": "hm", "tool_calls": [CALL]}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "x"}
FOREIGN = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAABforeign"}


def locked(tenant: str) -> Seals:
    """Seals that show the kind and the tenant, and nothing else."""

    def seal(kind: str, data: bytes) -> str:
        return f"{tenant}:{kind}:{base64.b64encode(data[::-1]).decode()}"

    def unseal(kind: str, text: str) -> bytes | None:
        head = f"{tenant}:{kind}:"
        return base64.b64decode(text.removeprefix(head))[::-1] if text.startswith(head) else None

    return Seals(seal, unseal)


OWN = locked("t")


@given(st.binary())
def test_the_envelope(data: bytes) -> None:
    """Whoever reads it gets what was put in; the kind does not matter."""
    text = PLAIN.seal(REASONING, data)
    assert text.startswith(ENVELOPE)
    assert PLAIN.unseal(COMPACTION, text) == data


@pytest.mark.parametrize("text", ["", "diglot.2.x", ENVELOPE + "!", ENVELOPE + "é"])
def test_what_is_no_envelope(text: str) -> None:
    """It is None, never an error."""
    assert PLAIN.unseal(REASONING, text) is None


def chunks(message: dict[str, Any], reason: str) -> list[bytes]:
    deltas: list[dict[str, Any]] = [{name: value} for name, value in message.items()]
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": reason})
    return [b"data: %b\n\n" % json.dumps({"choices": [choice]}).encode() for choice in choices] + [b"data: [DONE]\n\n"]


def answered(exchange: ServeResponses, message: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    """The Response object, whole or from its stream, whose request was released while it ran."""
    if not exchange.streaming:
        return exchange.answer({"choices": [{"message": message, "finish_reason": reason}]})
    stream = exchange.stream()
    first, *rest = chunks(message, reason)
    frames = stream.feed(first)
    stream.release()
    exchange.release()
    for data in rest:
        frames += stream.feed(data)
    events = judge_stream(frames)
    created, last = events[0]["response"], events[-1]["response"]
    assert created.get("input_transformations") == last.get("input_transformations")
    return last


both = pytest.mark.parametrize("stream", [True, False])
Serve = Callable[..., ServeResponses]


@both
def test_reasoning_comes_back(serve: Serve, stream: bool) -> None:
    """What the upstream wants back is in nobody's eyes on the way, and is the upstream's again."""
    tools = [{"type": "function", "name": "f"}]
    answer = answered(serve({"stream": stream, "tools": tools}, seals=OWN), CALLED, "tool_calls")
    sealed = answer["output"][0]["encrypted_content"]
    assert sealed.startswith("t:reasoning:")
    assert "input_transformations" not in answer
    following = serve({"input": [USER, *answer["output"], OUTPUT], "tools": tools}, seals=OWN)
    assert following.chat["messages"][1]["tool_calls"][0]["extra_content"] == SIGNED


@both
def test_a_summary_comes_back(serve: Serve, stream: bool) -> None:
    """The next request reads it; as reasoning it is none."""
    answer = answered(serve({"input": [USER, TRIGGER], "stream": stream}, seals=OWN), {"content": "So far."})
    (item,) = answer["output"]
    assert item["encrypted_content"].startswith("t:compaction:")
    following = serve({"input": [item, USER]}, seals=OWN).chat["messages"]
    assert following[0] == {"role": "system", "content": "So far."}
    thought = {**FOREIGN, "encrypted_content": item["encrypted_content"]}
    assert serve({"input": [thought, USER]}, seals=OWN).answer(SAID)["input_transformations"]


SAID = {"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}


def test_a_compacted_window_comes_back(serve: Serve) -> None:
    """`POST /responses/compact` seals, too."""
    window = ServeCompact({"model": "m", "input": [USER]}, seals=OWN).answer(SAID)["output"]
    assert window[-1]["encrypted_content"].startswith("t:compaction:")
    assert serve({"input": [*window, USER]}, seals=OWN).chat["messages"][1]["content"] == "Hi"


@pytest.mark.parametrize("kind", ["compaction", "context_compaction"])
@pytest.mark.parametrize("strict", [True, False])
def test_a_summary_of_another_tenant_is_refused(serve: Serve, kind: str, strict: bool) -> None:
    """Without it the context is gone."""
    sealed = reasoning.seal({"summary": "secret"}, locked("other"), COMPACTION)
    with pytest.raises(RequestError) as refused:
        serve({"input": [{"type": kind, "encrypted_content": sealed}, USER]}, seals=OWN, strict=strict)
    assert (refused.value.code, refused.value.param) == ("invalid_encrypted_content", None)


@both
def test_the_answer_lists_what_the_model_did_not_get(serve: Serve, stream: bool) -> None:
    """In the order of the input; the report has it, too."""
    other = {**FOREIGN, "id": "rs_2", "encrypted_content": reasoning.seal({"calls": {}, "model": "other"}, OWN)}
    body = {"input": [USER, other, FOREIGN, {**FOREIGN, "id": "rs_3"}, {"role": "assistant", "content": "A"}]}
    exchange = serve({**body, "stream": stream}, seals=OWN)
    assert [loss.kind for loss in exchange.report] == ["dropped"] * 3
    answer = answered(exchange, {"content": "Hi"})
    assert [(entry["id"], entry["reason"]) for entry in answer["input_transformations"]] == [
        ("rs_2", "model_mismatch"),
        ("rs_1", "organization_mismatch"),
        ("rs_3", "organization_mismatch"),
    ]


def test_answers_do_not_share_the_list(serve: Serve) -> None:
    """Whoever gets an answer may change it."""
    exchange = serve({"input": [FOREIGN, USER]})
    first, second = exchange.answer(SAID), exchange.answer(SAID)
    first["input_transformations"][0]["id"] = "mine"
    assert second["input_transformations"][0]["id"] == "rs_1"


@both
def test_the_older_envelope_is_read(serve: Serve, stream: bool) -> None:
    """What clients have from before goes on to be read, and is written no more."""
    compacted = {"type": "compaction", "encrypted_content": reasoning.seal({"summary": "So far."})}
    thought = {**FOREIGN, "encrypted_content": reasoning.seal({"text": "hm", "model": "m"})}
    body = {"input": [compacted, USER, thought, {"role": "assistant", "content": "A"}], "stream": stream}
    exchange = serve({**body, "include": ["reasoning.encrypted_content"]}, seals=OWN)
    assert exchange.chat["messages"][0]["content"] == "So far."
    assert exchange.chat["messages"][2]["reasoning_content"] == "hm"
    answer = answered(exchange, {"reasoning_content": "hm", "content": "Hi"})
    assert answer["output"][0]["encrypted_content"].startswith("t:reasoning:")
    assert ENVELOPE not in json.dumps(answer)


THOUGHT = {**FOREIGN, "status": "completed"}
MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
}
FINISHED = {"id": "resp_1", "object": "response", "status": "completed", "model": "m", "output": [THOUGHT, MESSAGE]}


def serve_chat(messages: list[Any], **settings: Any) -> ServeChat:
    body = {"model": "m", "messages": messages, "stream": settings.pop("stream", False)}
    return ServeChat(body, profile=Profile(), **settings)


def completed(exchange: ServeChat) -> dict[str, Any]:
    if not exchange.streaming:
        return exchange.answer(FINISHED)
    transducer = exchange.transducer()
    transducer.feed({"type": "response.completed", "sequence_number": 0, "response": FINISHED})
    return transducer.answer


@both
def test_a_chat_client_brings_it_back(stream: bool) -> None:
    """What only the Responses server can read travels through the chat client, sealed."""
    asking = {"role": "user", "content": "Go"}
    message = completed(serve_chat([asking], stream=stream, seals=OWN))["choices"][0]["message"]
    (details,) = message["reasoning_details"]
    assert details["data"].startswith("t:reasoning:")
    again = serve_chat([asking, message, asking], seals=OWN)
    assert [item for item in again.responses["input"] if item["type"] == "reasoning"] == [THOUGHT]
    assert not list(again.report)
    elsewhere = serve_chat([asking, message, asking], seals=locked("other"))
    assert [item["type"] for item in elsewhere.responses["input"]] == ["message"] * 3
    assert [(loss.path, loss.kind) for loss in elsewhere.report] == [("messages[1].reasoning_details", "dropped")]
    with pytest.raises(RequestError) as refused:
        serve_chat([asking, message, asking], seals=locked("other"), strict=True)
    assert refused.value.code == "invalid_encrypted_content"


# --- one upstream of several -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seals", [PLAIN, OWN], ids=["plain", "sealed"])
def test_reasoning_belongs_to_its_upstream(seals: Seals) -> None:
    """Another upstream cannot open it, however it is cut; a summary is everybody's."""
    here, there = seals.for_upstream("a"), seals.for_upstream("b")
    sealed = here.seal(REASONING, b"hm")
    assert here.unseal(REASONING, sealed) == b"hm"
    assert there.unseal(REASONING, sealed) is None
    assert here.unseal(REASONING, sealed.rpartition("@")[0]) is None
    assert seals.unseal(REASONING, sealed) is None
    assert there.unseal(COMPACTION, here.seal(COMPACTION, b"we said")) == b"we said"
    if seals is OWN:
        assert there.unseal(REASONING, sealed.removesuffix("a") + "b") is None


def test_what_another_upstream_thought_stays_behind() -> None:
    """It is left out and reported; the upstream that wrote it gets it back."""
    body = {"model": "m", "input": "Go", "include": ["reasoning.encrypted_content"]}
    here, there = PLAIN.for_upstream("a"), PLAIN.for_upstream("b")
    asked = ServeResponses(body, seals=here)
    item = asked.answer({"choices": [{"message": CALLED, "finish_reason": "tool_calls"}]})["output"]
    again = {**body, "input": [USER, *item, OUTPUT]}
    assert ServeResponses(again, seals=here).chat["messages"][1]["tool_calls"][0]["extra_content"] == SIGNED
    elsewhere = ServeResponses(again, seals=there)
    assert "extra_content" not in elsewhere.chat["messages"][1]["tool_calls"][0]
    assert [loss.path for loss in elsewhere.report] == ["input[1].encrypted_content"]
