"""Keeps credentials out of what is shown: headers and query parameters by a list, bodies by what looks like one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import parse_qsl

HIDDEN = "(hidden)"
_MAX_HEADERS = 60
_MAX_TEXT = 300
_SHORTEST = 8  # bytes of a credential that is looked for in bodies: what is shorter may be a word
_SHOWN = frozenset(
    """accept accept-encoding accept-language cache-control cf-ray connection content-encoding content-length
    content-type conversation_id date diglot-losses host idempotency-key origin originator referrer-policy retry-after
    server session-id session_id traceparent transfer-encoding user-agent vary version via x-client-request-id
    x-request-id x-should-retry""".split()
)
_SHOWN_PREFIXES = ("openai-", "x-codex-", "x-ratelimit-", "x-stainless-")
_SHOWN_PARAMETERS = frozenset(
    "after api-version before beta include include_obfuscation limit order starting_after stream".split()
)
_CREDENTIAL = re.compile(r"auth|key|token|secret|cookie|pass|cred", re.I)
_SCHEME = re.compile(rb"(?:bearer|basic|token)\s+", re.I)
_IN_URL = re.compile(rb"://([^\s/\"'@\\?#<>]{1,300})@")
_MEMBER = re.compile(
    rb'"(?:(?:proxy-)?authorization|(?:x-)?api[_-]?key|access_token|client_secret|password|(?:set-)?cookie)"'
    rb'\s*:\s*"((?:[^"\\]|\\.)+)',
    re.I,
)
_REMOTE_TOOL = b'"server_label"'
"""What every tool of an MCP server has: only those have credentials in a body."""
_TOOL_HEADERS = re.compile(rb'"headers"\s*:\s*\{(?:[^}"]|"(?:[^"\\]|\\(?:.|\Z))*(?:"|\Z))*')
_TOOL_QUERY = re.compile(rb'"server_url"\s*:\s*"[^"?]*\?((?:[^"\\]|\\.)+)')
_TEXT = re.compile(rb'"((?:[^"\\]|\\(?:.|\Z))+)(?:"(\s*:)?|\Z)')
"""A string, and the colon if it is a name. A body that is cut may end within it."""


@lru_cache(1024)
def _is_shown(name: bytes) -> bool:
    text = name.decode("latin-1")
    return text in _SHOWN or text.startswith(_SHOWN_PREFIXES)


@lru_cache(1024)
def _is_credential(name: bytes) -> bool:
    return not _is_shown(name) and _CREDENTIAL.search(name.decode("latin-1")) is not None


def shown_headers(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Return the headers as text; values of those that are not known to be harmless are hidden."""
    return [
        (name[:_MAX_TEXT].decode("latin-1"), value[:_MAX_TEXT].decode("latin-1") if _is_shown(name) else HIDDEN)
        for name, value in headers[:_MAX_HEADERS]
    ]


def shown_target(path: str, query: bytes) -> str:
    """Return path and query; values of parameters that are not known to be harmless are hidden."""
    if not query:
        return path[:_MAX_TEXT]
    pairs = parse_qsl(query[: 8 * _MAX_TEXT].decode("latin-1"), keep_blank_values=True)
    shown = "&".join(f"{name}={value if name in _SHOWN_PARAMETERS else HIDDEN}" for name, value in pairs)
    return f"{path[:_MAX_TEXT]}?{shown}"[: 2 * _MAX_TEXT]


def secrets_in(headers: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, ...]:
    """Return the credentials in the headers, which must not be shown where somebody repeats them."""
    found: list[bytes] = []
    for name, value in headers:
        if name == b"cookie":
            found += [pair.partition(b"=")[2].strip() for pair in value.split(b";")]
        elif _is_credential(name):
            found.append(_SCHEME.sub(b"", value, 1))
    return tuple(secret for secret in found if len(secret) >= _SHORTEST)


class Redaction:
    """Overwrites credentials in bodies: *secrets* that were sent along, and what looks like one."""

    def __init__(self, secrets: tuple[bytes, ...]) -> None:
        self._secrets = secrets

    def clean(self, text: bytes) -> bytes:
        """Return *text* with `*` for every byte of a credential, so that nothing moves; the same object without any."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, b"*" * len(secret))
        if b"@" in text and b"://" in text:
            text = _IN_URL.sub(_starred, text)
        if _REMOTE_TOOL in text:
            text = _MEMBER.sub(_starred, text)
            text = _TOOL_QUERY.sub(_starred, text)
            text = _TOOL_HEADERS.sub(_values_starred, text)
        return text

    def clean_text(self, text: str) -> str:
        """Return *text* without credentials."""
        return self.clean(text.encode("utf-8", "replace")).decode() if text else text


def _starred(match: re.Match[bytes]) -> bytes:
    start, end = match.span(1)
    begin = match.start()
    whole = match[0]
    return whole[: start - begin] + b"*" * (end - start) + whole[end - begin :]


def _values_starred(match: re.Match[bytes]) -> bytes:
    return _TEXT.sub(lambda text: text[0] if text[2] else _starred(text), match[0])
