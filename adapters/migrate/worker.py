"""The work on one part: it is opened, read, converted and written by whoever runs this; no line goes anywhere else."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import IO, Any

import msgspec

from ...translator import encode_json
from . import recordings
from .checking import outcome_of
from .compressed import Writer
from .errors import LineError, MigrationError
from .line_reader import LineReader, RawLine
from .lines import LineConverter
from .options import Options
from .parts import Part
from .tally import Counter, Example, Tally

BAD = ".bad"
UNFINISHED = ".unfinished"
_BUFFER = 1 << 20


class Target(msgspec.Struct, frozen=True):
    """Where the files of parts are written."""

    folder: str
    """Of the parts."""
    compress: bool = False
    whole: str = ""
    """The folder for files that are converted as a whole, which keep their names."""

    def file_of(self, part: Part) -> Path:
        """The file of a part."""
        if self.whole and part.source.kind in recordings.KINDS:
            return Path(self.whole, part.source.name or os.path.basename(part.source.path))
        return Path(self.folder, f"part-{part.number:06d}.jsonl{'.zst' if self.compress else ''}")


class Finished(msgspec.Struct, frozen=True):
    """What is known of a part that is done."""

    number: int
    file: str
    lines: int
    """How many lines it had, blank ones too."""
    size: int
    """How much text it had."""
    tally: Tally


def run_part(part: Part, options: Options, target: Target, bad_folder: str) -> Finished:
    """Convert a part: write its file, and the lines that could not be converted beside it.

    Both are complete before they have their names; the same part gives the same bytes. Raises MigrationError if it
    cannot be read or written.
    """
    made = target.file_of(part)
    bad = Path(bad_folder, f"part-{part.number:06d}{BAD}")
    made_new, bad_new = _unfinished(made), _unfinished(bad)
    try:
        made.parent.mkdir(parents=True, exist_ok=True)
        with made_new.open("wb", _BUFFER) as out, bad_new.open("wb") as quarantine:
            work = _Work(part, options, quarantine)
            work.run(Writer(out, target.compress))
            quarantine.flush()
            for file in (out, quarantine) if work.counter.tally.bad else (out,):
                os.fsync(file.fileno())
        work.counter.tally.bytes_out = made_new.stat().st_size
        if work.counter.tally.bad:
            bad_new.replace(bad)
        else:
            bad_new.unlink()
        if part.source.kind in recordings.KINDS and not work.counter.tally.converted:
            made_new.unlink()
            made.unlink(missing_ok=True)  # of an earlier run
        else:
            made_new.replace(made)
    except OSError as error:
        for file in (made_new, bad_new):
            _remove(file)
        name = error.filename or made
        raise MigrationError(f"{name}: {error.strerror or error}") from None
    return Finished(part.number, str(made), work.reader.lines, work.reader.size, work.counter.tally)


def _unfinished(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass  # the first error says more


def _span(part: Part, options: Options) -> int:
    """Return how long a part is: in bytes if lines are found by them, else in lines, for which it is read once more."""
    if part.source.kind == "text":
        return part.end - part.start
    return sum(1 for _ in LineReader(part, options))


class _Work:
    def __init__(self, part: Part, options: Options, quarantine: IO[bytes]) -> None:
        self.counter: Counter = Counter()
        self.reader: LineReader = LineReader(part, options)
        self._part = part
        self._options = options
        self._converter = LineConverter(options)
        self._quarantine = quarantine
        self._taken = 0
        self._span = _span(part, options) if part.wanted else 0

    def run(self, out: Writer) -> None:
        for line in self.reader:
            if (line.data.strip() or line.problem) and self._is_wanted(line):
                self._convert(line, out)
                self.counter.tally.bytes_in += len(line.data) + 1
        out.finish()

    def _is_wanted(self, line: RawLine) -> bool:
        """Whether a line is the next one of the sample, which is evenly spread over the part."""
        wanted = self._part.wanted
        if not wanted:
            return True
        at = line.offset if self._part.source.kind == "text" else line.number
        if self._taken == wanted or at < self._span * self._taken // wanted:
            return False
        self._taken += 1
        return True

    def _convert(self, line: RawLine, out: Writer) -> None:
        try:
            if line.problem:
                raise LineError(line.problem)
            whole = self._part.source.kind in recordings.KINDS
            made = (
                recordings.convert_file(line.data, self._part.source.kind, self._options)
                if whole
                else self._converter.convert(line.data)
            )
        except LineError as error:
            self._set_aside(line, error)
            return
        if self._options.check and not whole:
            self.counter.checked(outcome_of(line.data, made, self._options))
        where = Example(self._part.source.path, line.number + 1)
        out.write(made.data if whole else made.data + b"\n")
        self.counter.converted(made.shape, made.model, made.losses, where, self._options.values)

    def _set_aside(self, line: RawLine, error: LineError) -> None:
        """Write what cannot be converted with its place in the part; the place in the file is filled in later."""
        self.counter.bad(bool(error.losses))
        entry: dict[str, Any] = {
            "file": self._part.source.path,
            "line_number": line.number + 1,
            "offset": line.offset,
            "error": str(error),
            "path": error.path,
        }
        if error.losses:
            entry["losses"] = [{"path": loss.path, "kind": loss.kind, "why": loss.why} for loss in error.losses]
        try:
            entry["line"] = line.data.decode()
        except UnicodeDecodeError:
            entry["base64"] = base64.b64encode(line.data).decode()
        self._quarantine.write(encode_json(entry) + b"\n")
