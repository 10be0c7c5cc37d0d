"""A migration from beginning to end: the plan, the ledger, the parts, and the output in order."""

from __future__ import annotations

import functools
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from . import inputs, output, parquet, parts, shapes
from .engines import Engine, in_this_process
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
    lines: int = 0
    """How many lines the parts have, also those that a sample leaves out."""
    size: int = 0
    """How many bytes of the inputs the parts are."""


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
        self._read_lines = self._read_size = 0
        self._earlier: frozenset[int] = frozenset()

    def run(self, engine: Engine, progress: Progress, *, restart: bool = False) -> Outcome:
        """Convert what is not converted yet. Raises SettingError and MigrationError."""
        inputs.check(self._sources)
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
            run_part, options=self._options, target=place.target, bad_folder=str(place.work)
        )
        with progress, _interrupts(self.stop):
            self._earlier = frozenset(self._ledger.done)
            progress.begin(self._size, self._earlier_size)
            waiting = self._append(appender, order, waiting, progress)
            for finished in engine(run, self._missing(), lambda: self._stops):
                if finished is not None:
                    self._ledger.note_done(finished)
                    waiting = self._append(appender, order, waiting, progress)
                    if self._limit.is_exceeded(self._counter.tally, at_end=False):
                        self._stops = True
                progress.show(self._counter.tally, is_ending=self._stops)
        output.remove_unfinished(self._place)  # an engine may do a part again whose worker was killed
        if self._limit.is_exceeded(self._counter.tally, at_end=waiting is None):
            raise MigrationError(
                f"{self._counter.tally.bad:,} lines are bad, more than --max-bad; see {self._place.bad}"
            )
        outcome = Outcome(self._counter.tally, self._next, waiting is None, progress.seconds)
        return msgspec.structs.replace(outcome, lines=self._read_lines, size=self._read_size)

    def _all_parts(self) -> Iterator[Part]:
        """Yield the parts; of a sample, those that have lines of it."""
        return iter(self._chosen) if self._sample else parts.parts_of(self._sources, self._part_size)

    @functools.cached_property
    def _chosen(self) -> list[Part]:
        size = sum(source.size for source in self._sources)
        return [*parts.sampled(parts.parts_of(self._sources, self._part_size), size, self._sample)]

    @property
    def _size(self) -> int:
        """How many bytes there are to read."""
        return sum(each.size for each in (self._chosen if self._sample else self._sources))

    @property
    def _earlier_size(self) -> int:
        """How many of them an earlier run has read."""
        return sum(part.size for part in self._all_parts() if part.number in self._earlier) if self._earlier else 0

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
            self._read_lines += finished.lines
            self._read_size += waiting.size
            if waiting.number not in self._earlier:
                progress.advance(waiting.size)
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


def migrate_files(
    names: Iterable[str],
    out: str,
    options: Options,
    *,
    engine: Engine = in_this_process,
    part_size: int = parts.PART_SIZE,
    restart: bool = False,
) -> Outcome:
    """Convert files as `diglot migrate` does, with an engine of your own if you like; the same call again goes on.

    *names* are files, folders, globs and URLs; *out* is a file, or a folder if it ends with a slash. What cannot be
    converted is in `bad.jsonl` in the folder `OUT.migration`, and counted in the outcome. Raises SettingError if a
    setting or an input is wrong, and MigrationError if something cannot be read or written.

    >>> import pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> source, out = pathlib.Path(folder.name, "in.jsonl"), pathlib.Path(folder.name, "out.jsonl")
    >>> _ = source.write_text('{"model":"m","input":"Hi"}')
    >>> migrate_files([str(source)], str(out), Options(to="chat")).tally.converted
    1
    >>> out.read_text()
    '{"model":"m","messages":[{"role":"user","content":"Hi"}]}\\n'
    >>> folder.cleanup()
    """
    place = output.place_of(out, splits=False, compress=False)
    migration = Migration(inputs.sources_of(names, options.shape), place, options, part_size=part_size)
    return migration.run(engine, Progress(sys.stderr, is_quiet=True), restart=restart)


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
