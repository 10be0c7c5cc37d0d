"""The fuzzer in short, so that it cannot rot: it runs, it repeats itself, and it finds what is wrong."""

from __future__ import annotations

import itertools
import json

import pytest

from diglot.translator import Body, Report
from diglot.translator.exchange.completion_fast_path import CompletionFastPath
from diglot.translator.exchange.frames import FrameStream

from fuzz import invariants, runner, seeds
from fuzz.feeds import Case

SEED = 8


@pytest.mark.parametrize("start", range(0, 400, 100))
def test_no_case_breaks_an_invariant(start: int) -> None:
    """A few hundred cases of all feeds."""
    findings: list[runner.Finding] = []
    assert runner.run(SEED, iter(range(start, start + 100)), findings.append) == 100
    assert not findings, runner.as_golden(findings[0].case)


def test_cases_repeat() -> None:
    """The same seed and number are the same case; another seed is another one."""
    first = [runner.case_of(SEED, number) for number in range(50)]
    assert [runner.case_of(SEED, number) for number in range(50)] == first
    assert [runner.case_of(SEED + 1, number) for number in range(50)] != first
    assert {case.feed for case in first} == set(runner.FEEDS)


GREETING = (
    b'data: {"choices": [{"delta": {"content": "Hello"}}]}\n\n'
    b'data: {"choices": [{"delta": {}, "finish_reason": "%b"}]}\n\n'
)
STREAM = Case("stream", "serve_responses", "default", seeds.ASKED["serve_responses"], GREETING % b"stop")


def test_a_stream_that_loses_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault is found, its invariant is named, and its case is made as small as it can be."""
    take = FrameStream.feed
    monkeypatch.setattr(FrameStream, "feed", lambda self, data: take(self, data)[:-1])
    case = STREAM._replace(profile="vllm", data=b": hi\n\n" + STREAM.data + b"data: [DONE]\n\n")
    found = runner.found(1, case)
    assert found is not None
    assert found.kind.startswith("streams_are_well_formed stream serve_responses")
    small = runner.smaller(found).case
    assert len(small.data) < len(case.data)
    assert (small.profile, small.asked) == ("default", {"model": "m", "input": "Go"})
    assert json.loads(runner.as_golden(small))["given"]["sse"] == small.data.decode()


def test_a_cut_that_ends_well() -> None:
    """What was cut must not look whole, and what is whole is no finding."""
    assert runner.found(1, STREAM._replace(what="cut", data=GREETING[: GREETING.index(b"data: {", 5)])) is None
    found = runner.found(1, STREAM._replace(what="cut"))
    assert found is not None
    assert found.words.startswith("a_cut_is_no_end")


def test_a_shortcut_that_says_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast path of answers is compared with the general path."""
    completion = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
    case = STREAM._replace(feed="answer", data=json.dumps(completion).encode())
    assert runner.found(1, case) is None
    monkeypatch.setattr(CompletionFastPath, "take", lambda self, data: Body.of({}))
    found = runner.found(1, case)
    assert found is not None
    assert found.words.startswith("a_shortcut_is_the_general_path")


def test_a_field_that_is_lost_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that says nothing is found out."""
    monkeypatch.setattr(Report, "dropped", lambda self, path, why, value=None: None)
    body = {"model": "m", "messages": [{"role": "user", "content": "Go"}], "seed": 1}
    case = Case("request", "serve_chat", "default", None, json.dumps(body).encode())
    found = runner.found(1, case)
    assert found is not None
    assert found.words.startswith("fields_arrive_or_are_reported")


def test_bytes_that_are_not_text() -> None:
    """A case that no golden file can hold is told in Python."""
    assert runner.as_golden(STREAM._replace(data=b"\xff")).startswith("Case(")
    assert runner.as_golden(STREAM._replace(feed="answer", data=b"{")).startswith("Case(")


def test_something_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes too long for its size is found, if it does so each time."""
    monkeypatch.setattr(invariants, "LEAST_TIME", 0.0)
    monkeypatch.setattr(invariants, "TIME_PER_BYTE", 0.0)
    found = runner.found(1, STREAM)
    assert found is not None
    assert found.words.startswith("nothing_is_out_of_proportion")


def test_every_invariant_says_what_it_is() -> None:
    """The list is for people."""
    lines = list(invariants.listed())
    assert len(lines) >= 20
    assert all(line.endswith(".") and ": " in line for line in lines)
    assert len(set(lines)) == len(lines)
    assert not list(itertools.islice((line for line in lines if "\n" in line), 1))
