"""The ledger."""

import fcntl
import os
from pathlib import Path

import msgspec
import pytest

from diglot.adapters.migrate import MigrationError, SettingError, ledger
from diglot.adapters.migrate.ledger import Entry, Ledger, Plan
from diglot.adapters.migrate.tally import Tally
from diglot.adapters.migrate.worker import Finished

PLAN = Plan("1", {"to": "chat"}, [])


def finished(number: int) -> Finished:
    return Finished(number, f"part-{number}", 3, 10, Tally(lines=3, models={"m": 3}))


def reopened(folder: Path) -> Ledger:
    found = Ledger(folder)
    found.open()
    found.close()
    return found


def filled(folder: Path) -> Path:
    book = Ledger(folder)
    book.open()
    book.begin(PLAN)
    for number in range(2):
        book.note_done(finished(number))
    book.note_appended(Entry(appended=0, output=7))
    book.close()
    return folder / "ledger.jsonl"


def test_what_was_noted_is_read(tmp_path: Path) -> None:
    """The plan, what is done, and how far the output goes."""
    filled(tmp_path)
    found = reopened(tmp_path)
    assert (found.plan, found.done, found.appended.output) == (PLAN, {0: finished(0), 1: finished(1)}, 7)
    found.close()


@pytest.mark.parametrize("damage", [b'{"done": {"number": 5', b"\0\0\0\n", b'{"appended": 1, "output": 9}'])
def test_an_entry_that_was_cut_off(tmp_path: Path, damage: bytes) -> None:
    """It never happened, and the next one is written in its place."""
    path = filled(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole + damage)
    assert reopened(tmp_path).appended.output == 7
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (msgspec.structs.replace(PLAN, version="2"), "begun by diglot 1, and this is 2"),
        (msgspec.structs.replace(PLAN, settings={"to": "responses"}), 'another \'to\': "chat", now "responses"'),
    ],
)
def test_another_plan(tmp_path: Path, other: Plan, words: str) -> None:
    """It is refused, with the difference."""
    filled(tmp_path)
    found = Ledger(tmp_path)
    found.open()
    found.begin(PLAN)
    with pytest.raises(SettingError, match=words):
        found.begin(other)
    found.close()


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """It is a failure that names the folder."""
    found = Ledger(tmp_path)
    found.open()
    assert found._file is not None
    found._file.close()
    found._file = os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb", buffering=0)
    with pytest.raises(MigrationError, match="No space left"):
        found.begin(PLAN)
    found.close()


def test_the_lock_of_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is of the first byte of the file, and refused to the second who wants it."""
    places: list[tuple[int, int]] = []

    class Windows:
        LK_NBLCK = 2

        @staticmethod
        def locking(file: int, mode: int, size: int) -> None:
            places.append((os.lseek(file, 0, os.SEEK_CUR), size))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PermissionError(13, "Permission denied") from None

    monkeypatch.setattr(ledger, "fcntl", None)
    monkeypatch.setattr(ledger, "msvcrt", Windows)
    found = Ledger(tmp_path)
    found.open()
    with pytest.raises(SettingError, match="another run is at work here"):
        Ledger(tmp_path).open()
    found.close()
    assert reopened(tmp_path).plan is None
    assert {*places} == {(0, 1)}


def test_a_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs are not told apart there."""
    monkeypatch.setattr(ledger, "fcntl", None)
    found = Ledger(tmp_path)
    found.open()
    assert reopened(tmp_path).plan is None
    found.close()
