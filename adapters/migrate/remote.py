"""Files that are elsewhere: `s3://`, `gs://`, `hf://` and what else fsspec knows."""

from __future__ import annotations

import re
from typing import IO, Any

from ..missing import install_hint
from .errors import SettingError

_URL = re.compile(r"[a-z][a-z0-9+.-]+://")


def is_remote(path: str) -> bool:
    """Whether a path is a URL."""
    return _URL.match(path) is not None


def expanded(url: str) -> list[str]:
    """Return the URLs that a URL with a glob means, or that are in a folder; else itself."""
    system, path = _system(url)
    try:
        is_folder = "*" not in path and system.isdir(path)
        matches = sorted(system.find(path) if is_folder else system.glob(path))
    except OSError as error:
        raise SettingError(f"{url}: {error}") from None
    if not matches:
        raise SettingError(f"{url}: there is no such file")
    return [system.unstrip_protocol(match) for match in matches]


def opened(url: str) -> IO[bytes]:
    """Open a URL for reading."""
    system, path = _system(url)
    return system.open(path, "rb")


def _system(url: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError:
        raise SettingError(install_hint(url, "fsspec", "remote")) from None
    try:
        return fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise SettingError(f"{url}: {error}") from None
