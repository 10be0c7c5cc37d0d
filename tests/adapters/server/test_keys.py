"""The file with the keys of clients: what is in it, who may read it, and what is never repeated."""

import hmac
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from diglot.adapters.server import keys
from diglot.adapters.server.keys import Key, Keys
from diglot.adapters.server.setting_values import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_new(file: Path) -> None:
    """A key is known by its hash; nobody else can read the file, and the key is not in it."""
    key = keys.new(file, "alice")
    other = keys.new(file, "bob@team")
    found = Keys(keys.read(file))
    assert len({key, other}) == found.count == 2
    assert (found.name_of(key.encode()), found.name_of(other.encode()), found.name_of(b"")) == (
        "alice",
        "bob@team",
        None,
    )
    assert file.stat().st_mode & 0o777 == 0o600
    assert key not in file.read_text()
    assert len(key) > 40


def test_rotation(file: Path) -> None:
    """For a while a name has two keys; then the older one goes."""
    first = keys.new(file, "alice")
    with pytest.raises(ConfigError, match="--rotate"):
        keys.new(file, "alice")
    second = keys.new(file, "alice", rotate=True)
    assert Keys(keys.read(file)).name_of(first.encode()) == "alice"
    assert keys.remove(file, "alice", but_newest=True) == 1
    found = Keys(keys.read(file))
    assert (found.name_of(first.encode()), found.name_of(second.encode())) == (None, "alice")
    with pytest.raises(ConfigError, match="bob has no key"):
        keys.new(file, "bob", rotate=True)


def test_remove(file: Path) -> None:
    """All keys of a name go, others and the mode stay; a draft is not left behind."""
    keys.new(file, "alice")
    keys.new(file, "bob")
    keys.new(file, "alice", rotate=True)
    file.chmod(0o640)
    assert keys.remove(file, "alice") == 2
    assert [key.name for key in keys.read(file)] == ["bob"]
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(file.parent.iterdir()) == [file]
    with pytest.raises(ConfigError, match="alice has no key"):
        keys.remove(file, "alice")


def test_what_is_written_by_hand(file: Path) -> None:
    """Comments and blank lines are nothing; a last line may have no end."""
    digest = keys.digest_of(b"k3y").hex()
    file.write_text(f"# ours\n\nalice {digest}")
    file.chmod(0o600)
    keys.new(file, "bob")
    assert [key.name for key in keys.read(file)] == ["alice", "bob"]
    assert Keys(keys.read(file)).name_of(b"k3y") == "alice"


def test_comments_stay(file: Path) -> None:
    """What is written beside the keys is still there when one of them is removed."""
    digest = keys.digest_of(b"k3y").hex()
    file.write_text(f"# ours\n\nalice {digest}\n# of a guest\nbob {digest}\n")
    file.chmod(0o600)
    keys.remove(file, "alice")
    assert file.read_text() == f"# ours\n\n# of a guest\nbob {digest}\n"


@pytest.mark.parametrize("locks", [True, False])
def test_two_changes_at_once(file: Path, monkeypatch: pytest.MonkeyPatch, locks: bool) -> None:
    """One waits for the other: otherwise it would write back the key that the other has removed."""
    keys.new(file, "alice")
    keys.new(file, "bob")
    if not locks:  # as on Windows: it works, but without that
        monkeypatch.setattr(keys, "fcntl", None)
    rewrite, other = keys._rewrite, threading.Thread(target=keys.remove, args=(file, "bob"))

    def slowly(*what: Any) -> None:
        monkeypatch.setattr(keys, "_rewrite", rewrite)
        other.start()
        other.join(0.2)
        rewrite(*what)

    monkeypatch.setattr(keys, "_rewrite", slowly)
    keys.remove(file, "alice")
    other.join()
    assert [key.name for key in keys.read(file)] == ([] if locks else ["bob"])


def test_what_is_no_file(file: Path) -> None:
    """A pipe is refused: nobody waits for it, neither at the start nor when settings are read again."""
    os.mkfifo(file, 0o600)
    for found in (file, file.parent):
        with pytest.raises(ConfigError, match="not a file"):
            keys.read(found)


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o602, 0o601, 0o666])
def test_others_can_read_it(file: Path, mode: int) -> None:
    """Then it is refused, and what helps is said."""
    keys.new(file, "alice")
    file.chmod(mode)
    with pytest.raises(ConfigError, match=f"mode {mode:o}.*chmod 600"):
        keys.read(file)


def test_where_files_have_no_modes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is checked then."""
    keys.new(file, "alice")
    file.chmod(0o644)
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", "nt")
        assert len(keys.read(file)) == 1
        assert keys.remove(file, "alice") == 1


@pytest.mark.parametrize(
    "text",
    [b"sk-k3y\n", b"alice k3y\n", b"a/b " + b"0" * 64, b"alice " + b"0" * 64 + b" k3y", b"\xff k3y"],
    ids=range(5),
)
def test_what_is_no_key(file: Path, text: bytes) -> None:
    """The line is named, but what is there is not repeated: it may be a key."""
    file.write_bytes(text)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match=r"line 1 is not|not a text") as caught:
        keys.read(file)
    assert "k3y" not in str(caught.value)


def test_no_file(file: Path) -> None:
    """A file that is not there, or where none can be, is an error, not an open door."""
    with pytest.raises(ConfigError, match="No such file"):
        keys.read(file)
    with pytest.raises(ConfigError, match="No such file"):
        keys.new(file / "below", "alice")
    file.symlink_to("x" * 300)
    with pytest.raises(ConfigError, match="File name too long"):
        keys.new(file, "alice")
    file.unlink()
    for name in ("", "a b", "a/b", "x" * 65, "é"):
        with pytest.raises(ConfigError, match="is not a name"):
            keys.new(file, name)


def test_a_folder_that_cannot_be_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file stays what it was."""
    keys.new(file, "alice")
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "chown", full)
    with pytest.raises(ConfigError, match="No space left"):
        keys.remove(file, "alice")
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_keys_of_a_server(file: Path) -> None:
    """From a file, from a variable, or both; without either nothing is checked. A file without keys lets nobody in."""
    assert keys.keys_of(None, None) is None
    file.touch(0o600)
    empty = keys.keys_of(str(file), None)
    assert empty is not None
    assert empty.count == 0
    key = keys.new(file, "alice")
    both = keys.keys_of(str(file), "k3y")
    assert both is not None
    assert (both.name_of(key.encode()), both.name_of(b"k3y")) == ("alice", "default")
    keys.new(file, "default")  # would own what the other one has stored
    with pytest.raises(ConfigError, match="default is the name of the key in DIGLOT_API_KEY"):
        keys.keys_of(str(file), "k3y")


def test_exchanged() -> None:
    """Those who hold the keys have the others from then on."""
    held = Keys([Key("alice", keys.digest_of(b"1"))])
    bob, carol = Key("bob", keys.digest_of(b"2")), Key("carol", keys.digest_of(b"3"))
    assert Keys([bob, carol]).has_same(Keys([carol, bob]))
    assert not Keys([bob]).has_same(Keys([bob, carol]))
    held.replace(Keys([bob]))
    assert (held.name_of(b"1"), held.name_of(b"2")) == (None, "bob")


def test_all_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """In constant time, and however early one fits."""
    seen: list[bytes] = []
    monkeypatch.setattr(hmac, "compare_digest", lambda ours, shown: seen.append(ours) or ours == shown)
    all_of_them = [Key(name, keys.digest_of(name.encode())) for name in "abc"]
    assert Keys(all_of_them).name_of(b"a") == "a"
    assert seen == [key.digest for key in all_of_them]


@pytest.mark.parametrize("single", ["", "a b", "é", "a\n", "x" * 513])
def test_problems_of_a_single_key(single: str) -> None:
    """What no header can hold; it is not repeated."""
    assert keys.problem(single)
    assert keys.problem("sk-1") is None
