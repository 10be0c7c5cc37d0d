"""Several streams or answers that become one."""

import json
from typing import Any

import pytest

from diglot.translator import ChoiceMerger, UpstreamError

DONE = b"data: [DONE]\n\n"
SHARED = {"id": "c1", "created": 1, "model": "m"}


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A chunk as a branch says it."""
    choice = {"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": finish}
    return {**SHARED, "object": "chat.completion.chunk", "choices": [choice], **more}


def end(**what: Any) -> dict[str, Any]:
    """A chunk about the whole."""
    return {**SHARED, "object": "chat.completion.chunk", "choices": [], **what}


def usage(prompt: int, completion: int, **details: int) -> dict[str, Any]:
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return {**counts, **({"completion_tokens_details": details} if details else {})}


def moderation(*flagged: bool) -> dict[str, Any]:
    return {
        side: {"type": "moderation_results", "results": [{"flagged": f} for f in flagged]}
        for side in ("input", "output")
    }


ROLE = chunk({"role": "assistant", "content": "", "refusal": None})
A, B, STOP = chunk({"content": "a"}), chunk({"content": "b"}), chunk(finish="stop")


def said(chunks: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any], str | None]]:
    return [(c["index"], c["delta"], c["finish_reason"]) for each in chunks for c in each["choices"]]


def test_all_begin_first() -> None:
    """Whichever branch speaks first, all choices begin, in order and in chunks of their own."""
    merger = ChoiceMerger(3)
    begun = merger.feed(2, ROLE)
    beginning = {"role": "assistant", "content": None}
    assert said(begun) == [
        (0, beginning, None),
        (1, beginning, None),
        (2, beginning, None),
        (2, {"content": ""}, None),
    ]
    assert all(len(each["choices"]) == 1 for each in begun)
    assert said(merger.feed(0, A)) == [(0, {"content": "a"}, None)]


def test_one_head_for_all() -> None:
    """Id, time and model are those of the first; what else a chunk says stays."""
    merger = ChoiceMerger(2)
    merger.feed(0, {**ROLE, "usage": None, "service_tier": "flex"})
    (other,) = merger.feed(1, {**B, "id": "c2", "created": 9, "model": "n", "obfuscation": "x"})
    assert {**SHARED, "obfuscation": "x"}.items() <= other.items()


def test_the_beginning_has_what_all_chunks_have() -> None:
    """`usage: null` where usage follows."""
    assert all(each["usage"] is None for each in ChoiceMerger(2).feed(0, {**ROLE, "usage": None}))


def test_roles_are_told_once() -> None:
    """What says nothing but the role again is left out; log-probabilities and endings are not."""
    merger = ChoiceMerger(2)
    merger.feed(0, ROLE)
    assert merger.feed(1, chunk({"role": "assistant", "content": None})) == []
    assert said(merger.feed(1, STOP)) == [(1, {}, "stop")]
    spoken = chunk()
    spoken["choices"][0]["logprobs"] = {"content": []}
    assert len(merger.feed(0, spoken)) == 1


def test_ends() -> None:
    """Each branch ends for itself; what is about all comes once, moderation before usage."""
    merger = ChoiceMerger(2)
    for branch in (0, 1):
        merger.feed(branch, STOP)
        assert merger.feed(branch, end(moderation=moderation(branch == 1))) == []
        assert merger.feed(branch, end(usage=usage(3, 4 + branch, reasoning_tokens=1))) == []
    assert merger.finish(1) == []
    assert not merger.ended
    first, last = merger.finish(0)
    assert merger.ended
    assert first["moderation"]["output"]["results"] == [{"flagged": False}, {"flagged": True}]
    assert len(first["moderation"]["input"]["results"]) == 1
    assert last["usage"] == usage(3, 9, reasoning_tokens=2)
    assert last["choices"] == []


@pytest.mark.parametrize("known", [[], [0]])
def test_usage_that_is_not_all_known(known: list[int]) -> None:
    """Part of the tokens is no usage."""
    merger = ChoiceMerger(2)
    for branch in known:
        merger.feed(branch, end(usage=usage(3, 4)))
    assert merger.finish(0) == merger.finish(1) == []


def test_an_error_is_that_of_all() -> None:
    """It ends everything; what others say later is not said."""
    merger, error = ChoiceMerger(2), {"error": {"message": "no"}}
    frames = merger.take(0, [A, error, B], more=False)
    assert frames[-2:] == [b'data: {"error":{"message":"no"}}\n\n', DONE]
    assert frames.count(DONE) == 1
    assert merger.ended
    assert merger.take(1, [B]) == merger.take(1, [], more=False) == []
    assert merger.fail(UpstreamError("late")) == []


def test_fail() -> None:
    """An error from elsewhere ends everything, too."""
    merger = ChoiceMerger(2)
    assert merger.fail(UpstreamError("no"))[0].startswith(b'data: {"error":{"message":"no"')
    assert merger.ended


def test_frames() -> None:
    """Chunks in, whole frames out; one `[DONE]`."""
    merger = ChoiceMerger(2)
    taken = [
        merger.take(0, [A, STOP]),
        merger.take(0, [], more=False),
        merger.take(1, [B]),
        merger.take(1, [], more=False),
    ]
    frames = [frame for each in taken for frame in each]
    events = [json.loads(frame[6:]) for frame in frames[:-1]]
    assert [index for index, _, _ in said(events)] == [0, 1, 0, 0, 1]
    assert (frames[-1], frames.count(DONE)) == (DONE, 1)


def completion(text: str, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {**SHARED, "object": "chat.completion", "choices": [choice], **more}


def test_answers() -> None:
    """The choices in order; the prompt once, completions summed, details too."""
    given = [
        completion("a", usage=usage(5, 1), moderation=moderation(True)),
        completion("b", usage=usage(5, 2, reasoning_tokens=2), moderation=moderation(False)),
        completion("c", usage=usage(5, 3, reasoning_tokens=3, audio_tokens=1), moderation=moderation(False)),
    ]
    before = json.dumps(given)
    answer = ChoiceMerger.answer(given)
    assert [(c["index"], c["message"]["content"]) for c in answer["choices"]] == [(0, "a"), (1, "b"), (2, "c")]
    assert answer["usage"] == usage(5, 6, reasoning_tokens=5, audio_tokens=1)
    assert [r["flagged"] for r in answer["moderation"]["output"]["results"]] == [True, False, False]
    assert answer["id"] == "c1"
    assert json.dumps(given) == before


def test_answers_with_less() -> None:
    """What one of them lacks is not known of all; an error instead of a moderation result stays one."""
    assert ChoiceMerger.answer([completion("a", usage=usage(1, 1)), completion("b", usage=None)])["usage"] is None
    assert "usage" not in ChoiceMerger.answer([completion("a"), completion("b")])
    failed = {"output": {"type": "error", "message": "no"}}
    assert ChoiceMerger.answer([completion("a", moderation=failed)] * 2)["moderation"] == failed


def test_usage_without_details() -> None:
    """What no branch says is not made up."""
    assert ChoiceMerger.answer([completion("a", usage=usage(1, 1))] * 2)["usage"] == usage(1, 2)


def test_an_own_id() -> None:
    """Chunks have the one that was made here; without it, that of the first branch."""
    chunk = {"id": "c1", "created": 1, "model": "m", "object": "chat.completion.chunk"}
    begun = {**chunk, "choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]}
    for own_id, expected in ("mine", "mine"), ("", "c1"):
        merger = ChoiceMerger(2, own_id)
        frames = merger.take(0, [begun], True)
        assert [json.loads(frame.removeprefix(b"data: "))["id"] for frame in frames] == [expected] * len(frames)
        assert frames
