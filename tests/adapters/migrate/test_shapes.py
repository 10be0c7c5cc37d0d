"""The table of shapes."""

from typing import Any

import pytest

from diglot.adapters.migrate import LineError, Options, SettingError
from diglot.adapters.migrate.conversion import Conversion
from diglot.adapters.migrate.options import Dialect
from diglot.adapters.migrate.shapes import NAMES, SHAPES, candidates, converted, other_url, recognised

ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
SAY: dict[str, Any] = {"id": "c", "choices": [{"message": {"content": "Yo"}, "finish_reason": "stop"}]}
BATCH = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": ASK}
OUTPUT: dict[str, Any] = {"id": "b", "custom_id": "1", "response": {"status_code": 200, "body": SAY}, "error": None}
EXPIRED = {"id": "b", "custom_id": "1", "response": None, "error": {"code": "batch_expired"}}
FAILED = {"object": "response", "status": "failed", "error": {"code": "server_error", "message": "Oh"}, "output": []}


def shaped(line: dict[str, Any], to: Dialect = "responses", **settings: Any) -> tuple[str, list[Any]]:
    options = Options(to=to, **settings)
    shape = recognised(line, candidates(options), options.shape)
    return shape.name, converted(line, shape, Conversion(options, lambda prefix: f"{prefix}_1", 0.0))


def test_names() -> None:
    """Each shape is described by its first row."""
    described: dict[str, str] = {}
    for shape in SHAPES:
        described.setdefault(shape.name, shape.about)
    assert all(described.values())
    assert set(described) < set(NAMES)


def test_batch() -> None:
    """The URL changes with the body, there and back."""
    name, [there] = shaped(BATCH)
    assert (name, there["url"], there["body"]["input"][0]["content"]) == ("batch", "/v1/responses", "Hi")
    assert shaped(there, "chat")[1] == [BATCH]


def test_batch_of_another_endpoint() -> None:
    """It stays as it is."""
    line = {**BATCH, "url": "/v1/embeddings", "body": {"model": "m", "input": "Hi"}}
    assert shaped(line) == ("batch", [line])


def test_batch_output() -> None:
    """The answer changes; choices have ids of their own."""
    name, [line] = shaped(OUTPUT)
    assert (name, line["response"]["status_code"], line["response"]["body"]["object"]) == (
        "batch-output",
        200,
        "response",
    )
    both = {**OUTPUT, "response": {"status_code": 200, "body": {**SAY, "choices": SAY["choices"] * 2}}}
    assert [line["custom_id"] for line in shaped(both)[1]] == ["1", "1-choice-1"]


def test_failed_lines_stay_failed() -> None:
    """Lines with an error are not touched, and an answer that failed becomes one."""
    refused = {**OUTPUT, "response": {"status_code": 400, "body": {"error": {"message": "no"}}}}
    assert shaped(refused) == ("batch-output", [refused])
    assert shaped(EXPIRED) == ("batch-output", [EXPIRED])
    _, [line] = shaped({**OUTPUT, "response": {"status_code": 200, "body": FAILED}}, "chat")
    assert (line["response"]["status_code"], line["response"]["body"]["error"]["message"]) == (500, "Oh")


@pytest.mark.parametrize("place", ["response", "answer", "completion"])
def test_pair(place: str) -> None:
    """The answer repeats its request."""
    name, [line] = shaped({"request": {**ASK, "temperature": 0.5}, place: SAY})
    assert (name, line[place]["temperature"]) == ("pair", 0.5)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (ASK, "request"),
        ({"model": "m", "input": "Hi"}, "request"),
        ({"model": "m", "instructions": "Hi"}, "request"),
        ({"model": "m", "previous_response_id": "r", "input": "Hi"}, "request"),
        (SAY, "answer"),
        (FAILED, "answer"),
        ({"status": "completed", "output": []}, "answer"),
        ({"error": {"message": "no"}}, "answer"),
    ],
)
def test_bodies(line: dict[str, Any], name: str) -> None:
    """Requests and answers are lines themselves."""
    assert shaped(line)[0] == name


def test_another_log() -> None:
    """Two paths describe it; texts stay texts."""
    line = {"log": {"asked": ASK, "got": SAY}, "n": 1}
    name, [made] = shaped(line, request="log.asked", answer="log.got")
    assert (name, made["log"]["got"]["status"], made["n"]) == ("custom", "completed", 1)
    _, [made] = shaped({"a": '{"messages": [{"role": "user", "content": "Hi"}]}'}, request="a")
    assert made == {"a": '{"input":[{"type":"message","role":"user","content":"Hi"}]}'}


def test_unknown_lines() -> None:
    """The error has the names of the fields, no values."""
    with pytest.raises(LineError, match="no known shape; its fields are: a, b"):
        shaped({"a": "secret", "b": 1})
    with pytest.raises(LineError, match="fields are: none"):
        shaped({})
    with pytest.raises(LineError, match="does not have the shape 'batch'"):
        shaped(ASK, shape="batch")


def test_unknown_shapes() -> None:
    """The error has all names."""
    with pytest.raises(SettingError, match="no shape 'x'; the shapes are: batch, "):
        candidates(Options(to="chat", shape="x"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/v1/chat/completions", "/v1/responses"),
        ("https://h/v1/chat/completions/?a=b", "https://h/v1/responses?a=b"),
        ("/v1/embeddings", "/v1/embeddings"),
        ("/v1/responses", "/v1/responses"),
    ],
)
def test_urls(url: str, expected: str) -> None:
    """Only the path of the other API is replaced."""
    assert other_url(url, "responses") == expected
