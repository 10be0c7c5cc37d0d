"""What chunks say about the whole answer: model, time, usage, how it ended, and whether some of it was lost."""

from __future__ import annotations

from typing import Any

from ...losses import Report
from ...parts import endings, moderation, times, usage
from ...parts.annotations import Annotation, from_links
from ...wire import json


class AnswerMetadata:
    """Collects the metadata of an answer, wherever a server puts it; *keeps_model*: the name of the model is known."""

    def __init__(self, answer: dict[str, Any], report: Report, keeps_model: bool = False) -> None:
        self.finish_reason: str | None = None
        self.announced: endings.Ending = endings.COMPLETED
        """How the answer ends, if the upstream has announced anything other than a good end."""
        self.damage: str | None = None
        """What could not be read, for a message: the answer must not end as completed then."""
        self._answer = answer
        self._report = report
        self._keeps_model = keeps_model
        self._is_reason_known = True
        self._cited: set[str] = set()

    def read(self, chunk: dict[str, Any], started: bool) -> list[Annotation]:
        """Read a chunk; return the links that it cites. Model and time count until the answer started (D33, D36)."""
        self.read_usage(chunk)
        if isinstance(chunk.get("service_tier"), str):
            self._answer["service_tier"] = chunk["service_tier"]
        if "moderation" in chunk and (moderated := moderation.to_responses(chunk["moderation"])) is not None:
            self._answer["moderation"] = moderated
        if not started:
            self._read_origin(chunk)
        return self._sources(chunk) if "search_results" in chunk or "citations" in chunk else []

    def _sources(self, chunk: dict[str, Any]) -> list[Annotation]:
        """D37: the links of a chunk that no earlier one had; all of them are repeated on every chunk."""
        links = [*from_links(chunk.get("search_results")), *from_links(chunk.get("citations"))]
        new: dict[str, Annotation] = {}
        for link in links:
            if link["url"] not in self._cited:
                new.setdefault(link["url"], link)
        self._cited.update(new)
        return list(new.values())

    def read_usage(self, owner: dict[str, Any]) -> None:
        """Read the usage of a chunk, or of a choice (Kimi: W7). Usage that measures nothing does not count."""
        counts = owner.get("usage")
        if not isinstance(counts, dict) and isinstance(owner.get("x_groq"), dict):
            counts = owner["x_groq"].get("usage")  # D25
        if isinstance(counts, dict) and counts and (measured := usage.to_responses(counts)) is not None:
            self._answer["usage"] = measured  # D26: the last one counts, they are never summed

    def _read_origin(self, chunk: dict[str, Any]) -> None:
        if not self._keeps_model and isinstance(chunk.get("model"), str) and chunk["model"]:
            self._answer["model"] = chunk["model"]
        if (created := times.seconds(chunk.get("created"))) is not None:
            self._answer["created_at"] = created

    def add_reason(self, reason: str) -> bool:
        """Add a finish reason: the first one counts (D18), but for one that ends worse. Returns whether it counts."""
        ending = endings.to_responses(reason)
        meaning = endings.COMPLETED if ending is None else ending
        ends_well = self.announced == endings.COMPLETED
        if self.finish_reason is not None and (not ends_well or meaning == endings.COMPLETED):
            return False
        self.finish_reason = reason
        self.announced = meaning
        self._is_reason_known = ending is not None
        return True

    def add_damage(self, what: str) -> None:
        """Note that something cannot be read; the first time is reported."""
        self.damage = self.damage or f"The upstream sent {what}."

    def can_carry(self, value: Any) -> bool:
        """Whether a provider's own structure can be carried unread; otherwise it is damage."""
        if json.is_deep(value):
            self.add_damage("a value that is nested too deeply")
            return False
        return True

    def ending(self, clean: bool, has_output: bool) -> endings.Ending:
        """Return how the answer ended; *clean*: the stream ended with `[DONE]`."""
        if self.finish_reason is None:
            if not (clean and has_output):
                return endings.FAILED
            self._report.defaulted("finish_reason", "the upstream did not say how its answer ended")  # D19
            return endings.COMPLETED
        if not self._is_reason_known:
            self._report.approximated("finish_reason", "unknown reason; treated as a normal end", self.finish_reason)
        return self.announced

    def why_failed(self) -> str:
        """Return why there is no good end, as a sentence."""
        if self.finish_reason is None:
            return "The upstream's stream was cut off."
        return f"The upstream gave up: finish_reason '{self.finish_reason}'."
