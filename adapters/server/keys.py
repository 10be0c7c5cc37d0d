"""The keys that clients must show: a file with the name and the SHA-256 of each, so that nobody can read them there.

A line is `NAME HEX`; what begins with `#` is a comment. The keys are random and long, so a plain hash is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from .setting_values import ConfigError

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None

SINGLE = "default"
"""The name of the key in `DIGLOT_API_KEY`."""
_PREFIX = "sk-diglot-"
_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_LINE = re.compile(r"(\S+)\s+([0-9a-f]{64})")
_OF_OTHERS = stat.S_IRWXO | stat.S_IWGRP
_OWN = stat.S_IRUSR | stat.S_IWUSR
_LONGEST = 512


class Key(NamedTuple):
    """A key as it is kept."""

    name: str
    digest: bytes


class Keys:
    """Says whose a key is. The keys can be exchanged while requests are served."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple(keys)

    @property
    def count(self) -> int:
        """How many there are. There may be none: then nobody is let in."""
        return len(self._keys)

    def has_same(self, others: Keys) -> bool:
        """Whether *others* are the same keys, in whatever order."""
        return set(self._keys) == set(others._keys)

    def replace(self, others: Keys) -> None:
        """Have the keys of *others* from now on."""
        self._keys = others._keys

    def name_of(self, shown: bytes) -> str | None:
        """Return the name of a key, or None; how long that takes says nothing about the keys."""
        digest = digest_of(shown)
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key.name
        return found


def digest_of(key: bytes) -> bytes:
    """Return what is kept of a key."""
    return hashlib.sha256(key).digest()


def keys_of(file: str | None, single: str | None) -> Keys | None:
    """Return the keys of a server, or None if it checks none. Raises ConfigError."""
    if file is None and single is None:
        return None
    keys = [] if file is None else read(Path(file))
    if single is None:
        return Keys(keys)
    if any(key.name == SINGLE for key in keys):
        raise ConfigError(f"api_keys: {file}: {SINGLE} is the name of the key in DIGLOT_API_KEY; use another one here")
    return Keys([*keys, Key(SINGLE, digest_of(single.encode()))])


def problem(single: str) -> str | None:
    """Return what is wrong with a single key, without repeating it, or None."""
    if not single.isascii() or not single.isprintable() or " " in single or not single:
        return "a key has only printable characters of ASCII, without spaces"
    return f"a key has at most {_LONGEST} characters" if len(single) > _LONGEST else None


def read(file: Path) -> list[Key]:
    """Return the keys in a file. Raises ConfigError: no file, one that others can read, or a line that is no key."""
    return [_key(file, number, line) for number, line in enumerate(_lines(file), 1) if _has_key(line)]


def _lines(file: Path) -> list[str]:
    try:
        if not file.is_file() and file.exists():  # to open a pipe may take forever
            raise ConfigError(f"api_keys: {file}: not a file")
        with file.open(encoding="utf-8") as opened:
            _check_mode(file, os.fstat(opened.fileno()).st_mode)
            return opened.read().splitlines()
    except OSError as error:
        raise ConfigError(f"api_keys: {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"api_keys: {file}: not a text in UTF-8") from None


def _has_key(line: str) -> bool:
    return bool(line.strip()) and line[0] != "#"


def _check_mode(file: Path, mode: int) -> None:
    if os.name == "posix" and mode & _OF_OTHERS:
        raise ConfigError(
            f"api_keys: {file}: others can read or change it (mode {mode & 0o777:o}); use: chmod 600 {file}"
        )


def _key(file: Path, number: int, line: str) -> Key:
    """Read a line; the error does not repeat it: it may be a key that somebody wrote there."""
    match = _LINE.fullmatch(line.strip())
    if match is None or not _NAME.fullmatch(match[1]):
        raise ConfigError(
            f"api_keys: {file}: line {number} is not a name and a SHA-256 in hex; use: diglot keys new NAME"
        )
    return Key(match[1], bytes.fromhex(match[2]))


def new(file: Path, name: str, *, rotate: bool = False) -> str:
    """Make a key, append it to a file, and return it. Raises ConfigError.

    A name has one key, or several while clients change from one to the next (*rotate*).
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is not a name: up to 64 letters, digits and . _ @ -")
    with _locked(file):
        has_key = file.exists() and any(key.name == name for key in read(file))
        if has_key != rotate:
            fault = "has a key; use --rotate for another one beside it" if has_key else "has no key"
            raise ConfigError(f"{file}: {name} {fault}")
        key = _PREFIX + secrets.token_urlsafe(_BYTES)
        _append(file, f"{name} {digest_of(key.encode()).hex()}\n")
    return key


def _append(file: Path, line: str) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, _OWN)
    with open(descriptor, "r+b", buffering=0) as opened:
        opened.seek(max(opened.seek(0, os.SEEK_END) - 1, 0))
        ends_well = opened.read(1) in (b"", b"\n")
        opened.write(("" if ends_well else "\n").encode() + line.encode())


def remove(file: Path, name: str, *, but_newest: bool = False) -> int:
    """Remove the keys of a name, or all of them *but the newest*; return how many. Raises ConfigError."""
    with _locked(file):
        lines = _lines(file)
        named = [
            number for number, line in enumerate(lines) if _has_key(line) and _key(file, number + 1, line).name == name
        ]
        if not named:
            raise ConfigError(f"{file}: {name} has no key")
        gone = set(named[:-1] if but_newest else named)
        _rewrite(file, "".join(f"{line}\n" for number, line in enumerate(lines) if number not in gone))
    return len(gone)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Let nobody else change the file meanwhile, or a key that was removed would be back. Raises ConfigError.

    The lock is that of the folder: the file itself is replaced.
    """
    try:
        if fcntl is None:
            yield
            return
        folder = os.open(file.resolve().parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None


def _rewrite(file: Path, text: str) -> None:
    """Write a file as a whole or not at all; it keeps its owner and its mode."""
    target = file.resolve()
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        before = target.stat()
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWN), "w", encoding="utf-8") as opened:
            opened.write(text)
        if os.name == "posix":
            os.chown(draft, before.st_uid, before.st_gid)
            draft.chmod(stat.S_IMODE(before.st_mode))
        draft.replace(target)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
