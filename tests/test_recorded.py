"""What real servers answered and real clients sent, through the translator and before the judges."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diglot.translator import RequestError, ServeChat, ServeResponses, encode_json, preset

from chat_judges import judge_chunks, judge_completion
from judges import events_of, judge_answer, judge_chat, judge_stream
from responses_judges import judge_responses

DATA = Path(__file__).parent / "data"
ASKED = {
    "model": "m",
    "input": "What is the weather in Paris?",
    "tools": [{"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}],
    "include": ["message.output_text.logprobs"],
    "stream": True,
}

ENDS = {  # how each recorded stream and answer ends, where it is not completed
    "aimock/fault_cut.sse": "failed",
    "llama-server/fault_sigkill.sse": "failed",
    "llama-server/err_model_stream.sse": "incomplete",  # the limit of tokens cut all of these
    "llama-server/length.json": "incomplete",
    "llama-server/length_mct_stream.sse": "incomplete",
    "llama-server/length_stream.sse": "incomplete",
    "llama-server/tool_required_stream.sse": "incomplete",
    "transformers-serve/err_context_stream.sse": "incomplete",
    "transformers-serve/length.json": "incomplete",
    "transformers-serve/length_mct_stream.sse": "incomplete",
    "transformers-serve/length_stream.sse": "incomplete",
}
CHAT_ASKED = {
    "model": "m",
    "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
    "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
TEXTS = {"reason": "Answer after thinking now.", "length": "word again and word again and"}
CHAT_ENDS = {  # how answers to `POST /v1/responses` end; the others stop
    "aimock/responses/length_stream.sse": "length",  # two of the three servers do not say that they cut
    "aimock/responses/tool.json": "tool_calls",
    "aimock/responses/tool_stream.sse": "tool_calls",
    "llama-server/responses/tool.json": "tool_calls",
    "llama-server/responses/tool_stream.sse": "tool_calls",
    "transformers-serve/responses/tool.sse": "tool_calls",
    "transformers-serve/responses/tool_stream.sse": "tool_calls",
}
UNEQUAL = {"transformers-serve/length_stream.sse", "transformers-serve/reason_stream.sse"}  # it strips whole answers

REFUSED = {  # client requests that need stored state
    "agents-py/responses-previous-response-id.2": "previous_response_id",
    "openai-js/responses-tool-previous-response-id.2": "previous_response_id",
    "openai-py/responses-tool-previous-response-id.2": "previous_response_id",
}


def files(pattern: str, base: Path) -> Any:
    found = sorted(base.glob(pattern))
    assert found
    return pytest.mark.parametrize("path", found, ids=[str(f.relative_to(base)) for f in found])


def pairs() -> Any:
    """The streams whose question was also answered in one piece."""
    found = [
        f for f in sorted((DATA / "servers").glob("*/*_stream.sse")) if whole(f).exists() and name(f) not in UNEQUAL
    ]
    assert found
    return pytest.mark.parametrize("path", found, ids=[name(f) for f in found])


def whole(path: Path) -> Path:
    return path.with_name(path.name.replace("_stream.sse", ".json"))


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def exchange() -> ServeResponses:
    count = itertools.count(1)
    return ServeResponses(ASKED, new_id=lambda prefix: f"{prefix}_{next(count)}", clock=lambda: 1_700_000_000.0)


def streamed(pieces: list[bytes]) -> list[bytes]:
    s = exchange().stream()
    frames = []
    for piece in pieces:
        frames += s.feed(piece)
        if s.ended:
            break
    return frames + s.finish()


def substance(answer: dict[str, Any]) -> list[Any]:
    """What an answer says, without its ids."""
    said = []
    for item in answer["output"]:
        if item["type"] == "function_call":
            said.append((item["name"], json.loads(item["arguments"])))
        else:
            said.append((item["type"], [part.get("text") for part in item["content"]]))
    return [answer["status"], *said]


@files("*/*.sse", DATA / "servers")
def test_streams_of_real_servers_end_right(path: Path) -> None:
    """Every recorded stream is taken by the official SDK and ends as it must."""
    events = judge_stream(streamed([path.read_bytes()]), ASKED)
    assert events[-1]["response"]["status"] == ENDS.get(name(path), "completed")


@settings(max_examples=8)
@given(sizes=st.lists(st.integers(1, 300), min_size=1))
@files("*/*.sse", DATA / "servers")
def test_streams_cut_anywhere_are_the_same(path: Path, sizes: list[int]) -> None:
    """However the network cuts a stream, its events are the same."""
    data, pieces, at = path.read_bytes(), [], 0
    for size in itertools.cycle(sizes):
        pieces.append(data[at : at + size])
        at += size
        if at >= len(data):
            break
    assert streamed(pieces) == streamed([data])


@files("*/*.json", DATA / "servers")
def test_answers_of_real_servers(path: Path) -> None:
    """Every recorded answer becomes a whole Response; every recorded error keeps its status and says something."""
    if path.stem.count("."):
        error = exchange().error(int(path.stem.split(".")[1]), path.read_bytes())
        assert error.status == int(path.stem.split(".")[1])
        assert error.message
        return
    answer = exchange().answer(json.loads(path.read_bytes()))
    judge_answer(answer)
    assert answer["status"] == ENDS.get(name(path), "completed")


@files("*/*.txt", DATA / "servers")
def test_errors_that_are_not_json(path: Path) -> None:
    """An error in plain text keeps its status."""
    assert exchange().error(500, path.read_bytes()).status == 500


@pairs()
def test_streamed_and_whole_answers_say_the_same(path: Path) -> None:
    """Where a server answered the same question both ways, both answers say the same."""
    last = events_of(streamed([path.read_bytes()]))[-1]["response"]
    assert substance(last) == substance(exchange().answer(json.loads(whole(path).read_bytes())))


@pytest.mark.parametrize("profile", ["default", "openai", "mytokengate"])
@files("*/*.json", DATA / "clients")
def test_requests_of_real_clients(path: Path, profile: str) -> None:
    """Every recorded client request becomes one that strict servers take; those that need state are refused."""
    body = json.loads(path.read_bytes())
    before = encode_json(body)
    ids = (f"id_{i}" for i in itertools.count())

    def convert() -> ServeResponses:
        return ServeResponses(body, profile=preset(profile), new_id=lambda prefix: next(ids), clock=lambda: 0.0)

    refused = REFUSED.get(f"{path.parent.name}/{path.stem}")
    if refused:
        with pytest.raises(RequestError) as raised:
            convert()
        assert raised.value.param == refused
    else:
        judge_chat(convert().chat)
    assert encode_json(body) == before


# --- a chat client, a Responses upstream ------------------------------------------------------------------------------


def chat_exchange(body: dict[str, Any] = CHAT_ASKED, profile: str = "default") -> ServeChat:
    count = itertools.count(1)
    return ServeChat(body, profile=preset(profile), new_id=lambda prefix: f"{prefix}_{next(count)}", clock=lambda: 1.0)


def chat_streamed(data: bytes, size: int) -> tuple[list[bytes], dict[str, Any]]:
    s = chat_exchange().stream()
    frames = []
    for at in range(0, len(data), size):
        frames += s.feed(data[at : at + size])
    frames += [] if s.ended else s.finish()
    return frames, s.answer


@files("*/responses/*.sse", DATA / "servers")
def test_responses_streams_of_real_servers_end_right(path: Path) -> None:
    """Every recorded stream becomes chunks that the official SDK takes, however it was cut, and ends as it must."""
    data, case = path.read_bytes(), str(path.relative_to(DATA / "servers"))
    frames, answer = chat_streamed(data, len(data))
    chunks = judge_chunks(frames, CHAT_ASKED)
    judge_completion(answer)
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == chunks[-2]["choices"][0]["finish_reason"] == CHAT_ENDS.get(case, "stop")
    assert answer["usage"] == chunks[-1]["usage"]
    for size in (1, 7):
        assert chat_streamed(data, size) == (frames, answer)
    kind = path.stem.removesuffix("_stream")
    if kind == "tool":
        (call,) = choice["message"]["tool_calls"]
        assert call["function"]["name"] == "get_weather"
        assert json.loads(call["function"]["arguments"]) == {"location": "Paris", "unit": "celsius"}
    elif kind in TEXTS:
        assert choice["message"]["content"].strip() == TEXTS[kind]


@files("*/responses/*.json", DATA / "servers")
def test_responses_of_real_servers(path: Path) -> None:
    """Every recorded Response becomes a completion; every recorded error keeps its status and says something."""
    if path.stem.count("."):
        error = chat_exchange().error(int(path.stem.split(".")[1]), path.read_bytes())
        assert error.status == int(path.stem.split(".")[1])
        assert error.message
        return
    answer = chat_exchange().answer(json.loads(path.read_bytes()))
    judge_completion(answer)
    expected = CHAT_ENDS.get(str(path.relative_to(DATA / "servers")), "stop")
    assert answer["choices"][0]["finish_reason"] == expected


@files("*/responses/*.sse", DATA / "servers")
def test_a_stream_and_its_last_event_say_the_same(path: Path) -> None:
    """The Response in the last event of a stream becomes the completion that the stream itself became."""
    data = path.read_bytes()
    last = json.loads(data.strip().rpartition(b"data: ")[2])["response"]
    whole, (_, answer) = chat_exchange().answer(last), chat_streamed(data, len(data))
    assert (whole["choices"], whole["usage"]) == (answer["choices"], answer["usage"])


@pytest.mark.parametrize("profile", ["default", "openai"])
@files("*/chat/*.json", DATA / "clients")
def test_chat_requests_of_real_clients(path: Path, profile: str) -> None:
    """Every recorded chat request becomes a Responses request that strict servers take."""
    body = json.loads(path.read_bytes())
    before = encode_json(body)
    judge_responses(chat_exchange(body, profile).request, body)
    assert encode_json(body) == before
