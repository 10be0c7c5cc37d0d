"""One file with lines of every shape in both dialects, and a folder with every kind of file, in both directions."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from diglot.adapters.migrate import Options, convert_line
from diglot.adapters.migrate.inputs import sources_of
from diglot.adapters.migrate.options import Dialect
from diglot.adapters.migrate.shapes import SHAPES, WHOLE_FILES, recognised
from diglot.adapters.migrate.streams import stream_dialect, text_of

from lines_of import entries, migrated, place

HI = {"role": "user", "content": "Hi"}
ITEM = {"type": "message", "role": "user", "content": "Hi"}
YO = {"role": "assistant", "content": "Yo"}
TOLD = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yo"}]}
TURN = {"type": "message", "role": "assistant", "content": "Yo"}
ASK: dict[Dialect, Any] = {"chat": {"model": "m", "messages": [HI]}, "responses": {"model": "m", "input": [ITEM]}}
SAY: dict[Dialect, Any] = {
    "chat": {
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": YO, "finish_reason": "stop"}],
    },
    "responses": {"object": "response", "model": "m", "status": "completed", "output": [TOLD]},
}
URL: dict[Dialect, str] = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 5, "model": "m"}
CHUNKS = [{**CHUNK, "choices": [{"index": 0, "delta": {"content": "Yo"}, "finish_reason": "stop"}]}]
DIALECTS: tuple[Dialect, ...] = ("chat", "responses")
Case = tuple[str, Any, dict[Dialect, list[Any]]]
"""A shape, a line of it, and what it becomes; where nothing is said, it stays as it is."""


def both_ways(shape: str, chat: Any, responses: Any) -> list[Case]:
    """Each line becomes the other one."""
    return [(shape, chat, {"responses": [responses]}), (shape, responses, {"chat": [chat]})]


def same(shape: str, line: Any) -> Case:
    """A line that is the same in both dialects."""
    return (shape, line, {})


def of_both(shape: str, made: Any) -> list[Case]:
    """The lines that a function makes for each dialect."""
    return both_ways(shape, made("chat"), made("responses"))


def batch_output(body: Any, status: int = 200) -> Any:
    return {"custom_id": "b", "response": {"status_code": status, "body": body}, "error": None}


def langsmith(dialect: Dialect) -> Any:
    conversation = {name: value for name, value in ASK[dialect].items() if name != "model"}
    settings = {"invocation_params": {"model": "m"}}
    return {"id": "r", "run_type": "llm", "inputs": conversation, "outputs": SAY[dialect], "extra": settings}


TWICE = {**SAY["chat"], "choices": [{**SAY["chat"]["choices"][0], "index": index} for index in range(2)]}
PREFERENCE = {
    "chat": {"input": {"messages": [HI]}, "preferred_output": [YO], "non_preferred_output": [YO]},
    "responses": {"input": {"input": [ITEM]}, "preferred_output": [TURN], "non_preferred_output": [TURN]},
}
CASES: list[Case] = [
    *of_both("batch", lambda way: {"custom_id": "1", "method": "POST", "url": URL[way], "body": ASK[way]}),
    same("batch", {"custom_id": "2", "method": "POST", "url": "/v1/embeddings", "body": {"model": "m", "input": "Hi"}}),
    *of_both("batch-output", lambda way: batch_output(SAY[way])),
    same("batch-output", batch_output({"error": {"message": "no"}}, 400)),
    same("batch-output", {"custom_id": "3", "response": None, "error": {"code": "batch_expired"}}),
    *both_ways(
        "litellm",
        {"call_type": "completion", "model": "m", "messages": [HI], "model_parameters": {}, "response": SAY["chat"]},
        {
            "call_type": "responses",
            "model": "m",
            "messages": [ITEM],
            "model_parameters": {},
            "response": SAY["responses"],
        },
    ),
    *both_ways(
        "langfuse",
        {"type": "GENERATION", "model": "m", "input": [HI], "output": YO},
        {"type": "GENERATION", "model": "m", "input": [ITEM], "output": [TOLD]},
    ),
    *of_both("langsmith", langsmith),
    *of_both(
        "helicone",
        lambda way: {
            "request_id": "h",
            "request_path": URL[way],
            "request_body": ASK[way],
            "response_body": SAY[way],
        },
    ),
    *of_both("pair", lambda way: {"request": ASK[way], "response": SAY[way]}),
    *of_both("pair", lambda way: {"request": ASK[way], "answer": SAY[way]}),
    *of_both("pair", lambda way: {"request": ASK[way], "completion": SAY[way]}),
    *of_both("fine-tuning", PREFERENCE.__getitem__),
    ("fine-tuning", {"messages": [HI, YO], "weight": 1}, {"responses": [{"input": [ITEM, TURN]}]}),
    ("fine-tuning", {"input": [ITEM], "output": [TOLD]}, {"chat": [{"messages": [HI, YO]}]}),
    (
        "conversations",
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}], "lang": "en"},
        {"chat": [{"lang": "en", "messages": [HI, YO]}], "responses": [{"lang": "en", "input": [ITEM, TURN]}]},
    ),
    *of_both("answer", SAY.__getitem__),
    ("answer", {"output": [TOLD], "status": "completed"}, {"chat": [{"choices": SAY["chat"]["choices"]}]}),
    same("answer", {"error": {"message": "no"}}),
    ("answer", TWICE, {"responses": [SAY["responses"], SAY["responses"]]}),
    ("answer", CHUNKS, {}),
    *of_both("request", ASK.__getitem__),
    (
        "request",
        {"model": "m", "instructions": "Be kind."},
        {"chat": [{"model": "m", "messages": [{"role": "developer", "content": "Be kind."}]}]},
    ),
    (
        "request",
        {"model": "m", "previous_response_id": "r", "instructions": "Be kind.", "input": "Hi"},
        {"chat": [{"model": "m", "messages": [{"role": "developer", "content": "Be kind."}, HI]}]},
    ),
]
WITHOUT_INPUT: list[Case] = [
    same("request", {"model": "m", "previous_response_id": "r"}),
    same("request", {"model": "m", "prompt": {"id": "p"}}),
]


def covers(made: Any, expected: Any) -> bool:
    """Whether everything that is expected is there; objects may have more."""
    if isinstance(expected, dict):
        return isinstance(made, dict) and all(name in made and covers(made[name], expected[name]) for name in expected)
    if isinstance(expected, list):
        return isinstance(made, list) and len(made) == len(expected) and all(map(covers, made, expected))
    return made == expected


@pytest.mark.parametrize("to", DIALECTS)
def test_one_file_with_all_shapes(tmp_path: Path, to: Dialect) -> None:
    """Each line is recognised by its fields, and becomes what it should; a line that has the dialect stays."""
    path, where = tmp_path / "in.jsonl", place(tmp_path)
    path.write_text("\n\n".join(json.dumps(line) for _, line, _ in CASES))
    outcome = migrated(path, where, Options(to=to), part_size=2_000)
    assert outcome.tally.bad == 0, where.bad.read_text()
    assert outcome.tally.shapes == {name: [case[0] for case in CASES].count(name) for name, _, _ in CASES}
    made: Iterator[Any] = iter(entries(where.path))
    for shape, line, becomes in CASES:
        for expected in becomes.get(to, [line]):
            each = next(made)
            if line is CHUNKS and to == "responses":
                assert covers(each[-1], {"type": "response.completed", "response": SAY["responses"]})
            else:
                assert covers(each, expected), (shape, line, each)
    assert next(made, None) is None
    assert {loss.kind for loss in outcome.tally.losses} <= {"dropped", "defaulted", "emulated", "approximated"}


def test_every_row_has_a_line() -> None:
    """All rows of the table are in the file, but those whose lines have nothing that Chat Completions could take."""
    found = {id(recognised(line, SHAPES, "auto")) for _, line, _ in [*CASES, *WITHOUT_INPUT]}
    assert [shape for shape in SHAPES if id(shape) not in found] == []


@pytest.mark.parametrize("to", DIALECTS)
def test_requests_without_input(tmp_path: Path, to: Dialect) -> None:
    """What they refer to is nowhere in a file: they are set aside, each with its reason, or stay as they are."""
    path, where = tmp_path / "in.jsonl", place(tmp_path)
    path.write_text("\n".join(json.dumps(line) for _, line, _ in WITHOUT_INPUT))
    migrated(path, where, Options(to=to))
    if to == "chat":
        assert [(bad["path"], json.loads(bad["line"])) for bad in entries(where.bad)] == [
            ("input", line) for _, line, _ in WITHOUT_INPUT
        ]
    else:
        assert entries(where.path) == [line for _, line, _ in WITHOUT_INPUT]


def recording(way: Dialect) -> dict[str, Any]:
    request = {"method": "POST", "uri": f"https://h{URL[way]}", "body": json.dumps(ASK[way]), "headers": {}}
    answer = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": json.dumps(SAY[way])}}
    return {"version": 1, "interactions": [{"request": request, "response": answer}]}


def archive(way: Dialect) -> dict[str, Any]:
    request = {"url": f"https://h{URL[way]}", "postData": {"text": json.dumps(ASK[way])}}
    answer = {"status": 200, "content": {"text": json.dumps(SAY[way])}}
    return {"log": {"entries": [{"request": request, "response": answer}]}}


@pytest.mark.parametrize("to", DIALECTS)
def test_a_folder_with_all_kinds_of_files(tmp_path: Path, to: Dialect) -> None:
    """Lines become parts, in the order of their files; recordings keep their names."""
    other: Dialect = "responses" if to == "chat" else "chat"
    folder, where = tmp_path / "in", place(tmp_path, "out/")
    folder.mkdir()
    events = json.loads(convert_line(json.dumps(CHUNKS), Options(to="responses")).data)
    streams = {"chat": text_of(CHUNKS, "chat"), "responses": text_of(events, "responses")}
    files = {
        "a.jsonl": json.dumps(ASK[other]).encode(),
        "b.jsonl.gz": gzip.compress(json.dumps(SAY[other]).encode()),
        "c.json": json.dumps([ASK[other], ASK[to]]).encode(),
        "d.yaml": yaml.safe_dump(recording(other)).encode(),
        "e.har": json.dumps(archive(other)).encode(),
        "f.sse": streams[other].encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    assert {source.kind for source in sources_of([str(folder)])} >= set(WHOLE_FILES)
    outcome = migrated(folder, where, Options(to=to))
    assert (outcome.tally.converted, outcome.tally.bad) == (7, 0)
    parts = [each for path in sorted(where.path.glob("*.jsonl")) for each in entries(path)]
    assert covers(parts, [ASK[to], SAY[to], ASK[to], ASK[to]])
    [interaction] = yaml.safe_load((where.path / "d.yaml").read_bytes())["interactions"]
    [entry] = json.loads((where.path / "e.har").read_bytes())["log"]["entries"]
    assert interaction["request"]["uri"] == entry["request"]["url"] == f"https://h{URL[to]}"
    for text in (interaction["request"]["body"], entry["request"]["postData"]["text"]):
        assert json.loads(text) == ASK[to]
    for text in (interaction["response"]["body"]["string"], entry["response"]["content"]["text"]):
        assert covers(json.loads(text), SAY[to])
    assert stream_dialect((where.path / "f.sse").read_text()) == to
