"""What is needed of the request to read an answer for a Responses client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...compaction import Summary
from ...context import Context
from ...parts import upstream_errors
from ...parts.catalog import Catalog


class ResponseContext(NamedTuple):
    """What is needed of the Responses request to read its answer."""

    blank: dict[str, Any]  # the Response object before anything is known of the answer
    model: str  # what the upstream was asked for
    catalog: Catalog
    context: Context
    show_reasoning: str  # content | summary | both | off
    seal_reasoning: bool  # the client asked for encrypted reasoning
    compacts: bool  # the answer is a summary
    new_id: Callable[[str], str]
    clock: Callable[[], float]
    summary: Summary | None = None  # what was made of the history first, and comes first in the answer
    keeps_model: bool = False  # the answer carries the name in `blank`, whatever the upstream says
    caller_path: Callable[[str], str | None] = str  # turns a place in the upstream's request into the client's

    def released(self) -> ResponseContext:
        """Return what is still needed when the stream is under way: the declarations of tools are not."""
        about = {"model": self.blank["model"]}
        return self._replace(
            blank=about, catalog=self.catalog.without_declarations(), caller_path=upstream_errors.no_path
        )
