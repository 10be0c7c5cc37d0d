from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Report, UpstreamError
from diglot.translator.stream.growing import Pieces
from diglot.translator.stream.to_chat.completion import Completion

Make = Callable[..., Completion]


@pytest.fixture
def make(new_id: Callable[[str], str], clock: Callable[[], float]) -> Make:
    def begin(include_usage: bool = False, legacy: bool = False, report: Report | None = None) -> Completion:
        return Completion("m", include_usage, legacy, Report() if report is None else report, new_id, clock)

    return begin


def deltas(out: Completion) -> list[Any]:
    """The deltas so far; for the last chunk of a choice, its finish reason."""
    choices = [choice for chunk in out.take_chunks() for choice in chunk["choices"]]
    return [choice["finish_reason"] or choice["delta"] for choice in choices]


def role(content: str | None) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "refusal": None}


# --- the head --------------------------------------------------------------------------------------------------------


def test_the_head_is_the_upstreams(make: Make) -> None:
    """Id, time and model are the same in all chunks and in the answer; once they were said, they stay."""
    out = make()
    out.learn({"id": "resp_1", "model": "m-1", "created_at": 1700000001.9, "service_tier": "flex"})
    out.text("Hi")
    out.learn({"id": "resp_2", "model": "m-2", "created_at": 5})
    out.end("stop")
    heads = [{key: value for key, value in chunk.items() if key != "choices"} for chunk in out.take_chunks()]
    assert heads[0] == {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000001,
        "model": "m-1",
        "service_tier": "flex",
    }
    assert all(head == heads[0] for head in heads)
    assert {key: out.answer[key] for key in heads[0]} == {**heads[0], "object": "chat.completion"}


@pytest.mark.parametrize("response", [{}, {"id": "", "model": None, "created_at": "now"}, {"id": 1, "created_at": -1}])
def test_what_nobody_says_is_made(make: Make, response: dict[str, Any]) -> None:
    """An id from here, the time by the clock, the model that was asked for."""
    out = make()
    out.learn(response)
    out.begin()
    answer = out.answer
    assert (answer["id"], answer["created"], answer["model"]) == ("chatcmpl-1", 1_700_000_000, "m")


@pytest.mark.parametrize(("created", "expected"), [(1700000000123, 1700000000), (float("inf"), 1_700_000_000)])
def test_times(make: Make, created: float, expected: int) -> None:
    """Milliseconds are read as such; what is no time is not read."""
    out = make()
    out.learn({"created_at": created})
    out.begin()
    assert out.answer["created"] == expected


def test_the_tier_may_be_known_late(make: Make) -> None:
    """It is in the chunks from then on, and in the answer."""
    out = make()
    out.text("Hi")
    out.learn({"service_tier": "default"})
    out.end("stop")
    assert [chunk.get("service_tier") for chunk in out.take_chunks()] == [None, None, "default"]
    assert out.answer["service_tier"] == "default"


# --- what is said ----------------------------------------------------------------------------------------------------


def test_the_role_comes_once(make: Make) -> None:
    """With empty content before text, else with none; asked for twice, it is said once."""
    out = make()
    out.text("a")
    out.begin()
    out.text("b")
    assert deltas(out) == [role(""), {"content": "a"}, {"content": "b"}]
    out = make()
    out.say("refusal", "No")
    assert deltas(out) == [role(None), {"refusal": "No"}]


def test_log_probabilities_stand_beside_their_text(make: Make) -> None:
    """Those that come late stand beside nothing (G11, G13)."""
    out = make()
    out.text("Hi", [{"token": "Hi"}])
    out.text("", [{"token": "!"}])
    choices = [chunk["choices"][0] for chunk in out.take_chunks()]
    assert [choice["logprobs"] and choice["logprobs"]["content"] for choice in choices] == [
        None,
        [{"token": "Hi"}],
        [{"token": "!"}],
    ]
    assert choices[-1]["delta"] == {}
    assert out.answer["choices"][0]["logprobs"] == {"content": [{"token": "Hi"}, {"token": "!"}], "refusal": None}


def test_calls_have_indexes_of_their_own(make: Make) -> None:
    """The first delta names a call, the others only its index (G3-G5)."""
    out = make()
    assert out.call_reason is None
    first, second = Pieces(), Pieces()
    assert (out.call("f", "c1", False, first), out.call("g", "c2", True, second)) == (0, 1)
    second.add("in")
    first.add("{}")
    out.call_piece(1, "in")
    out.call_piece(0, "{}")
    assert deltas(out)[1:] == [
        {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "id": "c2", "type": "custom", "custom": {"name": "g", "input": ""}}]},
        {"tool_calls": [{"index": 1, "custom": {"input": "in"}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
    ]
    assert out.call_reason == "tool_calls"
    assert out.answer["choices"][0]["message"]["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "in"}},
    ]


def test_an_older_client_gets_one_call(make: Make) -> None:
    """In the older form (G14); the others are reported."""
    report = Report()
    out = make(legacy=True, report=report)
    assert out.call("f", "c1", False, Pieces("{}")) == 0
    out.call_piece(0, "{}")
    assert out.call("g", "c2", False, Pieces()) is None
    assert deltas(out)[1:] == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
    ]
    assert out.answer["choices"][0]["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert out.call_reason == "function_call"
    assert [str(loss) for loss in report] == ["dropped function_call: an answer in the older form has one call"]


# --- the end ---------------------------------------------------------------------------------------------------------


def test_lists_come_once_before_the_end(make: Make) -> None:
    """The SDK cannot add to a list inside a delta, so each comes whole."""
    out = make()
    out.text("Hi")
    for name in ("images", "annotations", "annotations"):
        out.add(name, {"type": name})
    out.end("stop")
    lists = {"annotations": [{"type": "annotations"}] * 2, "images": [{"type": "images"}]}
    assert deltas(out)[2:] == [lists, "stop"]
    message = out.answer["choices"][0]["message"]
    assert {name: message[name] for name in lists} == lists


@pytest.mark.parametrize(
    ("say", "content", "streamed"),
    [
        (lambda out: None, "", [role(""), "stop"]),
        (lambda out: out.begin(), "", [role(None), {"content": ""}, "stop"]),
        (
            lambda out: out.say("reasoning_content", "hm"),
            "",
            [role(None), {"reasoning_content": "hm"}, {"content": ""}],
        ),
        (lambda out: out.say("refusal", "No"), None, [role(None), {"refusal": "No"}, "stop"]),
        (lambda out: out.call("f", "c", False, Pieces()), None, [role(None)]),
        (lambda out: out.text("Hi"), "Hi", [role(""), {"content": "Hi"}, "stop"]),
    ],
)
def test_content_is_null_beside_something_else(
    make: Make, say: Callable[[Completion], Any], content: str | None, streamed: list[Any]
) -> None:
    """Without text it is null, but an empty string where there is nothing else; streams say the same."""
    out = make()
    say(out)
    out.end("stop")
    assert out.answer["choices"][0]["message"]["content"] == content
    assert deltas(out)[: len(streamed)] == streamed


USAGE = {"input_tokens": 1, "output_tokens": 2}


@pytest.mark.parametrize("include_usage", [True, False])
@pytest.mark.parametrize("usage", [USAGE, None])
def test_usage_is_the_last_chunk(make: Make, include_usage: bool, usage: Any) -> None:
    """If it is wanted and known; before it comes moderation (G7, G8, G12). The answer always has it."""
    out = make(include_usage)
    out.learn({"usage": usage, "moderation": {"output": {"type": "error", "code": "x", "message": "y"}}})
    out.text("Hi")
    out.end("stop")
    chunks = out.take_chunks()
    tail = [
        next(name for name in ("moderation", "usage") if chunk.get(name)) for chunk in chunks if not chunk["choices"]
    ]
    assert tail == ["moderation", "usage"] if include_usage and usage else ["moderation"]
    assert all(chunk["usage"] is None for chunk in chunks[:-1]) if include_usage else "usage" not in chunks[0]
    assert (out.answer["usage"] or {}).get("total_tokens") == (3 if usage else None)
    assert out.answer["moderation"] == chunks[len(chunks) - len(tail)]["moderation"]


@pytest.mark.parametrize(("metadata", "kept"), [({"a": "b"}, True), ({}, False), ("x", False), (None, False)])
def test_metadata_are_in_the_answer_only(make: Make, metadata: Any, kept: bool) -> None:
    """Chunks have no such field."""
    out = make()
    out.learn({"metadata": metadata})
    out.end("stop")
    assert out.answer.get("metadata") == (metadata if kept else None)
    assert all("metadata" not in chunk for chunk in out.take_chunks())


def test_what_is_too_deep_is_left_out(make: Make) -> None:
    """It could not be encoded."""
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"a": deep}
    out = make()
    out.learn({"metadata": deep, "moderation": deep})
    assert out.answer.keys() == {"id", "object", "created", "model", "choices", "usage"}


def test_a_failure_is_an_error_chunk(make: Make) -> None:
    """What was said remains in the answer, which has no finish reason."""
    out = make()
    out.text("Hi")
    out.fail(UpstreamError("It broke."))
    assert out.take_chunks()[-1] == UpstreamError("It broke.").body()
    (choice,) = out.answer["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Hi", None)
    assert out.length == 2


@pytest.mark.parametrize(("field", "shown"), [("id", "id"), ("model", "model"), ("service_tier", "service_tier")])
def test_what_every_chunk_repeats_is_bounded(make: Make, field: str, shown: str) -> None:
    """A name without end is none."""
    out = make()
    out.learn({field: "x" * 1_024})
    out.begin()
    assert "x" * 1_024 in out.take_chunks()[0][shown]
    other = make()
    other.learn({field: "x" * 1_025})
    other.begin()
    assert "x" not in str(other.take_chunks()[0].get(shown))


def test_what_has_no_hole_goes_the_general_way(make: Make) -> None:
    """A piece never lands in another field: where a field is not the only one of its name, there is no short cut."""
    out = make()
    out.learn({"model": "m-1"})
    out.begin()
    assert out.growing("content", Pieces()) is not None
    assert out.growing("model", Pieces()) is not None
    out.call("f", "c", False, Pieces())
    out.call("g", "d", True, Pieces())
    for index, field in enumerate((b'{"arguments":"x"}', b'{"input":"x"}')):
        grow = out.growing_call(index)
        assert grow is not None
        assert field in (grow("x") or b"")
    nameless = Completion("", False, False, Report(), lambda prefix: prefix, lambda: 1.0)
    nameless.begin()
    assert nameless.growing("model", Pieces()) is None
