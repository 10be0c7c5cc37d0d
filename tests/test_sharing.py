"""Results are the caller's: whatever is done to one changes no other translation, and nothing of the translator itself.

Every golden case is translated, every list and object of what came out is changed, and it is translated once more. What
a result may share is parts of the very body that it was made of.
"""

from __future__ import annotations

import copy
import importlib
import itertools
import json
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import diglot.translator
from diglot.translator import ChoiceMerger, Exchange, ServeChat, ServeCompact, ServeResponses, TranslationError, request
from diglot.translator.profiles import FrozenDict

from golden_files import load, profile_of

GOLDEN = Path(__file__).parent / "golden"
SERVING = {"serve_responses": (ServeResponses, request.to_chat), "serve_chat": (ServeChat, request.to_responses)}
FINISHED = {"serve_responses": "completion", "serve_chat": "response"}
Body = dict[str, Any]


def cases(kind: str) -> Any:
    files = sorted(GOLDEN.glob(f"*/{kind}/**/*.json"))
    return pytest.mark.parametrize("path", files, ids=[f"{f.relative_to(GOLDEN).parts[0]}-{f.stem}" for f in files])


def exchange(path: Path, case: Body, asked: Body) -> Exchange:
    count = itertools.count(1)
    serving, _ = SERVING[path.relative_to(GOLDEN).parts[0]]
    return serving(
        asked,
        profile=profile_of(case),
        new_id=lambda prefix: f"{prefix}_{next(count)}",
        clock=lambda: 1_700_000_000.0,
    )


def containers(value: Any) -> Iterator[Any]:
    """Every list and object in *value*, once for each place where it stands."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, (dict, list)):
            yield one
        if isinstance(one, (dict, list, tuple)):
            todo += one.values() if isinstance(one, dict) else one


def spoil(value: Any, but: frozenset[int] = frozenset()) -> None:
    """Change every list and object in *value*, but for those of these identities."""
    for one in [one for one in containers(value) if id(one) not in but and not isinstance(one, FrozenDict)]:
        if isinstance(one, dict):
            one["spoilt"] = True
            one.pop("type", None)
        else:
            one.append("spoilt")


def assert_spoiling_changes_nothing(run: Callable[[], Any]) -> None:
    """*run* translates copies of its input, and returns all that came out."""
    try:
        first = run()
    except TranslationError:
        return
    before = copy.deepcopy(first)
    spoil(first)
    assert run() == before


@cases("request")
def test_requests(path: Path) -> None:
    """The request that was made, and what was lost on the way."""
    case = load(path)

    def run() -> Any:
        x = exchange(path, case, copy.deepcopy(case["given"]))
        return x.request, list(x.report), x.echoed_values()

    assert_spoiling_changes_nothing(run)
    _, convert = SERVING[path.relative_to(GOLDEN).parts[0]]
    assert_spoiling_changes_nothing(lambda: convert(copy.deepcopy(case["given"]), profile=profile_of(case)))


@cases("answer")
def test_answers(path: Path) -> None:
    """Answers to one request, too: each is made anew."""
    case = load(path)
    given = case["given"]
    finished = given[FINISHED[path.relative_to(GOLDEN).parts[0]]]

    def run() -> Any:
        x = exchange(path, case, copy.deepcopy(given["asked"]))
        return x.answer(copy.deepcopy(finished)), list(x.report)

    assert_spoiling_changes_nothing(run)
    body = copy.deepcopy(given["asked"])
    x = exchange(path, case, body)
    try:
        first = x.answer(copy.deepcopy(finished))
    except TranslationError:
        return
    before = without_ids(first)
    spoil(first, but=frozenset(id(one) for one in containers(body)))
    assert without_ids(x.answer(copy.deepcopy(finished))) == before


def without_ids(answer: Body) -> Body:
    """Ids are handed out anew each time."""
    answer = json.loads(json.dumps(answer))
    for one in containers(answer):
        for name in ("id", "call_id", "encrypted_content"):
            if isinstance(one, dict):
                one.pop(name, None)
    return answer


@cases("stream")
def test_streams(path: Path) -> None:
    """Decoded events are apart from each other, and from the answer that they add up to."""
    case = load(path)
    given = case["given"]
    events = [event for event in given.get("chunks", given.get("events", [])) if isinstance(event, dict)]

    def run() -> Any:
        transducer = exchange(path, case, {**copy.deepcopy(given["asked"]), "stream": True}).transducer()  # pyright: ignore
        said = []
        for event in copy.deepcopy(events):
            said += [] if transducer.ended else transducer.feed(event)
        said += [] if transducer.ended else transducer.finish(clean=True)
        return said, transducer.answer

    assert_spoiling_changes_nothing(run)
    try:
        said, answer = run()
    except TranslationError:
        return
    seen: set[int] = set()
    for event in [*said, answer]:
        own = {id(one) for one in containers(event)}
        assert own.isdisjoint(seen), "an event shares an object with another one"
        seen |= own


@cases("stream")
def test_events_may_be_changed_while_the_stream_goes_on(path: Path) -> None:
    """What follows is what would have followed."""
    case = load(path)
    given = case["given"]
    events = [event for event in given.get("chunks", given.get("events", [])) if isinstance(event, dict)]

    def run(touch: Callable[[Any], Any]) -> Any:
        transducer = exchange(path, case, {**copy.deepcopy(given["asked"]), "stream": True}).transducer()  # pyright: ignore
        said = []
        for event in copy.deepcopy(events):
            new = [] if transducer.ended else transducer.feed(event)
            said += copy.deepcopy(new)
            touch(new)
        return said, transducer.answer

    try:
        plain = run(lambda events: None)
    except TranslationError:
        return
    assert run(spoil) == plain


def test_compaction() -> None:
    """The other kind of answer."""
    body = {"model": "m", "input": [{"role": "user", "content": [{"type": "input_text", "text": "Go"}]}]}
    completion = {"choices": [{"message": {"content": "All of it."}, "finish_reason": "stop"}]}

    def run() -> Any:
        x = ServeCompact(copy.deepcopy(body), new_id=lambda prefix: prefix, clock=lambda: 1.0)
        return x.request, x.answer(copy.deepcopy(completion)), list(x.report)

    assert_spoiling_changes_nothing(run)


def test_branches() -> None:
    """Choices that begin together are apart."""
    chunk = {"id": "c", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": "a"}}]}

    def run() -> Any:
        merger = ChoiceMerger(3)
        return merger.feed(0, copy.deepcopy(chunk)), merger.feed(1, copy.deepcopy(chunk))

    assert_spoiling_changes_nothing(run)
    begun, _ = run()
    assert len({id(one) for one in containers(begun)}) == len(list(containers(begun)))


def constants() -> str:
    """All that stands at the top of the translator's modules, in words."""
    found: Body = {}
    for module in pkgutil.walk_packages(diglot.translator.__path__, "diglot.translator."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, (dict, list, tuple)) and not name.startswith("__"):
                found[f"{module.name}.{name}"] = repr(value)
    return json.dumps(found, indent=1)


def test_declarations_are_copies() -> None:
    """The functions that stand in for built-in and free-form tools have schemas of their own."""
    before = constants()
    kinds = [{"type": "shell"}, {"type": "local_shell"}, {"type": "apply_patch"}, {"type": "custom", "name": "c"}]
    body = {"model": "m", "input": "Go", "tools": [*kinds, {"type": "tool_search", "execution": "client"}]}
    first = request.to_chat(copy.deepcopy(body))
    spoil(first)
    assert constants() == before
    one, other = request.to_chat(copy.deepcopy(body)), request.to_chat(copy.deepcopy(body))
    assert one == other
    assert {id(c) for c in containers(one)}.isdisjoint({id(c) for c in containers(other)})


def test_the_constants_are_as_they_were() -> None:
    """After everything above, in whatever order."""
    before = constants()
    for path in sorted(GOLDEN.glob("*/request/**/*.json")):
        case = load(path)
        try:
            x = exchange(path, case, copy.deepcopy(case["given"]))
        except TranslationError:
            continue
        spoil([x.request, list(x.report)])
    assert constants() == before
