"""Recordings of HTTP; cassettes as vcrpy writes them, archives as browsers do."""

import base64
import gzip
import json
import sys
from typing import Any

import pytest
import yaml
import zstandard

from diglot.adapters.migrate import LineError, Options, SettingError
from diglot.adapters.migrate.recordings import convert_file

TO_RESPONSES = Options(to="responses")
ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "seed": 1}
SAY: dict[str, Any] = {"id": "c", "model": "m", "choices": [{"message": {"content": "Yo"}, "finish_reason": "stop"}]}
STREAM = 'data: {"choices":[{"delta":{"content":"Yo"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
URL = "https://api.openai.com/v1/chat/completions"


def cassette(
    answer: Any, *, url: str = URL, status: int = 200, headers: Any = None, request: Any = None
) -> dict[str, Any]:
    sent = {
        "method": "POST",
        "uri": url,
        "body": json.dumps(ASK) if request is None else request,
        "headers": {"Accept": ["*/*"]},
    }
    return {
        "version": 1,
        "interactions": [
            {
                "request": sent,
                "response": {"status": {"code": status, "message": "OK"}, "headers": headers, "body": answer},
            }
        ],
    }


def played(recorded: dict[str, Any], **settings: Any) -> tuple[dict[str, Any], Any]:
    data = yaml.safe_dump(recorded).encode()
    made = convert_file(data, "vcr", Options(to="responses", **settings))
    assert made == convert_file(data, "vcr", Options(to="responses", **settings))
    return yaml.safe_load(made.data)["interactions"][0], made


def test_cassettes() -> None:
    """The URL, both bodies and the headers of their lengths change."""
    answer = {"string": json.dumps(SAY)}
    interaction, made = played(cassette(answer, headers={"Content-Length": ["9"], "X-Request-Id": ["r"]}))
    assert interaction["request"]["uri"] == "https://api.openai.com/v1/responses"
    assert json.loads(interaction["request"]["body"])["input"][0]["content"] == "Hi"
    assert json.loads(interaction["response"]["body"]["string"])["status"] == "completed"
    assert interaction["response"]["headers"] == {"X-Request-Id": ["r"]}
    assert (made.shape, made.model, [loss.path for loss in made.losses]) == ("vcr", "m", ["seed"])


def test_several_choices() -> None:
    """An exchange has room for one answer; that others are left out is reported, of streams as well."""
    choices = [{**SAY["choices"][0], "index": index} for index in range(2)]
    for answer in (json.dumps({**SAY, "choices": choices}), STREAM + STREAM.replace('{"delta', '{"index": 1, "delta')):
        _, made = played(cassette({"string": answer.replace("data: [DONE]\n\n", "", 1)}))
        assert ("choices", "dropped") in [loss[:2] for loss in made.losses]


@pytest.mark.parametrize(
    ("encoding", "compressed"),
    [("gzip", gzip.compress), ("zstd", zstandard.compress), ("identity", bytes), ("", bytes)],
)
def test_compressed_bodies(encoding: str, compressed: Any) -> None:
    """They are read, and written as texts."""
    interaction, _ = played(cassette({"string": compressed(STREAM.encode())}, headers={"content-encoding": encoding}))
    assert "event: response.completed" in interaction["response"]["body"]["string"]
    assert interaction["response"]["headers"] == {}


@pytest.mark.parametrize("encoding", ["br", "gzip", "zstd", "deflate"])
def test_bodies_that_cannot_be_read(encoding: str) -> None:
    """The file is set aside."""
    with pytest.raises(LineError, match="compressed"):
        played(cassette({"string": b"\x00\x01"}, headers={"content-encoding": [encoding]}))


def test_other_hosts_are_not_touched() -> None:
    """Nor are answers that failed, or have no body."""
    other = cassette({"string": "hello"}, url="https://example.com/other", request="x")
    interaction, made = played(other)
    assert (interaction, made.model) == (other["interactions"][0], "")
    failed = cassette("no", status=500)
    failed["interactions"][0]["response"]["status"] = 500
    interaction, _ = played(failed)
    assert interaction["response"] == failed["interactions"][0]["response"]
    interaction, _ = played(cassette(None, request=""))
    assert interaction["request"]["uri"].endswith("/responses")


def test_cassettes_of_json() -> None:
    """They stay JSON."""
    made = convert_file(json.dumps(cassette({"string": json.dumps(SAY)})).encode(), "vcr", TO_RESPONSES)
    assert json.loads(made.data)["interactions"][0]["request"]["uri"].endswith("/responses")


def archive(content: dict[str, Any]) -> bytes:
    entry = {
        "startedDateTime": "2024-01-01T00:00:00Z",
        "request": {
            "method": "POST",
            "url": URL,
            "postData": {"mimeType": "application/json", "text": json.dumps(ASK)},
        },
        "response": {"status": 200, "content": content},
    }
    return json.dumps({"log": {"entries": [entry]}}).encode()


@pytest.mark.parametrize("is_encoded", [True, False])
def test_archives(is_encoded: bool) -> None:
    """Bodies are texts, or base64; the time is that of the entry."""
    text = json.dumps(SAY)
    content = {"mimeType": "application/json", "text": text}
    if is_encoded:
        content.update(text=base64.b64encode(text.encode()).decode(), encoding="base64")
    made = convert_file(archive(content), "har", TO_RESPONSES)
    (entry,) = json.loads(made.data)["log"]["entries"]
    assert entry["request"]["url"].endswith("/v1/responses")
    assert entry["request"]["bodySize"] == len(entry["request"]["postData"]["text"])
    assert json.loads(entry["response"]["content"]["text"])["created_at"] == 1704067200
    assert "encoding" not in entry["response"]["content"]


def test_streams() -> None:
    """A bare stream becomes one."""
    made = convert_file(STREAM.encode(), "sse", TO_RESPONSES)
    assert made.data.startswith(b"event: response.created")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"hello", "sse"),
        (b"{", "har"),
        (b"{}", "har"),
        (b"[1]", "har"),
        (b"a: [", "vcr"),
        (b"a: 1", "vcr"),
        (b"interactions: [5]", "vcr"),
        (archive({"text": "?", "encoding": "base64"}), "har"),
        (archive({"text": "no answer"}), "har"),
        (archive({"text": '{"choices": 5}'}), "har"),
        (archive({"text": json.dumps(SAY)}).replace(b'"status": 200', b'"status": "abc"'), "har"),
        (json.dumps(cassette({"string": json.dumps(SAY)})).replace("200", '"abc"').encode(), "vcr"),
        (b"interactions: []\nx: " + b"[" * 500 + b"]" * 500, "vcr"),
    ],
)
def test_what_is_no_recording(data: bytes, kind: str) -> None:
    """The error is that of a line."""
    with pytest.raises(LineError):
        convert_file(data, kind, TO_RESPONSES)


def test_strict() -> None:
    """A recording that would lose something is refused."""
    with pytest.raises(LineError, match="'seed' cannot be carried over") as caught:
        played(cassette({"string": json.dumps(SAY)}), strict=True)
    assert caught.value.losses


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the command that installs it."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(SettingError, match=r"pip install 'diglot\[migrate\]'"):
        convert_file(b"a: 1", "vcr", TO_RESPONSES)
