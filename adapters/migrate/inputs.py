"""Inputs: which files are meant, what kind they are, and by what they are known again."""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from . import remote
from .errors import SettingError

STANDARD_INPUT = "-"
WORK = ".migration"
"""Ends the name of the folder that a migration has beside its output."""
_END = 64 << 10
_LONGEST = 4 << 20
"""As much of a file is read to find out whether it has lines."""
_KINDS: dict[str, str] = {
    ".jsonl": "text",
    ".ndjson": "text",
    ".json": "document",
    ".gz": "gzip",
    ".zst": "zstd",
    ".zstd": "zstd",
    ".parquet": "parquet",
    ".yaml": "vcr",
    ".yml": "vcr",
    ".har": "har",
    ".sse": "sse",
}
"""Endings of files, and how they are read; other files are text if they are named."""
WHOLE = ("document", "vcr", "har", "sse")
"""Kinds of files that are one part."""


class Source(msgspec.Struct, frozen=True):
    """A file, by what it is known again: size, time, and a hash of both ends."""

    path: str
    name: str
    """Its path inside the folder that was named, if it was found in one."""
    kind: str
    size: int
    time: int
    ends: str


def sources_of(names: Iterable[str], shape: str = "auto", own: Path | None = None) -> list[Source]:
    """Return the files that *names* mean: files, folders, globs, and URLs. Raises SettingError.

    What is found in folders and by globs is not the *own* output of an earlier run, nor of the files beside one.
    """
    found = [source for name in names for source in _found(name, shape, own)]
    if not found:
        raise SettingError("there is nothing to read")
    return found


def check(sources: Iterable[Source]) -> None:
    """Raise SettingError if a file is there twice: its lines would be converted twice."""
    known: set[str] = set()
    for source in sources:
        if source.path in known:
            raise SettingError(f"{source.path}: this input is named twice")
        known.add(source.path)


def named(path: str) -> str:
    """Return a path. Raises SettingError if it is not Unicode: neither ledger nor report could name it."""
    try:
        path.encode()
    except UnicodeEncodeError:
        raise SettingError(f"{os.fsencode(path)!r}: this name is not UTF-8; rename it, or its folder") from None
    return path


def _found(name: str, shape: str, own: Path | None) -> Iterator[Source]:
    if remote.is_remote(name):
        for url in remote.expanded(name):
            yield _source(url, "", shape)
        return
    path = Path(name)
    if path.is_dir():
        known = (file for file in path.rglob("*") if file.suffix.lower() in _KINDS)
        files = sorted(file for file in known if file.is_file() and not _is_output(file, file.relative_to(path), own))
        if not files:
            raise SettingError(f"{name}: no file in this folder has an ending that is known: {', '.join(_KINDS)}")
        for file in files:
            yield _source(str(file), str(file.relative_to(path)), shape)
        return
    if path.exists() or not glob.has_magic(name):
        yield _source(name, "", shape)
        return
    found = (match for match in glob.glob(name, recursive=True) if os.path.isfile(match))
    matches = sorted(match for match in found if not _is_output(Path(match), Path("" if WORK in name else match), own))
    if not matches:
        raise SettingError(f"{name}: no file has such a name")
    for match in matches:
        yield _source(match, "", shape)


def _is_output(file: Path, inside: Path, own: Path | None) -> bool:
    """Whether a file that was found is of an earlier run: its output, or *inside* of a folder beside an output."""
    full = Path(os.path.abspath(file))
    is_own = own is not None and (full == own or own in full.parents)
    return is_own or any(folder.suffix == WORK for folder in inside.parents)


def _source(path: str, name: str, shape: str) -> Source:
    kind = _KINDS.get(os.path.splitext(path)[1].lower(), "text")
    if kind in WHOLE and shape in ("vcr", "har"):
        kind = shape
    named(path)
    try:
        if not remote.is_remote(path) and stat.S_ISFIFO(os.stat(path).st_mode):
            raise SettingError(f"{path}: a pipe can only be read as standard input: -")
        with opened(path) as file:
            size = file.seek(0, os.SEEK_END)
            kind = "text" if kind == "document" and _has_lines(file) else kind
            full = path if remote.is_remote(path) else os.path.abspath(path)
            return Source(full, name, kind, size, _time(path), _ends(file, size))
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror or error}") from None


def _time(path: str) -> int:
    return 0 if remote.is_remote(path) else os.stat(path).st_mtime_ns


def _has_lines(file: IO[bytes]) -> bool:
    """Whether a file that is called `.json` has an object in each line, as datasets have."""
    file.seek(0)
    start = file.read(_END).lstrip(b"\xef\xbb\xbf \r\n")
    while start[:1] == b"{" and len(start) < _LONGEST and b"\n" not in start and (more := file.read(_END)):
        start += more
    first, end, rest = start.partition(b"\n")
    return bool(end) and first.rstrip().endswith(b"}") and (rest + file.read(_END)).lstrip()[:1] == b"{"


def _ends(file: IO[bytes], size: int) -> str:
    file.seek(0)
    digest = hashlib.sha256(file.read(_END))
    file.seek(max(0, size - _END))
    digest.update(file.read(_END))
    return digest.hexdigest()[:32]


def opened(path: str) -> IO[bytes]:
    """Open a file or a URL for reading bytes. Raises OSError, and SettingError if fsspec is missing."""
    return remote.opened(path) if remote.is_remote(path) else open(path, "rb")


def spooled(data: IO[bytes], path: Path) -> Source:
    """Copy standard input to a file, so that it can be read in parts; the same input is known again by its content."""
    with path.open("wb") as file:
        while block := data.read(1 << 20):
            file.write(block)
    source = _source(str(path), "", "auto")
    return msgspec.structs.replace(source, time=0)
