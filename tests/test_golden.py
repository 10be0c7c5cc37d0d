"""Golden files: one situation each, what goes in, what must come out, what is lost. `pytest --update` rewrites them.

    request/  given: a Responses request                            expect: the chat request
    answer/   given: {"asked": request, "completion": chat answer}  expect: the Response object
    stream/   given: {"asked", "chunks" or "sse"}                   expect: the events
    error/    given: {"asked", "status", "body"}                    expect: {"status", "body"}, and what was learned

Where translation is refused, `expect` is `{"error": {...}}`. `chunks` are sent as SSE data, with `[DONE]` behind them
unless `"done": false`; a chunk that is a string is sent as it is. `profile` is a preset's name, or settings with
"preset" among them. In the events of stream files, Response objects are shortened to what changes.
"""

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from diglot.translator import Profile, ServeResponses, TranslationError, preset

from judges import DONE, events_of, judge_answer, judge_chat, judge_stream

GOLDEN = Path(__file__).parent / "golden"
BRIEF = ("id", "status", "error", "incomplete_details", "model", "output", "usage")
WIDTH = 120


def cases(kind: str) -> Any:
    files = sorted((GOLDEN / kind).rglob("*.json"))
    return pytest.mark.parametrize("path", files, ids=[str(f.relative_to(GOLDEN / kind))[:-5] for f in files])


@cases("request")
def test_request(path: Path, update: bool) -> None:
    case = load(path)
    outcome, losses = attempt(lambda x: x.chat, case, case["given"])
    if "error" not in outcome:
        judge_chat(outcome)
    settle(path, case, outcome, losses, update)


@cases("answer")
def test_answer(path: Path, update: bool) -> None:
    case = load(path)
    outcome, losses = attempt(lambda x: x.answer(case["given"]["completion"]), case, case["given"]["asked"])
    if "status" in outcome:
        judge_answer(outcome)
    settle(path, case, outcome, losses, update)


@cases("stream")
def test_stream(path: Path, update: bool) -> None:
    case = load(path)
    asked, data = {**case["given"]["asked"], "stream": True}, sse(case["given"])
    outcome, losses = attempt(lambda x: streamed(x, [data]), case, asked)
    for size in (1, 7):
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        assert attempt(lambda x, pieces=pieces: streamed(x, pieces), case, asked) == (outcome, losses)
    if isinstance(outcome, list):
        judge_stream(outcome, asked)
        outcome = [brief(event) for event in events_of(outcome)]
    settle(path, case, outcome, losses, update)


@cases("error")
def test_error(path: Path, update: bool) -> None:
    case = load(path)
    body = case["given"]["body"]
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()

    def read(x: ServeResponses) -> dict[str, Any]:
        error = x.error(case["given"]["status"], raw)
        learned = x.learned(case["given"]["status"], raw)
        return {"status": error.status, "body": error.body(), **changed(x, learned)}

    def changed(x: ServeResponses, learned: Profile | None) -> dict[str, Any]:
        if learned is None:
            return {}
        before, after = (msgspec.to_builtins(p) for p in (profile_of(case), learned))
        return {"learned": {k: in_order(v) for k, v in after.items() if in_order(v) != in_order(before[k])}}

    outcome, losses = attempt(read, case, case["given"]["asked"])
    settle(path, case, outcome, losses, update)


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.json")), ids=lambda p: str(p.relative_to(GOLDEN)))
def test_every_file_says_what_it_is_about(path: Path) -> None:
    case = load(path)
    assert list(case) == [k for k in KEYS if k in case]
    assert case["about"].endswith(".")
    assert path.read_text() == pretty(case), "not in the form that --update writes"


# --- the harness -----------------------------------------------------------------------------------------------------

KEYS = ("about", "profile", "strict", "given", "expect", "losses", "back")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update"))


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def profile_of(case: dict[str, Any]) -> Profile:
    settings = case.get("profile", "default")
    if isinstance(settings, str):
        return preset(settings)
    named = msgspec.to_builtins(preset(settings.get("preset", "default")))
    return msgspec.convert(named | {k: v for k, v in settings.items() if k != "preset"}, Profile)


def attempt(verb: Any, case: dict[str, Any], asked: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    """What *verb* makes of the exchange, or the error; and the losses. The request must stay as it was."""
    before = copy.deepcopy(asked)
    count = itertools.count(1)
    x = None
    try:
        x = ServeResponses(
            asked,
            profile_of(case),
            strict=case.get("strict", False),
            new_id=lambda prefix: f"{prefix}_{next(count)}",
            clock=lambda: 1_700_000_000.0,
        )
        outcome = verb(x)
    except TranslationError as error:
        outcome = {**error.body(), "status_code": error.status}
    assert asked == before, "the input was modified"
    return outcome, [{"path": loss.path, "kind": loss.kind, "why": loss.why} for loss in (x.report if x else ())]


def streamed(x: ServeResponses, pieces: list[bytes]) -> list[bytes]:
    """All frames of a stream; reading stops where the stream says that it ended."""
    s = x.stream()
    frames: list[bytes] = []
    for piece in pieces:
        frames += s.feed(piece)
        if s.ended:
            break
    frames += s.finish()
    assert s.ended
    last = next(e for e in reversed(events_of(frames)) if e != DONE)
    assert s.answer == last["response"]
    return frames


def sse(given: dict[str, Any]) -> bytes:
    if "sse" in given:
        return given["sse"].encode()
    lines = [c if isinstance(c, str) else f"data: {json.dumps(c)}\n\n" for c in given["chunks"]]
    return "".join(lines + ["data: [DONE]\n\n"] * given.get("done", True)).encode()


def brief(event: Any) -> Any:
    if event == DONE or "response" not in event:
        return event
    return {**event, "response": {k: event["response"][k] for k in BRIEF}}


def settle(path: Path, case: dict[str, Any], outcome: Any, losses: list[dict[str, Any]], update: bool) -> None:
    if update:
        case = {**case, "expect": outcome, "losses": losses}
        path.write_text(pretty({k: case[k] for k in KEYS if k in case}))
        return
    assert "expect" in case, "no expectation yet: run pytest --update and review"
    assert (outcome, losses) == (case["expect"], case["losses"])


def in_order(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value


def pretty(value: Any) -> str:
    """JSON that people can read: what fits on a line stays on one."""
    return _pretty(value, 0) + "\n"


def _pretty(value: Any, depth: int) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    one_event = isinstance(value, dict) and isinstance(value.get("type"), str) and "sequence_number" in value
    if not value or not isinstance(value, (dict, list)) or (depth and len(flat) + 2 * depth < WIDTH) or one_event:
        return flat
    inner = "  " * (depth + 1)
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(k, ensure_ascii=False)}: {_pretty(v, depth + 1)}" for k, v in value.items()]
    else:
        lines = [inner + _pretty(v, depth + 1) for v in value]
    start, end = "{}" if isinstance(value, dict) else "[]"
    return start + "\n" + ",\n".join(lines) + "\n" + "  " * depth + end
