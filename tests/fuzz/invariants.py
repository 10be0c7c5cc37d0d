"""What must hold for every case, whatever is fed. Each raises AssertionError; its name is that of the finding."""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from time import thread_time
from typing import Any, NamedTuple

import diglot.translator
from diglot.translator import Body, Report, TranslationError, decode_json, encode_json

import chat_judges
import judges

LEAST_TIME, TIME_PER_BYTE = 0.1, 20e-6
"""Seconds that anything may take, and as many more for each byte: more than ten times what the slowest inputs need."""


class Streamed(NamedTuple):
    """What a stream became."""

    frames: list[bytes]
    answer: Any
    error: dict[str, Any] | None
    losses: list[tuple[str, str, str]]
    ended: bool


INVARIANTS: dict[str, str] = {}
"""The name of each invariant, and what it says."""


def invariant(check: Callable[..., Any]) -> Callable[..., Any]:
    """Name a check: what is wrong is told with its name."""
    name = check.__name__.strip("_")
    INVARIANTS[name] = (check.__doc__ or "").strip().split("\n\n")[0].replace("\n   ", "")

    @functools.wraps(check)
    def named(*args: Any, **more: Any) -> Any:
        try:
            return check(*args, **more)
        except Broken:
            raise
        except Exception as error:
            raise Broken(name, error) from error

    return named


class Broken(AssertionError):
    """An invariant does not hold; the cause says where."""

    def __init__(self, name: str, error: BaseException) -> None:
        super().__init__(f"{name}: {type(error).__name__}: {str(error)[:600]}")
        self.name = name


@invariant
def texts_are_values_or_value_errors(data: bytes) -> Any:
    """A text becomes a JSON value, or raises ValueError; returns NOT_JSON for that."""
    try:
        return decode_json(data)
    except ValueError:
        return NOT_JSON


NOT_JSON = object()


# --- errors


@invariant
def only_our_own_errors(run: Callable[[], Any]) -> tuple[Any, TranslationError | None]:
    """Nothing is raised that is not of our own tree. Returns the result, or the error."""
    try:
        return run(), None
    except TranslationError as error:
        return None, error


@invariant
def errors_can_be_told(error: TranslationError, client: bool) -> None:
    """An error is JSON in OpenAI's envelope, with words in it; *client*: it blames the request, with a 4xx."""
    body = decode_json(encode_json(error.body()))
    chat_judges.judge_error(body)
    assert isinstance(body["error"]["message"], str)
    assert all(
        body["error"][name] is None or isinstance(body["error"][name], str) for name in ("param", "code", "type")
    )
    assert 400 <= error.status < (500 if client else 600)


# --- values


@invariant
def inputs_are_unchanged(before: bytes, value: Any) -> None:
    """What was handed in is as it was."""
    assert encode_json(value) == before


@invariant
def constants_are_unchanged() -> None:
    """The translator's own tables are as they were."""
    for module in pkgutil.walk_packages(diglot.translator.__path__, "diglot.translator."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, (dict, list, tuple)) and not name.startswith("__"):
                before = _CONSTANTS.setdefault(f"{module.name}.{name}", repr(value))
                assert before == repr(value), f"{module.name}.{name} changed"


_CONSTANTS: dict[str, str] = {}


@invariant
def results_encode(value: Any) -> None:
    """What comes out is JSON, strictly: no NaN, no lone surrogates, and text keys only."""
    encoded = encode_json(value)
    assert json.loads(encoded) == json.loads(json.dumps(value, allow_nan=False))
    encoded.decode()


@invariant
def losses_can_be_told(report: Report) -> None:
    """Losses are JSON; as a header they are short and printable; places for logs are names and no more."""
    encode_json(list(report))
    header = report.header().encode("ascii")
    assert len(header) <= 1024
    assert all(32 <= byte < 127 for byte in header)
    assert all(len(loss.place) <= 122 and loss.place.isprintable() for loss in report)
    assert all(loss.why and loss.kind in ("dropped", "approximated", "emulated", "defaulted") for loss in report)


# --- requests


@invariant
def fields_arrive_or_are_reported(given: dict[str, Any], made: Any, report: Report, ways: dict[str, Any]) -> None:
    """Each field of a request is in what was made of it, or in the losses, or says nothing.

    *ways*: for each field, the values that say nothing, or None where the field becomes another one by code; and the
    name that it has in what is made.
    """
    reported = {loss.path.split(".")[0].split("[")[0] for loss in report}
    for name, value in given.items():
        says_nothing, other = ways.get(name, ((None,), name))
        if (
            not {name, other}.isdisjoint(made)
            or name in reported
            or any(_same(value, given.get(twin)) for twin in _LIMITS & reported if name in _LIMITS)
            or says_nothing is None
            or any(_same(value, x) for x in says_nothing)
        ):
            continue
        assert value in ("", [], [""]) or isinstance(value, dict), f"{name} is gone"


_LIMITS = {"max_tokens", "max_completion_tokens", "max_output_tokens"}
"""Names of one thing: a limit under two of them is reported once."""


def _same(value: Any, other: Any) -> bool:
    return value == other and isinstance(value, bool) == isinstance(other, bool)


@invariant
def bytes_are_bodies(sent: bytes, made: dict[str, Any]) -> None:
    """The request that goes out from bytes is the one that is made of the decoded body."""
    assert decode_json(sent) == decode_json(encode_json(made))


# --- streams


@invariant
def streams_end_once(streamed: Streamed) -> None:
    """A stream ends exactly once, or never begins and is an error; what comes behind the end changes nothing."""
    assert streamed.ended or streamed.error is not None
    assert not (streamed.frames and streamed.error), "an error is raised after frames went out"
    assert streamed.frames or streamed.error, "nothing at all"


@invariant
def streams_are_well_formed(streamed: Streamed, direction: str, asked: dict[str, Any], sdk: bool) -> None:
    """The judges take the stream: order, numbers without gaps, types, one end; *sdk*: the SDK's accumulators, too."""
    if direction == "serve_chat":
        if sdk:
            chat_judges.judge_chunks(streamed.frames, asked)
        else:
            *chunks, last = chat_judges.chunks_of(streamed.frames)
            assert last == chat_judges.DONE
            chat_judges._Chunks(chunks[: len(chunks) - ("error" in chunks[-1])], asked, "error" in chunks[-1]).run()
    elif sdk:
        judges.judge_stream(streamed.frames)  # with strict tools, it would parse arguments that are the model's own
    else:
        events = judges.events_of(streamed.frames)
        judges.judge_order(events[: len(events) - (events[-1] == judges.DONE)])


@invariant
def what_was_said_is_the_answer(streamed: Streamed, direction: str) -> None:
    """The answer that a stream adds up to is the one that its last event repeats, or its chunks say.

    What is sent when a message is over (images and the like) may be missing where it failed before.
    """
    if direction == "serve_responses":
        last = next(e for e in reversed(judges.events_of(streamed.frames)) if e != judges.DONE)
        assert streamed.answer == last["response"]
        return
    chunks = [chunk for chunk in chat_judges.chunks_of(streamed.frames) if chunk != chat_judges.DONE]
    said = [chunk for chunk in chunks if "error" not in chunk]
    if said:  # `answer` comes without them already
        whole = chat_judges.added_up(said)
        answer = {k: v for k, v in streamed.answer.items() if whole.get(k) is not None}
        if len(said) < len(chunks):
            without_late_lists(whole)
        assert chat_judges.comparable(answer) == whole


@invariant
def any_pieces_are_the_same(whole: Streamed, again: Streamed) -> None:
    """A stream that was cut anywhere on its way is the same stream, with the same losses."""
    assert again == whole


@invariant
def the_fast_path_is_the_general_path(whole: Streamed, again: Streamed) -> None:
    """The fast path writes what the general path writes."""
    assert again == whole


@invariant
def a_shortcut_is_the_general_path(made: Body, answer: Any, losses: list[Any], later: list[Any]) -> None:
    """An answer that took the fast path is what the general path gives, with the same losses."""
    assert made.data == encode_json(answer)
    assert made.answer == answer
    assert losses == later


@invariant
def one_by_one_is_the_same(whole: Streamed, again: Streamed) -> None:
    """Frames that are made when they are asked for are the same."""
    assert again == whole


@invariant
def a_released_stream_is_the_same(whole: Streamed, again: Streamed) -> None:
    """A stream that has let go of its request says the same."""
    assert again == whole


def ended_well(streamed: Streamed, direction: str) -> bool:
    """Whether the client of a stream believes that it has a whole answer."""
    if streamed.error is not None or not streamed.frames:
        return False
    if direction == "serve_responses":
        return streamed.answer["status"] == "completed"
    failed = any(b'"error":' in frame for frame in streamed.frames[-2:])
    return not failed and any(c["finish_reason"] in ("stop", "tool_calls", "function_call")
                              for c in streamed.answer["choices"])  # fmt: skip


@invariant
def a_cut_is_no_end(streamed: Streamed, direction: str) -> None:
    """A stream that was cut before its end never ends as `completed` or `stop`."""
    assert not ended_well(streamed, direction)


def without_late_lists(completion: Any) -> None:
    """Take away what is sent when a message is over: where it failed before, that is there or not."""
    for choice in completion["choices"]:
        for late in ("images", "annotations", "reasoning_details"):
            choice["message"].pop(late, None)


# --- finished answers

UNREAD = ("moderation", "metadata")
"""Chat has no types for them, or none that we hold upstreams to."""


@invariant
def answers_are_well_formed(answer: dict[str, Any], direction: str) -> None:
    """The SDK's types and accessors take a finished answer; what is carried unread is the upstream's affair."""
    answer = {**answer, "service_tier": None}
    for unread in UNREAD if direction == "serve_chat" else ("moderation",):
        answer.pop(unread, None)
    (chat_judges.judge_completion if direction == "serve_chat" else judges.judge_answer)(answer)


@invariant
def streamed_is_whole(answer: Any, error: TranslationError | None, streamed: Streamed) -> None:
    """A finished answer that is sent as a stream is the same answer, or fails like it."""
    if error is not None:
        assert streamed.error is not None or not ended_well(streamed, _direction(streamed.answer))
        return
    assert streamed.error is None, streamed.error
    assert streamed.answer == answer


def _direction(answer: Any) -> str:
    return "serve_chat" if "choices" in answer else "serve_responses"


# --- cost


@invariant
def nothing_is_out_of_proportion(run: Callable[[], Any], size: int) -> None:
    """No feed takes longer than its size allows: of three tries, the fastest counts."""
    allowed, times = LEAST_TIME + size * TIME_PER_BYTE, []
    for _ in range(3):
        began = thread_time()
        with contextlib.suppress(TranslationError):
            run()
        times.append(thread_time() - began)
        if times[-1] <= allowed:
            return
    raise AssertionError(f"{min(times):.2f} s for {size} bytes")


def listed() -> Iterator[str]:
    """Say all of them, one a line."""
    yield from (f"{name}: {words}" for name, words in INVARIANTS.items())


def losses_of(report: Iterable[Any]) -> list[tuple[str, str, str]]:
    """The losses without their values."""
    return [(loss.path, loss.kind, loss.why) for loss in report]
