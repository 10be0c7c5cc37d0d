"""Files that are elsewhere."""

import sys

import fsspec
import pytest

from diglot.adapters.migrate import SettingError
from diglot.adapters.migrate.inputs import sources_of
from diglot.adapters.migrate.remote import is_remote, opened


@pytest.fixture
def memory() -> None:
    fsspec.filesystem("memory").pipe({"/logs/a.jsonl": b"{}\n", "/logs/b.jsonl": b"{}\n\n"})


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    ("url", "count"), [("memory://logs", 2), ("memory://logs/*.jsonl", 2), ("memory://logs/b.jsonl", 1)]
)
def test_urls(url: str, count: int) -> None:
    """Folders, globs and files; they are read as bytes."""
    found = sources_of([url])
    assert (len(found), found[-1].size, found[-1].path) == (count, 4, "memory:///logs/b.jsonl")
    assert opened(found[-1].path).read() == b"{}\n\n"


@pytest.mark.parametrize(("url", "words"), [("memory://nothing/x", "no such file"), ("nobody://x", "nobody")])
def test_wrong_urls(url: str, words: str) -> None:
    """The error names the URL."""
    with pytest.raises(SettingError, match=words):
        sources_of([url])


def test_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file system says is passed on."""

    def fail(self: object, path: str, **settings: object) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.glob", fail)
    with pytest.raises(SettingError, match="not yours"):
        sources_of(["memory://nothing/x"])


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the command that installs it."""
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(SettingError, match=r"pip install 'diglot\[remote\]'"):
        sources_of(["s3://bucket/x"])


def test_paths_are_not_remote() -> None:
    """Only URLs are."""
    assert not is_remote("/a/b.jsonl")
    assert not is_remote("C:\\a")
