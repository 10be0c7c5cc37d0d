"""The ledger: which parts are done, and how much of them is in the output. It is written behind the work."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import msgspec

from ...translator import encode_json
from .errors import MigrationError, SettingError
from .inputs import Source
from .worker import Finished

try:
    import fcntl
except ImportError:
    fcntl = None
try:
    import msvcrt
except ImportError:
    msvcrt = None

LEDGER = "ledger.jsonl"
_encoder = msgspec.json.Encoder(order="deterministic")


class Plan(msgspec.Struct, frozen=True):
    """What a ledger is the ledger of."""

    version: str
    settings: dict[str, Any]
    sources: list[Source]


class Entry(msgspec.Struct, omit_defaults=True):
    """A line of the ledger: the plan, a part that is done, or how far the output goes."""

    plan: Plan | None = None
    done: Finished | None = None
    appended: int | None = None
    """The number of the part that was appended last; the sizes are those of the files behind it."""
    file: int = 0
    """The number of the file to which was appended last; there are several with `--split`."""
    file_lines: int = 0
    output: int = 0
    bad: int = 0


class Ledger:
    """The ledger in a folder; whoever has it open has the migration for himself."""

    def __init__(self, folder: Path) -> None:
        self.folder: Path = folder
        self.done: dict[int, Finished] = {}
        self.appended: Entry = Entry()
        self.plan: Plan | None = None
        self._file: IO[bytes] | None = None
        self._lock: IO[bytes] | None = None

    def open(self) -> None:
        """Read what there is. Raises SettingError if another run has it, MigrationError if it cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / "lock").open("ab")
            _take(self._lock, self.folder)
            path = self.folder / LEDGER
            whole = self._read(path.read_bytes()) if path.exists() else 0
            self._file = path.open("ab")
            self._file.truncate(whole)  # an entry that was cut off never happened
        except OSError as error:
            self.close()
            raise MigrationError(f"{error.filename or self.folder}: {error.strerror or error}") from None
        except SettingError:
            self.close()
            raise

    def _read(self, data: bytes) -> int:
        """Read whole entries, and return where they end."""
        whole = 0
        for line in data.splitlines(keepends=True):
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except msgspec.MsgspecError:
                break
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            self.plan = entry.plan or self.plan
            if entry.done is not None:
                self.done[entry.done.number] = entry.done
            if entry.appended is not None:
                self.appended = entry
        return whole

    def begin(self, plan: Plan) -> None:
        """Go on with what was begun. Raises SettingError, with the difference, if that was something else."""
        if self.plan is None:
            self._write(Entry(plan=plan))
            self.plan = plan
        elif difference := _difference(self.plan, plan):
            raise SettingError(f"{difference}; use --restart to begin anew")

    def note_done(self, part: Finished) -> None:
        """Note that a part is written."""
        self._write(Entry(done=part))
        self.done[part.number] = part

    def note_appended(self, entry: Entry) -> None:
        """Note how far the output goes."""
        self._write(entry)
        self.appended = entry

    def _write(self, entry: Entry) -> None:
        assert self._file is not None
        try:
            self._file.write(encode_json(entry) + b"\n" if entry.plan is None else _encoder.encode(entry) + b"\n")
            self._file.flush()  # what it says is on the disk before it; if its end is lost, work is done again
        except OSError as error:
            raise MigrationError(f"{self.folder}: {error.strerror or error}") from None

    def close(self) -> None:
        """Let others have it."""
        for file in (self._file, self._lock):
            if file is not None:
                file.close()
        self._file = self._lock = None


def _take(lock: IO[bytes], folder: Path) -> None:
    """Lock a file for as long as it is open, on POSIX and on Windows. Raises SettingError if another run has it."""
    windows: Any = msvcrt
    try:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif windows is not None:
            lock.seek(0)
            windows.locking(lock.fileno(), windows.LK_NBLCK, 1)
    except (BlockingIOError, PermissionError):
        raise SettingError(f"{folder}: another run is at work here") from None


def _difference(before: Plan, now: Plan) -> str:
    """Return in words what is different; the empty string if nothing is."""
    if before.version != now.version:
        return f"this was begun by diglot {before.version}, and this is {now.version}"
    for name in now.settings.keys() | before.settings.keys():
        old, new = before.settings.get(name), now.settings.get(name)
        if old != new:
            return f"this was begun with another '{name}': {_shown(old)}, now {_shown(new)}"
    for old, new in zip(before.sources, now.sources, strict=False):
        for field, word in (("path", "name"), ("size", "size"), ("time", "time of change"), ("ends", "content")):
            if getattr(old, field) != getattr(new, field):
                return f"this was begun with another input: {new.path} has another {word}"
    if len(before.sources) != len(now.sources):
        return f"this was begun with {len(before.sources)} files, now there are {len(now.sources)}"
    return ""


def _shown(value: Any) -> str:
    return encode_json(value).decode()[:80]
