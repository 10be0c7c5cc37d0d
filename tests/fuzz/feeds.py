"""Cases of the translator: requests, answers, streams and errors, of both directions and all presets."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from diglot.translator import (
    PRESETS,
    Exchange,
    FrameStream,
    RequestBody,
    ServeChat,
    ServeResponses,
    TranslationError,
    decode_json,
    encode_json,
    preset,
)
from diglot.translator.fields import REQUEST

from . import damage, seeds
from . import invariants as must

SERVING: dict[str, Callable[..., Exchange]] = {"serve_responses": ServeResponses, "serve_chat": ServeChat}
WHOLE, CUT, SAID_SO = "whole", "cut", "damaged"
_ENDS = {
    "serve_responses": re.compile(rb'"finish_reason"\s*:\s*["{\[\d]|\[DONE\]|"message"|"error"|event:'),
    "serve_chat": re.compile(
        rb"response\.(completed|incomplete|failed|done)|\[DONE\]|\"error\"|\"(completed|incomplete)\""
    ),
}
PLAIN = {
    "serve_responses": {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]},
    "serve_chat": {"status": "completed", "output": []},
}
_UNREAD = re.compile(rb"service_tier|moderation|metadata")
"""Members that are carried as they are: the SDK's types would blame us for the upstream's."""
_SDK = 5  # one of so many streams is read by the SDK, which takes longer than all else


class Case(NamedTuple):
    """One thing to feed. *data* are bytes as the client or the upstream sends them."""

    feed: str
    direction: str
    profile: str
    asked: Any
    data: bytes = b""
    what: str = SAID_SO
    """`cut`: bytes of a good stream that end before its end."""
    chance: int = 0
    """Where it is cut into pieces, and the like."""
    status: int = 200

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.data) + len(damage.wire(self.asked))


def exchange(case: Case, body: Any = None) -> Exchange:
    """The exchange of a case, with ids and a time that are always the same."""
    count = itertools.count(1)
    return SERVING[case.direction](
        case.asked if body is None else body,
        profile=preset(case.profile),
        strict=case.what == "strict",
        new_id=lambda prefix: f"{prefix}_made_{next(count)}",
        clock=lambda: 1_700_000_000.0,
    )


def begin(random: Random, feed: str) -> dict[str, Any]:
    """What every case has: a direction, a profile, and its own chance."""
    profile = random.choice([*PRESETS, *["default"] * len(PRESETS)])
    return {
        "feed": feed,
        "direction": random.choice(seeds.DIRECTIONS),
        "profile": profile,
        "chance": random.getrandbits(32),
    }


# --- requests


def _ways(direction: str) -> dict[str, tuple[tuple[Any, ...] | None, str]]:
    found: dict[str, tuple[tuple[Any, ...] | None, str]] = {}
    for row in REQUEST:
        own, other, way = row.responses, row.chat, row.to_chat
        if direction == "serve_chat":
            own, other, way = row.chat, row.responses, row.to_responses
        if own:
            quiet = None if way is None or way.how == "by code" else (None, *way.harmless)
            found[own.partition(".")[0]] = quiet, (other or own).partition(".")[0]
    return found


WAYS = {direction: _ways(direction) for direction in seeds.DIRECTIONS}
"""For each field, the values that say nothing (None: it becomes another field by code), and its other name."""


def make_request(random: Random) -> Case:
    """A client's request: one that was really sent or stands in a golden file, damaged; or any JSON."""
    about = begin(random, "request")
    seed = random.choice(
        seeds.requests(about["direction"] if random.random() < 0.95 else random.choice(seeds.DIRECTIONS))
    )
    body = damage.value(random, seed, seeds.pool(), most=4)
    if random.random() < 0.02:
        body = random.choice(seeds.pool())[1]
    data = damage.wire(body)
    data = damage.data_bytes(random, data) if random.random() < 0.05 else data
    return Case(**about, asked=None, data=data, what="strict" if random.random() < 0.1 else SAID_SO)


def check_request(case: Case) -> None:
    """Feed a request as bytes, and as a decoded body."""
    received, error = must.only_our_own_errors(lambda: RequestBody.read(case.data))
    if error is not None:
        must.errors_can_be_told(error, client=True)
        return
    assert received is not None
    body = received.body if received._payloads is None else decode_json(case.data)
    before = encode_json(body)
    made, error = must.only_our_own_errors(lambda: exchange(case, body) if body is not None else exchange(case, []))
    must.inputs_are_unchanged(before, body)
    if error is not None:
        must.errors_can_be_told(error, client=True)
        return
    must.results_encode(made.request)
    must.losses_can_be_told(made.report)
    must.fields_arrive_or_are_reported(body, made.request, made.report, WAYS[case.direction])
    (_, sent), error = must.only_our_own_errors(lambda: received.translate(lambda light: exchange(case, light)))
    must.bytes_are_bodies(b"".join(map(bytes, sent)), made.request)


# --- streams


def make_stream(random: Random) -> Case:
    """An upstream's stream: damaged, or cut before its end."""
    about = begin(random, "stream")
    direction = about["direction"]
    seed = random.choice(seeds.streams(direction))
    asked = {**seed.asked, "stream": True}
    if random.random() < 0.2:
        asked = random.choice([seeds.ASKED[direction], *seeds.requests(direction)])
    if random.random() < 0.15 and not asked.get("stop"):  # which ends it well, wherever it stands
        data = b"".join(seed.events)
        end = _ENDS[direction].search(data)
        start = data.rfind(b"\n\n", 0, end.start()) + 2 if end else len(data)
        at = random.randint(0, max(start, 1))
        return Case(**about, asked=asked, data=data[:at], what=CUT)
    data = damage.stream(random, seed.events, seeds.events_of(direction), seeds.pool())
    return Case(**about, asked=asked, data=data)


def check_stream(case: Case) -> None:
    """Feed a stream as a whole, in pieces, without the fast path, one by one, and released."""
    if _asker(case) is None:
        return
    random = Random(case.chance)
    whole = streamed(case, [case.data])
    must.streams_end_once(whole)
    if whole.frames:
        sdk = random.randrange(_SDK) == 0 and not _UNREAD.search(case.data) and _echo_is_legal(case)
        must.streams_are_well_formed(whole, case.direction, case.asked, sdk)
        must.what_was_said_is_the_answer(whole, case.direction)
        must.results_encode(whole.answer)
    if case.what == CUT:
        must.a_cut_is_no_end(whole, case.direction)
    pieces = damage.pieces(random, case.data)
    must.any_pieces_are_the_same(whole, streamed(case, pieces))
    must.the_fast_path_is_the_general_path(whole, streamed(case, [case.data], without_fast_path=True))
    must.one_by_one_is_the_same(whole, streamed(case, pieces, by_one=True))
    if not _failed(whole):  # an error names a place in the request, if it is there
        must.a_released_stream_is_the_same(whole, streamed(case, [case.data], released=True))


def _failed(whole: must.Streamed) -> bool:
    marks = (b"response.failed", b'"error":{')
    return whole.error is not None or any(mark in frame for frame in whole.frames[-3:] for mark in marks)


def _asker(case: Case) -> Exchange | None:
    """The exchange, if its own request is not refused."""
    try:
        return exchange(case)
    except TranslationError:
        return None


def streamed(
    case: Case, pieces: list[bytes], without_fast_path: bool = False, by_one: bool = False, released: bool = False
) -> must.Streamed:
    """Run a stream to its end; reading stops where it says that it ended."""
    x = exchange(case)
    stream = x.stream()
    if released:
        x.release()
        stream.release()
    if without_fast_path:
        stream._fast_path = None
    frames: list[bytes] = []
    _, error = must.only_our_own_errors(lambda: _feed(stream, pieces, frames, by_one))
    if error is not None:
        must.errors_can_be_told(error, client=False)
    must.losses_can_be_told(x.report)
    answer = None if error else decode_json(encode_json(stream.answer))
    if answer and case.direction == "serve_chat" and any(b'"error":' in frame for frame in frames[-2:]):
        must.without_late_lists(answer)
    return must.Streamed(frames, answer, error.body() if error else None, must.losses_of(x.report), stream.ended)


def _feed(stream: FrameStream, pieces: list[bytes], frames: list[bytes], by_one: bool) -> None:
    if by_one:
        for piece in pieces:
            frames.extend(stream.each(piece))
            if stream.ended:
                return
        frames.extend(stream.each(b"", last=True))
        return
    for piece in pieces:
        frames += stream.feed(piece)
        if stream.ended:
            break
    if not stream.ended:
        frames += stream.finish()
    assert stream.feed(b'data: {"choices": [{"delta": {"content": "more"}}]}\n\n') == [], "something behind the end"
    assert stream.fail(TranslationError("Late.")) == []


# --- finished answers, and errors


def make_answer(random: Random) -> Case:
    """An upstream's finished answer, damaged."""
    about = begin(random, "answer")
    seed = random.choice(seeds.answers(about["direction"]))
    finished = damage.value(random, seed.finished, seeds.pool(), most=4)
    asked = seed.asked if random.random() < 0.8 else random.choice(seeds.requests(about["direction"]))
    return Case(**about, asked=asked, data=damage.wire(finished))


def check_answer(case: Case) -> None:
    """Feed a finished answer, as it is and as a stream of one event."""
    x, finished = _asker(case), must.texts_are_values_or_value_errors(case.data)
    if x is None or finished is must.NOT_JSON:
        return
    before, asked = encode_json(finished), encode_json(case.asked)
    answer, error = must.only_our_own_errors(lambda: x.answer(finished))
    must.inputs_are_unchanged(before, finished)
    must.inputs_are_unchanged(asked, case.asked)
    must.losses_can_be_told(x.report)
    if error is not None:
        must.errors_can_be_told(error, client=False)
    else:
        must.results_encode(answer)
    if error is None and _echo_is_legal(case):
        must.answers_are_well_formed(answer, case.direction)
    quick = exchange(case, {**case.asked, "stream": False})
    if quick.fast_path is not None and (made := quick.fast_path.take(case.data)) is not None:
        must.a_shortcut_is_the_general_path(made, answer, must.losses_of(x.report), must.losses_of(quick.report))
    one = streamed(case, [b"data: %b\n\ndata: [DONE]\n\n" % before])
    must.streamed_is_whole(None if error else decode_json(encode_json(answer)), error, one)


def _echo_is_legal(case: Case) -> bool:
    """Whether the SDK takes what an answer repeats of the request, which may be damaged itself."""
    plain = decode_json(encode_json(PLAIN[case.direction]))
    try:
        must.answers_are_well_formed(exchange(case).answer(plain), case.direction)
    except must.Broken:
        return False
    return True


def make_error(random: Random) -> Case:
    """An upstream's refusal, damaged."""
    about = begin(random, "error")
    seed = damage.value(random, random.choice(seeds.errors(about["direction"])), seeds.pool())
    data = seed.encode("utf-8", "replace") if isinstance(seed, str) else damage.wire(seed)
    data = damage.data_bytes(random, data) if random.random() < 0.2 else data
    asked = random.choice(seeds.requests(about["direction"]))
    return Case(**about, asked=asked, data=data, status=random.choice([400, 401, 404, 413, 422, 429, 500, 503]))


def check_error(case: Case) -> None:
    """Read a refusal, and learn of it."""
    x = _asker(case)
    if x is None:
        return
    read, error = must.only_our_own_errors(lambda: (x.error(case.status, case.data), x.learned(case.status, case.data)))
    assert error is None
    must.errors_can_be_told(read[0], client=False)
