"""What chunks say about an answer as a whole: model, time, usage, and how it ended."""

from __future__ import annotations

from typing import Any

from ...losses import Report
from ...parts import endings, moderation, times, usage
from ...parts.annotations import Annotation, from_links


class Facts:
    """Collects them into the answer, wherever a server puts them."""

    def __init__(self, answer: dict[str, Any], report: Report) -> None:
        self.finish_reason: str | None = None
        self.announced = endings.COMPLETED
        """How the answer ends, as far as the upstream has said anything else than well."""
        self._answer = answer
        self._report = report
        self._cited: set[str] = set()

    def take(self, chunk: dict[str, Any], started: bool) -> list[Annotation]:
        """Read a chunk; return the links that it cites. Model and time count until the answer started (D33, D36)."""
        self.take_usage(chunk)
        if isinstance(chunk.get("service_tier"), str):
            self._answer["service_tier"] = chunk["service_tier"]
        if "moderation" in chunk and (moderated := moderation.to_responses(chunk["moderation"])) is not None:
            self._answer["moderation"] = moderated
        if not started:
            self._take_origin(chunk)
        return self._sources(chunk) if "search_results" in chunk or "citations" in chunk else []

    def _sources(self, chunk: dict[str, Any]) -> list[Annotation]:
        """D37: the links of a chunk that no earlier one had; all of them are repeated on every chunk."""
        found = [*from_links(chunk.get("search_results")), *from_links(chunk.get("citations"))]
        new: dict[str, Annotation] = {}
        for link in found:
            if link["url"] not in self._cited:
                new.setdefault(link["url"], link)
        self._cited.update(new)
        return list(new.values())

    def take_usage(self, where: dict[str, Any]) -> None:
        """Read the usage of a chunk, or of a choice (Kimi: W7). What measures nothing says nothing."""
        used = where.get("usage")
        if not isinstance(used, dict) and isinstance(where.get("x_groq"), dict):
            used = where["x_groq"].get("usage")  # D25
        if isinstance(used, dict) and used and (measured := usage.to_responses(used)) is not None:
            self._answer["usage"] = measured  # D26: the last one counts, they are never summed

    def _take_origin(self, chunk: dict[str, Any]) -> None:
        if isinstance(chunk.get("model"), str) and chunk["model"]:
            self._answer["model"] = chunk["model"]
        if (created := times.seconds(chunk.get("created"))) is not None:
            self._answer["created_at"] = created

    def take_reason(self, reason: str) -> bool:
        """Take a finish reason: the first one counts (D18), but for one that ends worse. Returns whether it counts."""
        ends_well = self.announced == endings.COMPLETED
        if self.finish_reason is not None and (not ends_well or endings.ending_of(reason) == endings.COMPLETED):
            return False
        self.finish_reason = reason
        self.announced = endings.ending_of(reason)
        return True

    def ending(self, clean: bool, said: bool) -> endings.Ending:
        """Return how the answer ended; *clean*: the stream ended with `[DONE]`; *said*: there is an answer at all."""
        if self.finish_reason is None:
            if not (clean and said):
                return endings.FAILED
            self._report.defaulted("finish_reason", "the upstream did not say how its answer ended")  # D19
            return endings.COMPLETED
        if endings.to_responses(self.finish_reason) is None:
            self._report.approximated("finish_reason", "an unknown reason is taken for an end", self.finish_reason)
        return self.announced

    def why_failed(self) -> str:
        if self.finish_reason is None:
            return "The upstream's stream was cut off."
        return f"The upstream gave up: finish_reason '{self.finish_reason}'."
