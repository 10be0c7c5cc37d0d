"""Golden files: one situation each, what goes in, what must come out, what is lost. `pytest --update` rewrites them.

    serve_responses/    a Responses client, a chat upstream
        request/  given: a Responses request                            expect: the chat request
        answer/   given: {"asked": request, "completion": chat answer}  expect: the Response object
        stream/   given: {"asked", "chunks" or "sse"}                   expect: the events
        error/    given: {"asked", "status", "body"}                    expect: {"status", "body"}, and what was learned

    serve_chat/         a chat client, a Responses upstream
        request/  given: a chat request                                 expect: the Responses request
        answer/   given: {"asked": request, "response": Response}       expect: the chat completion
        stream/   given: {"asked", "events" or "sse"}                   expect: the chunks
        error/    as above

Where translation is refused, `expect` is `{"error": {...}}`. `chunks` are sent as SSE data with `[DONE]` behind them
unless `"done": false`, `events` without unless `"done": true`; one that is a string is sent as it is. `profile` is a
preset's name, or settings with "preset" among them. `"back": true` in a request file: the other direction makes
`given` of `expect` again. Response objects in the events that are expected are shortened to what changes, chunks to
what is not the same in all of them.
"""

import copy
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from diglot.translator import Profile, ServeChat, ServeResponses, TranslationError, request

from chat_judges import added_up, chunks_of, comparable, judge_chunks, judge_completion
from golden_files import KEYS, load, pretty, profile_of, settle, sse
from judges import DONE, events_of, judge_answer, judge_chat, judge_stream
from responses_judges import judge_responses

GOLDEN = Path(__file__).parent / "golden"
BRIEF = ("id", "status", "error", "incomplete_details", "model", "output", "usage")
HEAD = ("id", "object", "created", "model")

Body = dict[str, Any]
Exchange = ServeResponses | ServeChat


class Direction(NamedTuple):
    serve: Callable[..., Exchange]
    back: Callable[..., Body]
    finished: str  # where the upstream's whole answer is in `given`
    judge_request: Callable[[Body, Body, Profile], None]
    judge_answer: Callable[[Body], Any]
    judge_stream: Callable[[list[bytes], Body], Any]
    judge_whole: Callable[[list[bytes], Body], None]  # frames, and the answer that was collected on the way
    brief: Callable[[list[bytes]], list[Any]]


def strictly(made: Body, asked: Body, profile: Profile) -> None:
    extras = profile.responses_extras | (asked.keys() if profile.responses_unknown == "pass" else set())
    judge_responses(made, asked, least_tokens=profile.min_output_tokens, extras=extras)


def last_snapshot(frames: list[bytes], answer: Body) -> None:
    last = next(e for e in reversed(events_of(frames)) if e != DONE)
    assert answer == last["response"]


def all_chunks(frames: list[bytes], answer: Body) -> None:
    said = [c for c in chunks_of(frames) if c != DONE and "error" not in c]
    if said:
        whole = added_up(said)
        assert comparable({k: v for k, v in answer.items() if whole.get(k) is not None}) == whole
    if "error" not in chunks_of(frames)[-2]:
        judge_completion(answer)


def brief_events(frames: list[bytes]) -> list[Any]:
    return [
        {**e, "response": {k: e["response"][k] for k in BRIEF}} if e != DONE and "response" in e else e
        for e in events_of(frames)
    ]


def brief_chunks(frames: list[bytes]) -> list[Any]:
    first, *others = chunks_of(frames)
    return [first] + [c if c == DONE else {k: v for k, v in c.items() if k not in HEAD} for c in others]


DIRECTIONS = {
    "serve_responses": Direction(
        ServeResponses,
        request.to_responses,
        "completion",
        lambda made, asked, profile: judge_chat(made),
        judge_answer,
        judge_stream,
        last_snapshot,
        brief_events,
    ),
    "serve_chat": Direction(
        ServeChat, request.to_chat, "response", strictly, judge_completion, judge_chunks, all_chunks, brief_chunks
    ),
}


def cases(kind: str) -> Any:
    files = sorted(GOLDEN.glob(f"*/{kind}/**/*.json"))
    ids = [f"{f.relative_to(GOLDEN).parts[0]}-{f.stem}" for f in files]
    return pytest.mark.parametrize("path", files, ids=ids)


def direction_of(path: Path) -> Direction:
    return DIRECTIONS[path.relative_to(GOLDEN).parts[0]]


@cases("request")
def test_request(path: Path, update: bool) -> None:
    case, direction = load(path), direction_of(path)
    profile = profile_of(case)
    outcome, losses = attempt(direction, lambda x: x.request, case, case["given"])
    if "error" not in outcome:
        direction.judge_request(outcome, case["given"], profile)
        if case.get("back"):
            assert direction.back(outcome, profile=profile) == case["given"]
    settle(path, case, outcome, losses, update)


@cases("answer")
def test_answer(path: Path, update: bool) -> None:
    case, direction = load(path), direction_of(path)
    finished = case["given"][direction.finished]
    outcome, losses = attempt(direction, lambda x: x.answer(finished), case, case["given"]["asked"])
    if "object" in outcome:
        direction.judge_answer(outcome)
    settle(path, case, outcome, losses, update)


@cases("stream")
def test_stream(path: Path, update: bool) -> None:
    case, direction = load(path), direction_of(path)
    asked, data = {**case["given"]["asked"], "stream": True}, sse(case["given"])
    outcome, losses = attempt(direction, lambda x: streamed(direction, x, [data]), case, asked)
    for size in (1, 7):
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        again = attempt(direction, lambda x, pieces=pieces: streamed(direction, x, pieces), case, asked)
        assert again == (outcome, losses)
    if isinstance(outcome, list):
        direction.judge_stream(outcome, asked)
        outcome = direction.brief(outcome)
    settle(path, case, outcome, losses, update)


@cases("error")
def test_error(path: Path, update: bool) -> None:
    case, direction = load(path), direction_of(path)
    body = case["given"]["body"]
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()

    def read(x: Exchange) -> Body:
        error = x.error(case["given"]["status"], raw)
        learned = x.learned(case["given"]["status"], raw)
        return {"status": error.status, "body": error.body(), **changed(learned)}

    def changed(learned: Profile | None) -> Body:
        if learned is None:
            return {}
        before, after = (msgspec.to_builtins(p) for p in (profile_of(case), learned))
        return {"learned": {k: in_order(v) for k, v in after.items() if in_order(v) != in_order(before[k])}}

    outcome, losses = attempt(direction, read, case, case["given"]["asked"])
    settle(path, case, outcome, losses, update)


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.json")), ids=lambda p: str(p.relative_to(GOLDEN)))
def test_every_file_says_what_it_is_about(path: Path) -> None:
    case = load(path)
    assert list(case) == [k for k in KEYS if k in case]
    assert case["about"].endswith(".")
    assert path.read_text() == pretty(case), "not in the form that --update writes"


# --- the harness -----------------------------------------------------------------------------------------------------


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update"))


def attempt(direction: Direction, verb: Any, case: Body, asked: Body) -> tuple[Any, list[Body]]:
    """What *verb* makes of the exchange, or the error; and the losses. The request must stay as it was."""
    before = copy.deepcopy(asked)
    count = itertools.count(1)
    x = None
    try:
        x = direction.serve(
            asked,
            profile=profile_of(case),
            strict=case.get("strict", False),
            new_id=lambda prefix: f"{prefix}_{next(count)}",
            clock=lambda: 1_700_000_000.0,
        )
        outcome = verb(x)
    except TranslationError as error:
        outcome = {**error.body(), "status_code": error.status}
    assert asked == before, "the input was modified"
    return outcome, [{"path": loss.path, "kind": loss.kind, "why": loss.why} for loss in (x.report if x else ())]


def streamed(direction: Direction, x: Exchange, pieces: list[bytes]) -> list[bytes]:
    """All frames of a stream; reading stops where the stream says that it ended."""
    s = x.stream()
    frames: list[bytes] = []
    for piece in pieces:
        frames += s.feed(piece)
        if s.ended:
            break
    frames += s.finish()
    assert s.ended
    direction.judge_whole(frames, s.answer)
    return frames


def in_order(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value
