"""Lines, as bytes."""

import json
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter

from diglot import TranslationError, chat_answer, chat_request, responses_answer, responses_request
from diglot.adapters.migrate import Converted, LineError, Options, SettingError, convert_line, convert_lines
from diglot.adapters.migrate.conversion import kind_of
from diglot.adapters.migrate.ids import LineIds
from diglot.adapters.migrate.lines import _ANOTHER as _REPLACED

from golden_files import load, profile_of

GOLDEN = Path(__file__).parents[2] / "golden"
ASK = b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"seed":7}'
TO_RESPONSES = Options(to="responses")


def golden_requests() -> list[Any]:
    found = [(path, load(path)) for path in sorted(GOLDEN.glob("*/request/**/*.json"))]
    kept = [(path, case) for path, case in found if "error" not in case["expect"] and not case.get("strict")]
    assert len(kept) > 300
    return [pytest.param(path, case, id=f"{path.parts[-3]}-{path.stem}") for path, case in kept]


@pytest.mark.parametrize(("path", "case"), golden_requests())
def test_golden_requests(path: Path, case: dict[str, Any]) -> None:
    """A request becomes what the converter makes of it, and loses the same."""
    is_chat = "serve_chat" in path.parts
    profile = profile_of(case).replace(name="golden")
    try:
        expected, losses = (responses_request if is_chat else chat_request)(case["given"], profile=profile)
    except TranslationError:
        return  # what only a live exchange can do
    options = Options(to="responses" if is_chat else "chat", profile=profile, request="line")
    made = convert_line(json.dumps({"line": case["given"]}), options)
    found = json.loads(made.data)["line"]
    if case["given"].get("store") is None:
        expected.pop("store", None)
    if set(case["given"]) & {"messages", "choices"} and not is_chat:
        return  # a mixture is of the dialect that it looks like
    if "messages" not in case["given"] and is_chat:
        return
    assert (found, made.losses) == (json.loads(json.dumps(expected)), losses)


def test_the_same_line_gives_the_same_bytes() -> None:
    """Today and tomorrow; a line with another id gives other ids."""
    line = {"id": "c", "created": 5, "choices": [{"message": {"content": "Yo"}, "finish_reason": "stop"}]}
    one, same = (convert_line(json.dumps(line), TO_RESPONSES) for _ in range(2))
    other = convert_line(json.dumps({**line, "id": "d"}), TO_RESPONSES)
    assert one == same
    assert json.loads(one.data)["id"] != json.loads(other.data)["id"]
    assert json.loads(one.data)["created_at"] == 5


def test_what_is_not_quite_json() -> None:
    """What servers write is read; what was replaced is reported."""
    made = convert_line(b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}', TO_RESPONSES)
    assert (json.loads(made.data)["input"][0]["content"], made.losses[0].kind) == ("\ufffd", "approximated")
    made = convert_line('{"model":"m","messages":[{"role":"user","content":"\ud800"}]}', TO_RESPONSES)
    assert made.losses


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"\0\0\0", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"[" * 100_000, "not JSON"),
        (b'{"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not JSON"),
        (b"{}", "no known shape"),
        (b'{"model":"m","messages":5}', "array"),
    ],
)
def test_bad_lines(line: bytes, words: str) -> None:
    """Each has an error that says why."""
    with pytest.raises(LineError, match=words):
        convert_line(line, TO_RESPONSES)


def test_paths_of_errors() -> None:
    """They are in the line's own dialect."""
    with pytest.raises(LineError) as caught:
        convert_line(b'{"model":"m","messages":[{"role":"x","content":""}]}', TO_RESPONSES)
    assert caught.value.path == "messages[0].role"


def test_strict() -> None:
    """A line that would lose something is refused, with all that it would lose."""
    with pytest.raises(LineError, match="'seed' cannot be carried over") as caught:
        convert_line(ASK, Options(to="responses", strict=True))
    assert [loss.path for loss in caught.value.losses] == ["seed"]
    assert convert_line(ASK, Options(to="chat", strict=True)).data == ASK


@pytest.mark.parametrize(("error", "words"), [(RecursionError(), "too deeply"), (KeyError("x"), "KeyError: 'x'")])
def test_mistakes_of_ours(monkeypatch: pytest.MonkeyPatch, error: Exception, words: str) -> None:
    """They cost one line."""

    def fail(*arguments: Any) -> Any:
        raise error

    monkeypatch.setattr("diglot.adapters.migrate.shapes.converted", fail)
    with pytest.raises(LineError, match=words):
        convert_line(ASK, TO_RESPONSES)


def test_several_lines() -> None:
    """Errors are in their places, and blank lines are left out."""
    made = list(convert_lines([ASK, b" \r\n", b"x", ASK.decode()], TO_RESPONSES))
    assert [type(each) for each in made] == [Converted, LineError, Converted]


def test_wrong_options() -> None:
    """An unknown shape is no error of a line."""
    with pytest.raises(SettingError):
        convert_line(ASK, Options(to="chat", shape="x"))


def golden_answers() -> list[Any]:
    found = [(path, load(path)) for path in sorted(GOLDEN.glob("*/answer/**/*.json"))]
    kept = [(path, case) for path, case in found if isinstance(case["expect"], dict) and "error" not in case["expect"]]
    assert len(kept) > 100
    return [pytest.param(path, case, id=f"{path.parts[-3]}-{path.stem}") for path, case in kept]


@pytest.mark.parametrize(("path", "case"), golden_answers())
def test_golden_answers(path: Path, case: dict[str, Any]) -> None:
    """An answer becomes what the converter makes of it, and loses the same."""
    is_chat = "serve_chat" in path.parts
    answer = case["given"]["response" if is_chat else "completion"]
    profile = profile_of(case).replace(name="golden")
    options = Options(to="chat" if is_chat else "responses", profile=profile, answer="line")
    if not isinstance(answer, dict) or kind_of(answer) != ("responses" if is_chat else "chat", "answer"):
        return  # nobody could tell what it is
    choices = answer.get("choices")
    if isinstance(choices, list) and len(choices) > 1:
        return  # each becomes a line
    ids = LineIds("1")
    expected, losses = (chat_answer if is_chat else responses_answer)(
        answer, profile=profile, new_id=ids, clock=lambda: 0.0
    )
    made = convert_line(json.dumps({"id": "1", "line": answer}), options)
    assert json.loads(made.data)["line"] == json.loads(json.dumps(expected))
    assert [loss for loss in made.losses if loss.why != _REPLACED] == losses


def test_the_official_types_accept_what_comes_out() -> None:
    """Batches there and back: the SDK reads each body and each answer."""
    ask = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5}
    batch = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": ask}
    say = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
    choice = {"index": 0, "message": {"role": "assistant", "content": "Yo"}, "finish_reason": "stop", "logprobs": None}
    output = {"id": "b", "custom_id": "1", "response": {"status_code": 200, "body": {**say, "choices": [choice]}}}
    there = json.loads(convert_line(json.dumps(batch), TO_RESPONSES).data)
    TypeAdapter(ResponseCreateParamsNonStreaming).validate_python(there["body"])
    assert json.loads(convert_line(json.dumps(there), Options(to="chat")).data) == batch
    finished = json.loads(convert_line(json.dumps(output), TO_RESPONSES).data)
    Response.model_validate(finished["response"]["body"], strict=True)
    back = json.loads(convert_line(json.dumps(finished), Options(to="chat")).data)
    ChatCompletion.model_validate(back["response"]["body"], strict=True)
    assert back["response"]["body"]["choices"][0]["message"]["content"] == "Yo"
