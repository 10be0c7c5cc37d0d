"""Aliases for tool names and call ids that an upstream would refuse.

An alias is short, unique, and depends only on what was named before it: the same request gets the same aliases.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from ..context import Context

NAME_LIMIT = 64
Name = tuple[str | None, str]
"""The namespace of a tool, if it has one, and its name."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)


def flatten(name: str, namespace: str | None, attempt: int = 0) -> str:
    """Return ``namespace__name``, or the name alone, as upstreams take names: 64 letters, digits, ``_`` and ``-``.

    What is cut or changed has a hash of the whole at its end. So it is, too, from the second *attempt* on: each gives
    another word, for the case that somebody else has the first one. A name that is empty stays what it is.
    """
    whole = f"{namespace}__{name}" if namespace and namespace != name else name
    if not whole or (not attempt and _PLAIN_NAME.fullmatch(whole)):
        return whole
    clean = _NOT_IN_NAMES.sub("_", whole[: NAME_LIMIT - 9])
    return f"{clean}_{_digest(whole, attempt)[:8]}"


def _digest(text: str, attempt: int) -> str:
    salted = f"{attempt} {text}" if attempt else text
    return hashlib.sha256(salted.encode("utf-8", "surrogatepass")).hexdigest()


class ToolNames:
    """The names of the tools of one request, from the client's to the upstream's and back."""

    def __init__(self) -> None:
        self._flat: dict[Name, str] = {}
        self._own: dict[str, Name] = {}

    def flat(self, name: str, namespace: str | None = None) -> str:
        """Return the upstream's name for a tool of the client; two tools never have the same one."""
        own = (None if not namespace or namespace == name else namespace, name)
        flat = self._flat.get(own)
        if flat is None:
            flat = name
            if own[0] is not None or name in self._own or not _PLAIN_NAME.fullmatch(name):
                flat = _first_free(lambda attempt: flatten(name, namespace, attempt), self._own)
            self._flat[own] = flat
            self._own[flat] = own
        return flat

    def own(self, flat: str) -> Name | None:
        """Return the client's name for one that the upstream knows; None if it was never told that."""
        return self._own.get(flat)

    def caller_name(self, flat: str) -> str:
        """Return the client's name without its namespace, or *flat* itself where there is none."""
        name = self._own.get(flat)
        return name[1] if name else flat


def report_alias(name: str, flat: str, path: str, context: Context) -> None:
    """Say that the upstream knows a tool by another name: its letters or its length would be refused (W13)."""
    if flat != name:
        context.report.emulated(f"{path}.name", "sent to the upstream under a shorter or simpler name", name)


class CallIds:
    """Call ids for upstreams that accept only nine letters and digits."""

    def __init__(self) -> None:
        self._short: dict[str, str] = {}
        self._taken: set[str] = set()

    def short(self, call_id: str) -> str:
        """Return the upstream's id for one of the client: the same for a call and its result."""
        short = self._short.get(call_id)
        if short is None:
            short = self._short[call_id] = _first_free(lambda attempt: _nine(call_id, attempt), self._taken)
            self._taken.add(short)
        return short


_NINE = re.compile(r"[A-Za-z0-9]{9}", re.ASCII)


def _nine(call_id: str, attempt: int) -> str:
    return call_id if not attempt and _NINE.fullmatch(call_id) else _digest(call_id, attempt)[:9]


def _first_free(alias: Callable[[int], str], taken: dict[str, Name] | set[str]) -> str:
    attempt = 0
    while (candidate := alias(attempt)) in taken:
        attempt += 1
    return candidate
