"""The output: a folder of parts, a folder of batch files, or one file to which finished parts are appended in order."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import msgspec

from ...translator import decode_json, encode_json
from . import inputs, recordings
from .errors import MigrationError, SettingError
from .inputs import Source
from .ledger import LEDGER, Entry, Ledger
from .worker import BAD, UNFINISHED, Finished, Target

SPLIT_LINES = 50_000
SPLIT_BYTES = 200_000_000
"""What a batch file may have: https://platform.openai.com/docs/guides/batch"""
_COPY = 1 << 20
_OWN_NAME = re.compile(r"(part-\d{6,}|batch-\d{5,})\.jsonl(\.zst)?")
"""Of the files that are written to a folder; the names of recordings are those of the inputs."""
_COMPRESSED = (".zst", ".zstd")


class Place(msgspec.Struct, frozen=True):
    """Where the output goes."""

    path: Path
    is_folder: bool
    splits: bool = False
    compress: bool = False

    @property
    def work(self) -> Path:
        """The folder with the ledger and the quarantine, beside it."""
        return self.path.with_name(f"{self.path.name}{inputs.WORK}")

    @property
    def begun(self) -> Path | None:
        """The output, if an earlier run has begun it."""
        ledger = self.work / LEDGER
        return self.path if ledger.exists() and ledger.stat().st_size else None

    @property
    def bad(self) -> Path:
        """The quarantine."""
        return self.work / "bad.jsonl"

    @property
    def spool(self) -> Path:
        """The copy of standard input."""
        return self.work / "stdin.jsonl"

    @property
    def keeps_parts(self) -> bool:
        """Whether parts are the output, and not only what it is made of."""
        return self.is_folder and not self.splits

    @property
    def target(self) -> Target:
        """What the workers need to know."""
        folder = self.path if self.keeps_parts else self.work / "parts"
        return Target(str(folder), self.compress, str(self.path) if self.is_folder else "")

    def file(self, number: int) -> Path:
        """The file to which parts are appended; with `--split`, there are several."""
        ending = ".jsonl.zst" if self.compress else ".jsonl"
        return self.path / f"batch-{number:05d}{ending}" if self.splits else self.path


def place_of(name: str, *, splits: bool, compress: bool) -> Place:
    """Return the place that OUT means: a folder if it is one, ends with a slash or is split. Raises SettingError."""
    path = Path(inputs.named(os.path.abspath(name)))
    if path.exists() and not (path.is_dir() or path.is_file()):
        raise SettingError(f"{name}: the output must be a file or a folder")
    is_folder = splits or path.is_dir() or name.endswith(("/", os.sep))
    if not is_folder and path.suffix == ".gz":
        raise SettingError(
            f"{name}: output is not compressed with gzip, which costs more than the conversion: use .zst"
        )
    if splits and compress:
        raise SettingError("batch files are not compressed: use --split or --compress")
    return Place(path, is_folder, splits, compress or (not is_folder and path.suffix in _COMPRESSED))


def check(place: Place, sources: Iterable[Source]) -> None:
    """Raise SettingError if the output would overwrite an input, or if whole files have no folder."""
    names: dict[str, str] = {}
    own = {place.path, place.work, *(Path(os.path.realpath(path)) for path in (place.path, place.work))}
    for source in sources:
        path = Path(source.path)
        if path == place.spool:
            continue
        real = Path(os.path.realpath(path))
        if not own.isdisjoint((path, *path.parents, real, *real.parents)) or _is_same(path, place.path):
            raise SettingError(f"{source.path}: the output would overwrite this input")
        if source.kind in recordings.KINDS:
            if not place.keeps_parts:
                raise SettingError(f"{source.path}: such a file is converted as a whole, which needs a folder as OUT")
            name = source.name or path.name
            if name in names:
                raise SettingError(f"{source.path}: the output would have the name of that of {names[name]}")
            names[name] = source.path


def check_report(place: Place, sources: Iterable[Source], name: str) -> None:
    """Raise SettingError if a report would overwrite an input, the output, or what is beside it."""
    path = Path(os.path.abspath(name))
    paths = [place.path, *(Path(source.path) for source in sources)]
    if path in paths or place.work in path.parents or any(_is_same(path, other) for other in paths):
        raise SettingError(f"--report {name}: the report would overwrite an input or the output")


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def check_new(place: Place) -> None:
    """Raise SettingError if there is something in the place that no ledger knows."""
    there = any(place.path.iterdir()) if place.path.is_dir() else place.path.exists()
    if there:
        raise SettingError(f"{place.path} is there already, and was not begun here; --restart replaces it")


def clear(place: Place) -> None:
    """Remove what an earlier run wrote; other files in a folder stay. Raises MigrationError."""
    try:
        if place.is_folder:
            for file in place.path.glob("*.jsonl*"):
                if _OWN_NAME.fullmatch(file.name):
                    file.unlink()
        else:
            place.path.unlink(missing_ok=True)
        for name in (LEDGER, "bad.jsonl"):
            (place.work / name).unlink(missing_ok=True)
        shutil.rmtree(place.work / "parts", ignore_errors=True)
    except OSError as error:
        raise MigrationError(f"{error.filename}: {error.strerror}") from None


def remove_unfinished(place: Place) -> None:
    """Remove what workers have left that were killed."""
    for folder in (place.work, place.path) if place.keeps_parts else (place.work,):
        for file in folder.rglob(f".*{UNFINISHED}"):
            file.unlink()


class Appender:
    """Puts finished parts in their order behind each other. ``entry`` says how far the output goes."""

    def __init__(self, place: Place, entry: Entry) -> None:
        self.entry: Entry = entry
        self._place = place
        self._lines_before = 0
        self._size_before = 0
        self._path = ""

    def begin(self) -> None:
        """Cut off what was appended but not noted."""
        place, entry = self._place, self.entry
        _cut(place.bad, entry.bad)
        remove_unfinished(place)
        if place.keeps_parts:
            place.path.mkdir(parents=True, exist_ok=True)
            return
        (place.work / "parts").mkdir(exist_ok=True)
        place.file(0).parent.mkdir(parents=True, exist_ok=True)
        _cut(place.file(entry.file), entry.output)
        place.file(entry.file).open("ab").close()
        number = entry.file + 1
        while place.splits and place.file(number).exists():
            place.file(number).unlink()
            number += 1

    def pass_over(self, source: Source, part: Finished) -> int:
        """Note where the next part begins in its file; return how many lines are in front of this one."""
        if source.path != self._path:
            self._path, self._lines_before, self._size_before = source.path, 0, 0
        before = self._lines_before
        self._lines_before += part.lines
        self._size_before += part.size
        return before

    def append(self, source: Source, part: Finished) -> int:
        """Append a part, and its bad lines; return how many lines of its file are in front of it."""
        lines = self.pass_over(source, part)
        size = self._size_before - part.size
        place, entry = self._place, msgspec.structs.replace(self.entry, appended=part.number)
        if not place.keeps_parts and source.kind not in recordings.KINDS:
            self._append_output(Path(part.file), entry)
        if part.tally.bad:
            with place.bad.open("ab") as out:
                _append_bad(place.work / f"part-{part.number:06d}{BAD}", out, lines, size)
                entry.bad = _finished(out)
        self.entry = entry
        return lines

    def _append_output(self, path: Path, entry: Entry) -> None:
        with path.open("rb") as part:
            if self._place.splits:
                self._split(part, entry)
                return
            with self._place.path.open("ab") as out:
                shutil.copyfileobj(part, out, _COPY)
                entry.output = _finished(out)

    def _split(self, part: IO[bytes], entry: Entry) -> None:
        out = self._place.file(entry.file).open("ab")
        try:
            for line in part:
                if entry.file_lines == SPLIT_LINES or (entry.output and entry.output + len(line) > SPLIT_BYTES):
                    _finished(out)
                    out.close()
                    entry.file, entry.file_lines, entry.output = entry.file + 1, 0, 0
                    out = self._place.file(entry.file).open("wb")
                out.write(line)
                entry.file_lines += 1
                entry.output += len(line)
            _finished(out)
        finally:
            out.close()

    def discard(self, part: Finished) -> None:
        """Remove what is in the output now."""
        if not self._place.keeps_parts:
            Path(part.file).unlink(missing_ok=True)
        (self._place.work / f"part-{part.number:06d}{BAD}").unlink(missing_ok=True)


def _append_bad(path: Path, out: IO[bytes], lines: int, size: int) -> None:
    with path.open("rb") as part:
        for line in part:
            entry = decode_json(line)
            entry["line_number"] += lines
            entry["offset"] += size
            out.write(encode_json(entry) + b"\n")


def _cut(path: Path, size: int) -> None:
    there = path.stat().st_size if path.exists() else 0
    if there < size:
        raise MigrationError(f"{path} is not what was written to it; --restart begins anew")
    if there > size:
        os.truncate(path, size)


def _finished(file: IO[bytes]) -> int:
    file.flush()
    os.fsync(file.fileno())
    return file.tell()


def spool(place: Place, data: IO[bytes]) -> Source:
    """Copy standard input to a file beside the output. Raises MigrationError, or SettingError in another run."""
    ledger = Ledger(place.work)
    ledger.open()
    try:
        return inputs.spooled(data, place.spool)
    except OSError as error:
        raise MigrationError(f"{place.spool}: {error.strerror}") from None
    finally:
        ledger.close()
