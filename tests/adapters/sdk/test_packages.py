"""httpx2 and httpx."""

import importlib.metadata
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest

from diglot.adapters.sdk import packages


def test_whose_class_something_has() -> None:
    """Subclasses count."""

    class Own(httpx.Client):
        pass

    assert packages.package_of(Own.__new__(Own)) is httpx
    assert packages.package_of(httpx2.Request("GET", "http://x.test")) is httpx2
    assert packages.package_of(None) is None


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        (["anyio>=4", "httpx2<3,>=2"], httpx2),
        (["httpx<1,>=0.23", "httpx-aiohttp; extra == 'aiohttp'"], httpx),
        (None, httpx2),
        (importlib.metadata.PackageNotFoundError, httpx2),
    ],
)
def test_the_one_that_the_sdk_uses(needed: Any, expected: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 3 needs httpx2, version 2 httpx; without the SDK, whatever is there is as good."""

    def requires(name: str) -> Any:
        assert name == "openai"
        if isinstance(needed, type):
            raise importlib.metadata.PackageNotFoundError
        return needed

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert packages.preferred() is expected


def test_none_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the command that helps."""
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"http_client needs httpx: pip install 'diglot\[httpx\]'"):
        packages.preferred()


def test_stream_classes_are_made_once() -> None:
    """One for each package."""

    class Body:
        def __init__(self, value: int) -> None:
            self.value = value

    package: Any = httpx
    made = packages.stream_class(package, "SyncByteStream", Body)
    assert made is packages.stream_class(package, "SyncByteStream", Body)
    assert isinstance(made(3), httpx.SyncByteStream)
    assert made(3).value == 3
