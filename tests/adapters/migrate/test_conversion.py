"""The bodies of one line."""

import json
from typing import Any

import pytest

from diglot import RequestError, UpstreamError, preset
from diglot.adapters.migrate import LineError, Options
from diglot.adapters.migrate.conversion import Conversion, for_data, is_error, kind_of
from diglot.adapters.migrate.options import Dialect
from diglot.adapters.migrate.streams import stream_dialect

ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
SAY: dict[str, Any] = {
    "id": "c",
    "model": "m",
    "choices": [{"index": 0, "message": {"content": "Yo"}, "finish_reason": "stop"}],
}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm"}]}
TOLD = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yo"}]}
DONE: dict[str, Any] = {"object": "response", "model": "m", "status": "completed", "output": [THOUGHT, TOLD]}
CHUNKS = (
    'data: {"choices": [{"delta": {"content": "Yo"}}]}\n\n'
    'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
)


def conversion(to: Dialect, **settings: Any) -> Conversion:
    return Conversion(for_data(Options(to=to, **settings)), lambda prefix: f"{prefix}_1", 7.0)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ASK, ("chat", "request")),
        (SAY, ("chat", "answer")),
        ({"input": "Hi"}, ("responses", "request")),
        (DONE, ("responses", "answer")),
        ({"object": "response"}, ("responses", "answer")),
        ({"messages": None}, None),
        ([], None),
    ],
)
def test_kinds(body: Any, kind: Any) -> None:
    """The fields of a body say what it is."""
    assert kind_of(body) == kind


def test_errors() -> None:
    """An error has no answer beside it."""
    assert is_error({"error": {"message": "no"}})
    assert not is_error({"error": {"message": "no"}, "output": []})
    assert not is_error("error")


def test_a_request_without_a_model() -> None:
    """It stays without, unless one is named; a file stores nothing unless it says so."""
    body = {"messages": ASK["messages"]}
    assert conversion("responses").request(body) == {"input": [{"type": "message", "role": "user", "content": "Hi"}]}
    assert conversion("responses", model="x").request(body)["model"] == "x"
    assert conversion("responses").request({**ASK, "store": False})["store"] is False


def test_a_request_that_has_the_dialect() -> None:
    """It stays as it is."""
    assert conversion("chat").request(ASK) is ASK
    assert conversion("chat").answers(SAY) == [SAY]


def test_what_is_refused_is_dropped_in_a_dataset() -> None:
    """It is reported; for an upstream it is an error, and so is what is wrong in both dialects."""
    body = {"model": "m", "input": "Hi", "previous_response_id": "resp_1", "reasoning": {"mode": "pro"}}
    made = conversion("chat")
    assert made.request(body) == ASK
    assert [(loss.path, loss.kind) for loss in made.losses] == [
        ("previous_response_id", "dropped"),
        ("reasoning.mode", "dropped"),
    ]
    with pytest.raises(RequestError):
        conversion("chat", profile=preset("default")).request(body)
    with pytest.raises(RequestError):
        conversion("chat").request({"model": "m", "input": 5})


def test_a_refusal_without_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be left out is an error; and so is what is refused for ever."""

    def refuse(body: Any, **settings: Any) -> Any:
        raise RequestError("No.", path, "unsupported_value")

    monkeypatch.setattr("diglot.adapters.migrate.conversion._REQUESTS", {"responses": refuse})
    path = "tools[3]"
    with pytest.raises(RequestError):
        conversion("responses").request(ASK)
    monkeypatch.setattr("diglot.adapters.migrate.conversion.without_value", lambda body, path: body)
    with pytest.raises(LineError, match="Too much"):
        conversion("responses").request(ASK)


def test_reasoning_stays() -> None:
    """It is a summary there, and `reasoning_content` here, whatever it was."""
    [made] = conversion("chat").answers(DONE)
    assert made["choices"][0]["message"]["reasoning_content"] == "Hm"
    message = {"content": "Yo", "reasoning_content": "Hm"}
    [made] = conversion("responses").answers({**SAY, "choices": [{"message": message, "finish_reason": "stop"}]})
    assert made["output"][0]["summary"] == [{"type": "summary_text", "text": "Hm"}]
    assert made["created_at"] == 7


def test_choices_become_answers() -> None:
    """Each has its own id; the usage counts once."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    whole = {**SAY, "choices": [{**SAY["choices"][0], "index": i} for i in range(2)] + [None], "usage": usage}
    made = conversion("responses")
    first, second = made.answers(whole)
    assert (first["usage"]["total_tokens"], second["usage"]) == (3, None)
    assert made.losses[0][:2] == ("choices", "emulated")
    texts = [json.loads(text)["id"] for text in conversion("responses").answers(json.dumps(whole))]
    assert len(texts) == 2


def test_finished_answers_in_their_dialect() -> None:
    """Each choice is one; what is no answer stays as it is."""
    whole = {**SAY, "choices": SAY["choices"] * 2}
    assert conversion("responses").finished(json.dumps(whole)) == [SAY, SAY]
    assert conversion("chat").finished(DONE) == [DONE]
    assert conversion("chat").finished([]) == [[]]


def test_answers_that_failed() -> None:
    """They become errors as HTTP has them, which are the same in both dialects."""
    made = conversion("chat")
    [error] = made.answers({**DONE, "status": "failed", "error": {"code": "server_error", "message": "Oh"}})
    assert (error["error"]["message"], made.losses[0].path) == ("Oh", "status")
    assert made.answers(error) == [error]
    with pytest.raises(UpstreamError):
        conversion("responses").answers({"choices": 5})


def test_an_answer_is_read_with_its_request() -> None:
    """Settings are repeated; a request that cannot be read is of no use, and that is reported."""
    made = conversion("responses")
    assert made.answers(SAY, {"input": "Hi", "temperature": 0.5})[0]["temperature"] == 0.5
    assert made.answers(SAY, {"model": "m", "input": 5})[0]["temperature"] == 1.0
    assert made.losses[0].kind == "approximated"


@pytest.mark.parametrize("kind", ["request", "answer"])
def test_what_is_neither(kind: str) -> None:
    """The error says what was expected."""
    made = conversion("chat")
    with pytest.raises(LineError, match=f"This is not an? {kind}"):
        _ = made.request(SAY) if kind == "request" else made.answers(ASK)


def test_texts() -> None:
    """JSON texts become JSON texts, and streams become streams."""
    assert json.loads(conversion("responses").request_text(json.dumps(ASK)))["input"][0]["content"] == "Hi"
    assert json.loads(conversion("responses").answers(json.dumps(SAY))[0])["status"] == "completed"
    assert "response.completed" in conversion("responses").answers(CHUNKS)[0]
    with pytest.raises(LineError, match="not JSON"):
        conversion("responses").answers("{")


def test_streams_there_and_back() -> None:
    """A recorded stream becomes one of the other dialect; one that has it stays."""
    there = conversion("responses").stream(CHUNKS, {"input": "Hi"})
    assert (stream_dialect(CHUNKS), stream_dialect(there)) == ("chat", "responses")
    back = conversion("chat").stream(there)
    assert '"content":"Yo"' in back
    assert back.endswith("data: [DONE]\n\n")
    assert conversion("chat").stream(back) == back
