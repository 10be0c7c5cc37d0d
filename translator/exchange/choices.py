"""Several calls of an upstream merged into one chat completion: the branches of `n` (protocol 1.5b)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import TranslationError
from ..wire import sse

Body = dict[str, Any]
_SHARED = ("id", "created", "model")
_AT_THE_END = ("moderation", "usage")  # in this order: each chunk after the usage would overwrite it (G12, G7)


class ChoiceMerger:
    """Chunks of several chat streams in, whole frames of one out; the number of a branch is the index of its choice.

    All choices begin before anything else (G6), whichever branch is first; the id is *own_id*, or that branch's. Once
    ``ended``, nothing follows: all branches are over, or one has failed, which fails them all.
    """

    def __init__(self, count: int, own_id: str = "") -> None:
        self.ended: bool = False
        self._count = count
        self._own = {"id": own_id} if own_id else {}
        self._running = set(range(count))
        self._shared: Body = {}
        self._ends: dict[str, list[Body]] = {name: [] for name in _AT_THE_END}

    def take(self, branch: int, events: Sequence[Body], more: bool = True) -> list[bytes]:
        """Read chunks of one branch's stream, the last ones if there are no *more*; return the client's frames."""
        if self.ended:
            return []
        chunks = [each for event in events for each in self.feed(branch, event)]
        if not (more or self.ended):
            chunks += self.finish(branch)
        return [*map(sse.data, chunks), *[sse.DONE] * self.ended]

    def fail(self, error: TranslationError) -> list[bytes]:
        """End all branches with an error; return the frames for it."""
        if self.ended:
            return []
        self.ended = True
        return [sse.data(error.body()), sse.DONE]

    def feed(self, branch: int, chunk: Body) -> list[Body]:
        """Read one chunk of a branch's stream."""
        if self.ended:
            return []
        if chunk.get("error"):
            self.ended = True
            return [chunk]
        begun = [] if self._shared else self._begin(chunk)
        if chunk.get("choices"):
            return [*begun, *self._numbered(branch, chunk)]
        for name in _AT_THE_END:
            if chunk.get(name):
                self._ends[name].append(chunk)
        return begun

    def finish(self, branch: int) -> list[Body]:
        """End the stream of a branch; after the last one follow the chunks about all of them."""
        self._running.discard(branch)
        if self._running:
            return []
        self.ended = True
        ends = [(name, chunks) for name, chunks in self._ends.items() if len(chunks) == self._count]
        return [{**chunks[0], **self._shared, name: _joined(name, chunks)} for name, chunks in ends]

    @staticmethod
    def answer(completions: Sequence[Body]) -> Body:
        """Return one chat completion for those of all branches, in their order."""
        first = completions[0]
        choices = [{**each["choices"][0], "index": index} for index, each in enumerate(completions)]
        ends = {name: _joined(name, completions) for name in _AT_THE_END if name in first}
        return {**first, "choices": choices, **ends}

    def _begin(self, chunk: Body) -> list[Body]:
        self._shared = {**{name: chunk.get(name) for name in _SHARED}, **self._own}
        rest = {name: chunk[name] for name in ("object", "service_tier", "usage") if name in chunk}
        return [{**self._shared, **rest, "choices": [_blank(index)]} for index in range(self._count)]

    def _numbered(self, branch: int, chunk: Body) -> list[Body]:
        """The chunk with the index of its branch; the role has been told, and what says nothing more is left out."""
        choice = chunk["choices"][0]
        delta = {name: value for name, value in choice["delta"].items() if name != "role" and value is not None}
        if not delta and choice.get("finish_reason") is None and not choice.get("logprobs"):
            return []
        return [{**chunk, **self._shared, "choices": [{**choice, "index": branch, "delta": delta}]}]


def _blank(index: int) -> Body:
    """A choice that begins."""
    delta = {"role": "assistant", "content": None}
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}


def _joined(name: str, bodies: Sequence[Body]) -> Body | None:
    """What is not known of one branch is not known of the whole."""
    values = [body[name] for body in bodies if body.get(name)]
    if len(values) < len(bodies):
        return None
    return _summed(values) if name == "usage" else _listed(values)


def _summed(usages: list[Body]) -> Body:
    """The usage of one prompt and all completions."""
    first = usages[0]
    usage = {**first, "completion_tokens": sum(each["completion_tokens"] for each in usages)}
    usage["total_tokens"] = first["prompt_tokens"] + usage["completion_tokens"]
    details = [each.get("completion_tokens_details") or {} for each in usages]
    if any(details):
        names = dict.fromkeys(name for each in details for name in each)
        usage["completion_tokens_details"] = {name: sum(each.get(name) or 0 for each in details) for name in names}
    return usage


def _listed(moderations: list[Body]) -> Body:
    """What was found in the prompt, once, and what was found in each of the outputs."""
    first, outputs = moderations[0], [each.get("output") or {} for each in moderations]
    if not all(isinstance(output.get("results"), list) for output in outputs):
        return first  # an error instead of results
    return {**first, "output": {**outputs[0], "results": [one for output in outputs for one in output["results"]]}}
