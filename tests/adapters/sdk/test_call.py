"""One translated request under an SDK, with every kind of client against a real server."""

import gzip
import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from diglot.adapters import Limits, Record

from scripted_server import (
    COMPLETION,
    DONE,
    HELLO,
    RESPONSE,
    RESPONSE_STREAM,
    Asked,
    ScriptedServer,
    Steps,
    answer,
    chunk,
    stream,
)
from transports import Talker

Talk = Callable[..., Talker]
HI = {"model": "m", "input": "Hi"}
STREAMED = {**HI, "stream": True}
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def events(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def test_a_whole_answer(talk: Talk, upstream: ScriptedServer) -> None:
    """It is sent to the other endpoint, with the caller's headers; the losses are in the answer's."""
    client, records = talk(on_exchange=(records := []).append), records
    upstream.script = lambda asked: answer(COMPLETION, x_request_id="r1", etag="e")
    got = client.post(
        f"{upstream.url}/v1/responses?x=1", {**HI, "truncation": "auto"}, headers={"authorization": "Bearer k"}
    )
    assert got.status_code == 200
    assert got.json()["output"][0]["content"][0]["text"] == "Hello"
    assert got.headers["x-request-id"] == "r1"
    assert got.headers["diglot-losses"].startswith('"truncation";kind=')
    assert "etag" not in got.headers
    (asked,) = upstream.asked
    assert asked.line == "POST /v1/chat/completions?x=1 HTTP/1.1"
    assert asked.body == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert (asked.headers["authorization"], asked.headers["accept-encoding"]) == ("Bearer k", "identity")
    assert (asked.headers["host"], asked.headers["accept"]) == (f"localhost:{upstream.port}", "application/json")
    (record,) = records
    assert (record.status, record.outcome, record.usage["output_tokens"]) == (200, "completed", 2)
    assert [loss.path for loss in record.losses] == ["truncation"]


def test_a_stream(talk: Talk, upstream: ScriptedServer) -> None:
    """Frames come as they are made; the record is left when it is over."""
    records: list[Record] = []
    client = talk(on_exchange=records.append)
    upstream.script = lambda asked: stream(*HELLO, x_request_id="r1")
    got = client.post(f"{upstream.url}/v1/responses", STREAMED)
    assert got.headers["content-type"].startswith("text/event-stream")
    assert got.headers["x-request-id"] == "r1"
    told = events(got.text)
    assert [each["delta"] for each in told if each["type"] == "response.output_text.delta"] == ["Hel", "lo"]
    assert told[-1]["type"] == "response.completed"
    assert [record.outcome for record in records] == ["completed"]


def test_the_other_direction(talk: Talk, upstream: ScriptedServer) -> None:
    """A chat client of a Responses upstream."""
    client = talk(upstream_api="responses")
    upstream.script = lambda asked: stream(*RESPONSE_STREAM) if asked.body.get("stream") else answer(RESPONSE)
    assert (
        client.post(f"{upstream.url}/v1/chat/completions", CHAT).json()["choices"][0]["message"]["content"] == "Hello"
    )
    got = client.post(f"{upstream.url}/v1/chat/completions", {**CHAT, "stream": True}).text
    assert [each["choices"][0]["delta"].get("content") for each in events(got)] == ["", "Hello", None]
    assert got.endswith("data: [DONE]\n\n")
    assert {asked.line.split()[1] for asked in upstream.asked} == {"/v1/responses"}


@pytest.mark.parametrize("is_cut", [False, True], ids=["whole", "cut"])
def test_the_end_follows_the_middle(talk: Talk, upstream: ScriptedServer, is_cut: bool) -> None:
    """What ends a stream is not lost where it comes straight after a piece of text."""
    client = talk(upstream_api="responses")
    first, added, delta, last = RESPONSE_STREAM
    steps = stream(first, added, delta, 0.02, delta, 0.02, delta, 0.02, *([] if is_cut else [last]), end=not is_cut)
    upstream.script = lambda asked: [*steps, *([None] if is_cut else [])]
    got = client.post(f"{upstream.url}/v1/chat/completions", {**CHAT, "stream": True}).text
    assert got.count('"content":"Hello"') == 3
    assert ('finish_reason":"stop' in got) is not is_cut
    assert ('"error"' in got) is is_cut
    assert got.endswith("data: [DONE]\n\n")


def test_ten_streams_use_one_connection(talk: Talk, upstream: ScriptedServer) -> None:
    """The body is read to its end, although the client stops at [DONE], as the SDK does."""
    client = talk(upstream_api="responses")
    upstream.script = lambda asked: [*stream(*RESPONSE_STREAM, end=False), 0.01, b"0\r\n\r\n"]
    for _ in range(10):
        got = client.open(f"{upstream.url}/v1/chat/completions", {**CHAT, "stream": True})
        pieces = client.pieces(got)
        while DONE not in client.next(pieces):
            pass
        client.close(got)
    assert len(upstream.asked) == 10
    assert upstream.connections == 1


def test_a_body_that_does_not_end(talk: Talk, upstream: ScriptedServer) -> None:
    """After the end of the answer, nobody waits for long."""
    client = talk(upstream_api="responses")
    upstream.script = lambda asked: [*stream(*RESPONSE_STREAM, end=False), 30.0]
    began = time.monotonic()
    assert client.post(f"{upstream.url}/v1/chat/completions", {**CHAT, "stream": True}).text.endswith("[DONE]\n\n")
    assert time.monotonic() - began < 3
    assert upstream.hung_up.wait(1)


def test_a_server_that_goes_on_after_the_end(talk: Talk, upstream: ScriptedServer) -> None:
    """What follows is not read for ever."""
    client = talk(upstream_api="responses")
    endless = [step for _ in range(300) for step in (b"5\r\n: x\n\n\r\n", 0.02)]
    upstream.script = lambda asked: [*stream(*RESPONSE_STREAM, end=False), *endless]
    began = time.monotonic()
    assert client.post(f"{upstream.url}/v1/chat/completions", {**CHAT, "stream": True}).text.endswith("[DONE]\n\n")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("body", [STREAMED, HI], ids=["stream", "whole"])
@pytest.mark.parametrize("missing", [[30.0], [0.05, None]], ids=["silence", "cut"])
def test_an_answer_without_its_last_words(talk: Talk, upstream: ScriptedServer, body: Any, missing: Any) -> None:
    """Where nothing but [DONE] is missing, it is not waited for; also where a whole answer is made of a stream."""
    client = talk()
    client.client._transport.context.limits = _limits(after_finish=0.3)
    upstream.script = lambda asked: [*stream(*HELLO[:3], end=False), *missing]
    began = time.monotonic()
    got = client.post(f"{upstream.url}/v1/responses", body)
    assert "Hello" in got.text
    assert '"status":"completed"' in got.text
    assert time.monotonic() - began < 3


def test_a_failure_without_its_reason(talk: Talk, upstream: ScriptedServer) -> None:
    """It is waited for, but less long."""
    client = talk(upstream_api="responses")
    client.client._transport.context.limits = _limits(after_failure=0.2)
    failing = b'event: response.failed\ndata: {"type":"response.failed","response":{"status":"failed"}}\n\n'
    upstream.script = lambda asked: [*stream(*RESPONSE_STREAM[:3], failing, end=False), 30.0]
    began = time.monotonic()
    got = client.post(f"{upstream.url}/v1/chat/completions", {**CHAT, "stream": True})
    assert "error" in events(got.text)[-1]
    assert time.monotonic() - began < 3


def _limits(**changes: Any) -> Limits:
    return Limits(**changes)


def test_closing_hangs_up(talk: Talk, upstream: ScriptedServer) -> None:
    """Within a second, so that nothing more is generated; the record says that the client left."""
    records: list[Record] = []
    client = talk(on_exchange=records.append)
    upstream.script = lambda asked: [*stream(HELLO[0], end=False), 30.0]
    got = client.open(f"{upstream.url}/v1/responses", STREAMED)
    assert b"response.created" in client.next(client.pieces(got))
    client.close(got)
    assert upstream.hung_up.wait(1)
    assert [(record.status, record.outcome) for record in records] == [(200, "disconnected")]


def test_a_stream_that_is_cut(talk: Talk, upstream: ScriptedServer) -> None:
    """It ends as failed, whether the connection breaks in its middle or anywhere else."""
    records: list[Record] = []
    client = talk(on_exchange=records.append)
    for count in (1, 2):
        upstream.script = lambda asked, count=count: [*stream(*HELLO[:count], end=False), 0.05, None]
        told = events(client.post(f"{upstream.url}/v1/responses", STREAMED).text)
        assert told[-1]["type"] == "response.failed"
        assert told[-1]["response"]["error"]["message"] == "The connection to the upstream was lost."
    assert [(record.outcome, record.error) for record in records] == [("failed", "upstream_disconnected")] * 2


@pytest.mark.parametrize("in_middle", [False, True])
def test_a_stream_that_ends_too_early(talk: Talk, upstream: ScriptedServer, in_middle: bool) -> None:
    """A body that is whole may hold an answer that is not."""
    middle = (HELLO[0], *[0.02, HELLO[1]] * 3) if in_middle else HELLO[:1]
    upstream.script = lambda asked: stream(*middle)
    assert events(talk().post(f"{upstream.url}/v1/responses", STREAMED).text)[-1]["type"] == "response.failed"


def test_before_the_client_has_anything_errors_are_its_own(talk: Talk, upstream: ScriptedServer) -> None:
    """The SDK knows what to do with those of its HTTP package."""
    records: list[Record] = []
    client = talk(on_exchange=records.append)
    errors = client.package
    upstream.script = lambda asked: [None]
    with pytest.raises(errors.RemoteProtocolError):
        client.post(f"{upstream.url}/v1/responses", HI)
    upstream.script = lambda asked: [*stream(end=False), 0.05, None]
    with pytest.raises(errors.RemoteProtocolError):
        client.post(f"{upstream.url}/v1/responses", STREAMED)
    assert [(record.status, record.error) for record in records] == [(502, "upstream_disconnected")] * 2


def test_the_callers_timeouts_are_the_upstreams(talk: Talk, upstream: ScriptedServer) -> None:
    """Before the answer, and within it."""
    records: list[Record] = []
    client = talk(on_exchange=records.append)
    for steps in ([30.0], [*stream(HELLO[0], end=False), 30.0], [*stream(*HELLO[:2], end=False), 30.0]):
        upstream.script = lambda asked, steps=steps: steps
        began = time.monotonic()
        with pytest.raises(client.package.ReadTimeout):
            client.post(f"{upstream.url}/v1/responses", STREAMED, timeout=0.3)
        assert time.monotonic() - began < 2
    assert [(record.status, record.error) for record in records] == [
        (504, "upstream_timeout"),
        *[(200, "upstream_timeout")] * 2,
    ]


def test_refusals_keep_what_the_sdk_looks_at(talk: Talk, upstream: ScriptedServer) -> None:
    """Status, `retry-after`, `x-should-retry`, `x-request-id`; the transport does not try again."""
    records: list[Record] = []
    client = talk(on_exchange=records.append)
    refusal = {"error": {"message": "Slow down.", "type": "rate_limit_error", "code": "rate_limit_exceeded"}}
    upstream.script = lambda asked: answer(refusal, 429, retry_after="7", x_should_retry="false", x_request_id="r")
    got = client.post(f"{upstream.url}/v1/responses", {**STREAMED, "truncation": "auto"})
    assert (got.status_code, got.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert [got.headers[name] for name in ("retry-after", "x-should-retry", "x-request-id")] == ["7", "false", "r"]
    assert "truncation" in got.headers["diglot-losses"]
    assert len(upstream.asked) == 1
    assert [(record.status, record.outcome) for record in records] == [(429, "refused")]


def _refusing(asked: Asked) -> Steps:
    if "max_tokens" in asked.body or "max_completion_tokens" not in asked.body:
        return answer(COMPLETION)
    message = (
        "Unsupported parameter: 'max_completion_tokens' is not supported with this model. Use 'max_tokens' instead."
    )
    return answer(
        {"error": {"message": message, "type": "invalid_request_error", "param": "max_completion_tokens"}}, 400
    )


def test_a_refusal_teaches_once(talk: Talk, upstream: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    """The request is sent again in other words, and later ones are right at once."""
    client = talk(profile="openai")
    upstream.script = _refusing
    for _ in range(2):
        got = client.post(
            f"{upstream.url}/v1/responses", {**HI, "max_output_tokens": 9}, headers={"idempotency-key": "i"}
        )
        assert got.status_code == 200
    assert ["max_tokens" in asked.body for asked in upstream.asked] == [False, True, True]
    assert ["idempotency-key" in asked.headers for asked in upstream.asked] == [True, False, True]
    assert [record.message for record in caplog.records if record.name == "diglot"] == [
        "The upstream refused a request; settings changed for this model from now on: renamed"
    ]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{", {"content-type": "application/json"}, 400, "invalid_json"),
        (b"[]", {"content-type": "application/json"}, 400, "invalid_json"),
        (b"{}", {"content-type": "text/plain"}, 415, "unsupported_content_type"),
        (b"{}", {"content-type": "application/json"}, 400, None),
    ],
)
def test_bad_requests(
    talk: Talk, upstream: ScriptedServer, content: bytes, headers: Any, status: int, code: Any
) -> None:
    """They get what a server would answer, and nothing is sent."""
    records: list[Record] = []
    client = talk(on_exchange=records.append)
    got = client.do(client.client.post(f"{upstream.url}/v1/responses", content=content, headers=headers))
    assert (got.status_code, got.headers["content-type"]) == (status, "application/json")
    assert got.json()["error"]["type"] == "invalid_request_error"
    assert code is None or got.json()["error"]["code"] == code
    assert upstream.asked == []
    assert [(record.status, record.outcome) for record in records] == [(status, "refused")]


def test_strict(talk: Talk, upstream: ScriptedServer) -> None:
    """A request that would lose something is refused, and the record says what."""
    records: list[Record] = []
    got = talk(strict=True, on_exchange=records.append).post(
        f"{upstream.url}/v1/responses", {**HI, "top_logprobs": 3, "prompt_cache_key": "k"}
    )
    assert got.status_code == 400
    assert upstream.asked == []
    assert records[0].losses


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_several_choices(talk: Talk, upstream: ScriptedServer, streamed: bool) -> None:
    """One request is sent for each."""
    records: list[Record] = []
    client = talk(upstream_api="responses", on_exchange=records.append)
    upstream.script = lambda asked: stream(*RESPONSE_STREAM) if streamed else answer(RESPONSE, x_request_id="r")
    got = client.post(f"{upstream.url}/v1/chat/completions", {**CHAT, "n": 3, "stream": streamed})
    assert got.headers["diglot-losses"].startswith('"n";kind=emulated')
    if streamed:
        said = [each["choices"][0] for each in events(got.text)]
        assert got.text.count("[DONE]") == 1
        texts = {choice["index"]: choice["delta"]["content"] for choice in said if choice["delta"].get("content")}
        assert texts == dict.fromkeys(range(3), "Hello")
    else:
        assert [choice["message"]["content"] for choice in got.json()["choices"]] == ["Hello"] * 3
    assert len(upstream.asked) == 3
    (record,) = records
    assert (record.outcome, record.usage["completion_tokens"]) == ("completed", 6)
    assert [loss.path for loss in record.losses] == ["n"]


def test_a_choice_that_is_refused(talk: Talk, upstream: ScriptedServer) -> None:
    """The client gets the error, however the others went."""
    replies: Iterator[list[bytes]] = iter([answer(RESPONSE), answer({"error": {"message": "No."}}, 500)])
    upstream.script = lambda asked: next(replies)
    records: list[Record] = []
    client = talk(upstream_api="responses", on_exchange=records.append)
    got = client.post(f"{upstream.url}/v1/chat/completions", {**CHAT, "n": 2})
    assert (got.status_code, got.json()["error"]["message"]) == (500, "No.")
    assert [(record.status, record.outcome) for record in records] == [(500, "refused")]


def test_a_choice_that_fails_in_its_stream(talk: Talk, upstream: ScriptedServer) -> None:
    """It fails the whole answer, and the others are not read any further."""
    failed = b'event: error\ndata: {"type":"error","code":"server_error","message":"Broken."}\n\n'
    upstream.script = lambda asked: [*stream(*RESPONSE_STREAM[:3], failed, end=False), 30.0]
    client = talk(upstream_api="responses")
    told = events(client.post(f"{upstream.url}/v1/chat/completions", {**CHAT, "n": 2, "stream": True}).text)
    assert "error" in told[-1]
    assert upstream.hung_up.wait(1)


def test_a_choice_whose_connection_breaks(talk: Talk, upstream: ScriptedServer) -> None:
    """The SDK gets the error of its package, not one of ours about several."""
    upstream.script = lambda asked: [None]
    client = talk(upstream_api="responses")
    with pytest.raises(client.package.RemoteProtocolError):
        client.post(f"{upstream.url}/v1/chat/completions", {**CHAT, "n": 2})


def test_an_answer_that_is_compressed(talk: Talk, upstream: ScriptedServer) -> None:
    """Although none was wanted."""
    upstream.script = lambda asked: answer(gzip.compress(json.dumps(COMPLETION).encode()), content_encoding="gzip")
    got = talk().post(f"{upstream.url}/v1/responses", HI)
    assert got.json()["output"][0]["content"][0]["text"] == "Hello"
    assert "content-encoding" not in got.headers


@pytest.mark.parametrize(("has_summary", "size"), [(True, 40_000), (False, 40_000), (True, 4)])
def test_a_summary_comes_first(talk: Talk, upstream: ScriptedServer, has_summary: bool, size: int) -> None:
    """A long history is summarized, if the client asks for it; without a summary, it stays."""
    long = [{"role": "user", "content": "word " * 5000}, {"role": "assistant", "content": "Yes."}]
    picture = {"type": "input_image", "image_url": "data:image/png;base64," + "QUJD" * size}
    body = {
        **HI,
        "input": [*long, {"role": "user", "content": [picture, {"type": "input_text", "text": "And now?"}]}],
        "context_management": [{"type": "compaction", "compact_threshold": 1000}],
    }
    wholes = iter(
        [
            answer(COMPLETION if has_summary else {"error": {"message": "No."}}, 200 if has_summary else 500),
            answer(COMPLETION),
        ]
    )
    upstream.script = lambda asked: next(wholes)
    got = talk().post(f"{upstream.url}/v1/responses", body)
    assert got.status_code == 200
    assert ("word word" in json.dumps(upstream.asked[1].body)) is not has_summary
    assert ("wrote no summary" in got.headers["diglot-losses"]) is not has_summary


def test_payloads_that_are_no_json(talk: Talk, upstream: ScriptedServer) -> None:
    """Large ones are sent as they came; if the upstream refuses them, it is said what is wrong with the request."""
    upstream.script = lambda asked: answer({"error": {"message": "Invalid JSON."}}, 400)
    content = (
        b'{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,%b\\q"}]}]}'
        % (b"QUJD" * 40_000)
    )
    client = talk()
    got = client.do(
        client.client.post(
            f"{upstream.url}/v1/responses", content=content, headers={"content-type": "application/json"}
        )
    )
    assert (got.status_code, got.json()["error"]["code"]) == (400, "invalid_json")


def test_large_requests_and_answers(talk: Talk, upstream: ScriptedServer) -> None:
    """Megabytes in both directions; a stream ends in large frames."""
    text = "x" * 2_000_000
    message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    client = talk()
    upstream.script = lambda asked: answer({**COMPLETION, "choices": [message]})
    for body in (HI, STREAMED):
        got = client.post(f"{upstream.url}/v1/responses", {**body, "input": text})
        assert text in got.text
    upstream.script = lambda asked: stream(chunk({"content": text}), *HELLO[2:])
    assert client.post(f"{upstream.url}/v1/responses", STREAMED).text.count(text) > 2


def test_nothing_that_users_wrote_is_logged(
    talk: Talk, upstream: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither bodies nor keys, at any level; httpx itself logs URLs."""
    caplog.set_level(logging.DEBUG, "diglot")
    caplog.set_level(logging.INFO, "httpx")

    def broken(record: Record) -> None:
        raise ValueError("of the caller")

    client = talk(on_exchange=broken)
    upstream.script = lambda asked: answer({"error": {"message": "secret text"}}, 500)
    client.post(
        f"{upstream.url}/v1/responses", {**HI, "input": "secret text"}, headers={"authorization": "Bearer secret"}
    )
    assert "secret" not in caplog.text
    assert "on_exchange raised" in caplog.text
