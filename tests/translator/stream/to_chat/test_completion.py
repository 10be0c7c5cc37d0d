from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import UpstreamError
from diglot.translator.stream.growing import TextBuffer
from diglot.translator.stream.to_chat.completion import Completion
from diglot.translator.stream.to_chat.context import CompletionContext
from diglot.translator.stream.to_chat.received_part import ReceivedPart
from diglot.translator.wire.template import HOLE

Make = Callable[..., Completion]


@pytest.fixture
def make(make_context: Callable[..., CompletionContext]) -> Make:
    def begin(quiet: bool = False, **options: bool) -> Completion:
        return Completion(make_context(**options), quiet)

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
    out.read_snapshot({"id": "resp_1", "model": "m-1", "created_at": 1700000001.9, "service_tier": "flex"})
    out.add_text("Hi")
    out.read_snapshot({"id": "resp_2", "model": "m-2", "created_at": 5})
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
    out.read_snapshot(response)
    out.begin()
    answer = out.answer
    assert (answer["id"], answer["created"], answer["model"]) == ("chatcmpl-1", 1_700_000_000, "m")


@pytest.mark.parametrize(("created", "expected"), [(1700000000123, 1700000000), (float("inf"), 1_700_000_000)])
def test_times(make: Make, created: float, expected: int) -> None:
    """Milliseconds are read as such; what is no time is not read."""
    out = make()
    out.read_snapshot({"created_at": created})
    out.begin()
    assert out.answer["created"] == expected


def test_the_tier_may_be_known_late(make: Make) -> None:
    """It is in the chunks from then on, and in the answer."""
    out = make()
    out.add_text("Hi")
    out.read_snapshot({"service_tier": "default"})
    out.end("stop")
    assert [chunk.get("service_tier") for chunk in out.take_chunks()] == [None, None, "default"]
    assert out.answer["service_tier"] == "default"


# --- what is said ----------------------------------------------------------------------------------------------------


def test_the_role_comes_once(make: Make) -> None:
    """With empty content before text, else with none; asked for twice, it is said once."""
    out = make()
    out.add_text("a")
    out.begin()
    out.add_text("b")
    assert deltas(out) == [role(""), {"content": "a"}, {"content": "b"}]
    out = make()
    out.add_piece("refusal", "No")
    assert deltas(out) == [role(None), {"refusal": "No"}]


def test_log_probabilities_stand_beside_their_text(make: Make) -> None:
    """Those that come late stand beside nothing (G11, G13)."""
    out = make()
    out.add_text("Hi", [{"token": "Hi"}])
    out.add_text("", [{"token": "!"}])
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
    first, second = TextBuffer(), TextBuffer()
    function, custom = out.add_call("f", "c1", False, first), out.add_call("g", "c2", True, second)
    assert function is not None
    assert custom is not None
    second.add("in")
    first.add("{}")
    out.add_to_call(custom, "in")
    out.add_to_call(function, "{}")
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


def test_an_older_client_gets_one_call(make_context: Callable[..., CompletionContext]) -> None:
    """In the older form (G14); the others are reported."""
    context = make_context(legacy=True)
    out = Completion(context)
    entry = out.add_call("f", "c1", False, TextBuffer(b"{}"))
    assert entry is not None
    out.add_to_call(entry, "{}")
    assert out.add_call("g", "c2", False, TextBuffer()) is None
    assert deltas(out)[1:] == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
    ]
    assert out.answer["choices"][0]["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert out.call_reason == "function_call"
    assert [str(loss) for loss in context.context.report] == [
        "dropped function_call: an answer with `function_call` has only one call"
    ]


# --- the end ---------------------------------------------------------------------------------------------------------


def test_lists_come_once_before_the_end(make: Make) -> None:
    """The SDK cannot add to a list inside a delta, so each comes whole."""
    out = make()
    out.add_text("Hi")
    for name in ("images", "annotations", "annotations"):
        out.add_to_list(name, {"type": name})
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
            lambda out: out.add_piece("reasoning_content", "hm"),
            "",
            [role(None), {"reasoning_content": "hm"}, {"content": ""}],
        ),
        (lambda out: out.add_piece("refusal", "No"), None, [role(None), {"refusal": "No"}, "stop"]),
        (lambda out: out.add_call("f", "c", False, TextBuffer()), None, [role(None)]),
        (lambda out: out.add_text("Hi"), "Hi", [role(""), {"content": "Hi"}, "stop"]),
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
    out = make(include_usage=include_usage)
    out.read_snapshot({"usage": usage, "moderation": {"output": {"type": "error", "code": "x", "message": "y"}}})
    out.add_text("Hi")
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
    out.read_snapshot({"metadata": metadata})
    out.end("stop")
    assert out.answer.get("metadata") == (metadata if kept else None)
    assert all("metadata" not in chunk for chunk in out.take_chunks())


def test_what_is_too_deep_is_left_out(make: Make) -> None:
    """It could not be encoded."""
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"a": deep}
    out = make()
    out.read_snapshot({"metadata": deep, "moderation": deep})
    assert out.answer.keys() == {"id", "object", "created", "model", "choices", "usage"}


def test_a_failure_is_an_error_chunk(make: Make) -> None:
    """What was said remains in the answer, which has no finish reason."""
    out = make()
    out.add_text("Hi")
    out.fail(UpstreamError("It broke."))
    assert out.take_chunks()[-1] == UpstreamError("It broke.").body()
    (choice,) = out.answer["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Hi", None)


@pytest.mark.parametrize(("field", "shown"), [("id", "id"), ("model", "model"), ("service_tier", "service_tier")])
def test_what_every_chunk_repeats_is_bounded(make: Make, field: str, shown: str) -> None:
    """A name without end is none."""
    out = make()
    out.read_snapshot({field: "x" * 1_024})
    out.begin()
    assert "x" * 1_024 in out.take_chunks()[0][shown]
    other = make()
    other.read_snapshot({field: "x" * 1_025})
    other.begin()
    assert "x" not in str(other.take_chunks()[0].get(shown))


def test_what_has_no_hole_goes_the_general_way(make: Make, make_context: Callable[..., CompletionContext]) -> None:
    """A piece never lands in another field; where a text of the chunk looks like a hole, there is no template."""
    out = make()
    out.read_snapshot({"model": "m-1"})
    out.begin()
    assert out.text_appender("content", TextBuffer()) is not None
    assert out.text_appender("model", TextBuffer()) is not None
    for name, free_form, field in (("f", False, b'{"arguments":"x"}'), ("g", True, b'{"input":"x"}')):
        entry = out.add_call(name, "c", free_form, TextBuffer())
        assert entry is not None
        append = out.call_appender(entry)
        assert append is not None
        assert field in append("x")
    odd = Completion(make_context()._replace(model=f"a {HOLE}"))
    odd.begin()
    assert odd.text_appender("content", TextBuffer()) is None


def test_a_quiet_completion_has_no_chunks(make: Make) -> None:
    """Only the answer, which is the same."""
    out = make(quiet=True, include_usage=True)
    out.read_snapshot({"usage": USAGE, "moderation": {"output": {"type": "error"}}})
    out.add_text("Hi")
    out.add_piece("refusal", "no")
    entry = out.add_call("f", "c", False, TextBuffer(b"{}"))
    assert entry is not None
    out.add_to_call(entry, "{}")
    out.end("tool_calls")
    assert out.take_chunks() == []
    (choice,) = out.answer["choices"]
    assert (choice["message"]["content"], choice["message"]["refusal"]) == ("Hi", "no")
    assert choice["finish_reason"] == "tool_calls"


def test_a_text_that_was_stopped(make: Make) -> None:
    """What cites words behind its end is left out."""
    out = make()
    out.add_text("Hi")
    part = ReceivedPart("content")
    part.start_turn(1)
    part.set_annotations([{"type": "url_citation", "url": "u", "start_index": 0, "end_index": end} for end in (2, 3)])
    out.citations.add(part)
    out.stop()
    assert out.stopped
    out.end("stop")
    assert len(out.answer["choices"][0]["message"]["annotations"]) == 1
