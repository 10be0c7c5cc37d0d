"""A migration from beginning to end: the plan, the ledger, the parts, and the output in order."""

from __future__ import annotations

import functools
import signal
import threading
from collections.abc import Callable, Iterator
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from . import output, parquet, parts, shapes
from .engines import Engine
from .errors import MigrationError
from .inputs import Source
from .ledger import Ledger, Plan
from .options import Options
from .output import Appender, Place
from .parts import Part
from .progress import Progress
from .tally import Counter, Tally
from .worker import run_part

_FEWEST = 1_000
"""The share of bad lines says nothing before so many were read."""


class Limit(msgspec.Struct, frozen=True):
    """How many bad lines there may be: a number, or a share of all."""

    number: int | None = None
    share: float | None = None

    def is_exceeded(self, tally: Tally, *, at_end: bool) -> bool:
        """Whether there are more bad lines than there may be."""
        if self.number is not None and tally.bad > self.number:
            return True
        counts = at_end or tally.lines >= _FEWEST
        return self.share is not None and counts and tally.bad > self.share * tally.lines


class Outcome(msgspec.Struct, frozen=True):
    """How a migration ended."""

    tally: Tally
    parts: int
    """How many parts are done."""
    is_complete: bool
    seconds: float = 0.0


class Migration:
    """One run: what is done already stays, and what is missing is done."""

    def __init__(
        self,
        sources: list[Source],
        place: Place,
        options: Options,
        *,
        limit: Limit = Limit(),
        sample: int = 0,
        part_size: int = parts.PART_SIZE,
    ) -> None:
        self._sources = sources
        self._place = place
        self._options = options
        self._limit = limit
        self._sample = sample
        self._part_size = part_size
        self._counter = Counter()
        self._ledger = Ledger(place.work)
        self._stops = False
        self._next = 0

    def run(self, engine: Engine, progress: Progress, *, restart: bool = False) -> Outcome:
        """Convert what is not converted yet. Raises SettingError and MigrationError."""
        output.check(self._place, self._sources)
        shapes.candidates(self._options)
        for source in self._sources:
            if source.kind == "parquet":
                parquet.check_column(source, self._options.column)
        is_new = not self._place.work.exists()
        if is_new and not restart:
            output.check_new(self._place)
        self._ledger.open()
        try:
            return self._run(engine, progress, restart)
        except OSError as error:
            raise MigrationError(f"{error.filename or self._place.path}: {error.strerror or error}") from None
        finally:
            self._ledger.close()

    def stop(self) -> None:
        """End after the parts that are under way."""
        self._stops = True

    def _run(self, engine: Engine, progress: Progress, restart: bool) -> Outcome:
        if restart:
            self._ledger.close()
            output.clear(self._place)
            self._ledger = Ledger(self._place.work)
            self._ledger.open()
        elif self._ledger.plan is None:
            output.check_new(self._place)
        self._ledger.begin(Plan(version(), self._settings(), self._sources))
        self._forget_what_is_gone()
        appender = Appender(self._place, self._ledger.appended)
        appender.begin()
        order = self._all_parts()
        waiting = next(order, None)
        place = self._place
        run = functools.partial(  # a worker imports no more than it needs
            run_part, options=self._options, target=place.target, bad_folder=str(place.work), wanted=self._wanted
        )
        with progress, _interrupts(self.stop):
            progress.begin(sum(source.size for source in self._sources))
            waiting = self._append(appender, order, waiting, progress)
            for finished in engine(run, self._missing(), lambda: self._stops):
                if finished is not None:
                    self._ledger.note_done(finished)
                    waiting = self._append(appender, order, waiting, progress)
                    if self._limit.is_exceeded(self._counter.tally, at_end=False):
                        self._stops = True
                progress.show(self._counter.tally)
        if self._limit.is_exceeded(self._counter.tally, at_end=waiting is None):
            raise MigrationError(
                f"{self._counter.tally.bad:,} lines are bad, more than --max-bad; see {self._place.bad}"
            )
        return Outcome(self._counter.tally, self._next, waiting is None, progress.seconds)

    @functools.cached_property
    def _wanted(self) -> int:
        """How many lines of each part are wanted for a sample; 0 for all."""
        return max(1, self._sample // max(1, self._sampled_parts)) if self._sample else 0

    @functools.cached_property
    def _sampled_parts(self) -> int:
        count = sum(1 for _ in parts.parts_of(self._sources, self._part_size))
        return min(count, self._sample) if self._sample else count

    def _all_parts(self) -> Iterator[Part]:
        """Yield the parts; for a sample, such as are evenly spread."""
        found = parts.parts_of(self._sources, self._part_size)
        if not self._sample or not self._sampled_parts:
            return found
        count = sum(1 for _ in parts.parts_of(self._sources, self._part_size))
        chosen = {i * count // self._sampled_parts for i in range(self._sampled_parts)}
        spread = (part for part in found if part.number in chosen)
        return (msgspec.structs.replace(part, number=i) for i, part in enumerate(islice(spread, self._sampled_parts)))

    def _missing(self) -> Iterator[Part]:
        return (part for part in self._all_parts() if part.number not in self._ledger.done)

    def _forget_what_is_gone(self) -> None:
        """A part whose file somebody has removed is done again, unless it is in the output."""
        last = self._ledger.appended.appended
        for number, part in [*self._ledger.done.items()]:
            is_kept = not self._place.keeps_parts and last is not None and number <= last
            if not is_kept and not Path(part.file).exists():
                del self._ledger.done[number]

    def _append(
        self, appender: Appender, order: Iterator[Part], waiting: Part | None, progress: Progress
    ) -> Part | None:
        """Append what is done and next in order; return the part for which others wait."""
        while waiting is not None and (finished := self._ledger.done.get(waiting.number)) is not None:
            last = self._ledger.appended.appended
            if last is not None and waiting.number <= last:
                lines = appender.pass_over(waiting.source, finished)
            else:
                lines = appender.append(waiting.source, finished)
                self._ledger.note_appended(appender.entry)
                appender.discard(finished)
            self._counter.add(finished.tally, lines)
            self._next += 1
            progress.advance(waiting.end - waiting.start if waiting.source.kind != "parquet" else 0)
            waiting = next(order, None)
        return waiting

    def _settings(self) -> dict[str, Any]:
        """Return what must be the same when a run goes on."""
        encoder = msgspec.json.Encoder(order="deterministic")
        settings = msgspec.json.decode(encoder.encode(self._options))
        return {
            **settings,
            "compress": self._place.compress,
            "split": self._place.splits,
            "sample": self._sample,
            "part_size": self._part_size,
        }


def version() -> str:
    """Return the version that a ledger names: another one may convert differently."""
    return metadata.version("diglot")


class _interrupts:
    """While it lasts, the first Ctrl-C calls *stop*; the second one ends at once."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._before: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupted)

    def _interrupted(self, *_: object) -> None:
        self._stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
