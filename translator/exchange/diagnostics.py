"""Error messages for unusable answers of an upstream, which help to find out what is wrong with the configuration."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from ..errors import UpstreamError
from ..parts.upstream_errors import read
from ..wire.json import MAX_VALUES, TooManyValues
from .base import Exchange

_LONGEST = 200
_MISSING = (404, 405)
_NOT_FOUND = ("", "not found", "method not allowed")


def no_answer(exchange: Exchange, content_type: str, error: ValueError | None = None) -> UpstreamError:
    """Return the error for a successful answer that is neither an event stream nor readable JSON (*error* says why)."""
    if isinstance(error, TooManyValues):
        return UpstreamError(f"The upstream's answer holds more than {MAX_VALUES:,} JSON values.")
    kind = content_type[:_LONGEST].partition(";")[0].strip()
    if kind in ("", "application/json", "text/event-stream"):
        return UpstreamError("The upstream's answer is not JSON.")
    return UpstreamError(f"The upstream answered with {kind}, not with {exchange.answer_kind}: is the URL right?")


def refusal(exchange: Exchange, status: int, location: str, body: bytes) -> UpstreamError:
    """Return the error for an unsuccessful answer to *exchange*."""
    refused = exchange.error(status, body) if status in _MISSING else None
    if refused and (not _is_json(body) or refused.message.lower().strip(" .") in _NOT_FOUND):
        return refused.replace(
            message=f"There is no POST /v1{exchange.endpoint} behind this server (the upstream answered {status}): "
            f"are the URL and the upstream_api right?"
        )
    return explain_status(status, body, location, exchange.error)


def explain_status(
    status: int, body: bytes, location: str = "", read_body: Callable[[int, bytes], UpstreamError] = read
) -> UpstreamError:
    """Return the error for an unsuccessful answer to any request; *location* is where it redirects to.

    >>> explain_status(307, b"", "https://me:secret@example.com/v1?key=1").message
    'The upstream redirects to https://example.com/v1; use that URL as the upstream.'
    """
    target = public_url(location)
    if 300 <= status < 400 and target:
        return UpstreamError(f"The upstream redirects to {target}; use that URL as the upstream.")
    made = read_body(status if 400 <= status <= 599 else 502, body)
    if _is_silent(body):
        return made.replace(message=f"{made.message.rstrip('.')} (the upstream answered {status or 'nothing'}).")
    return made


def public_url(url: str) -> str:
    """Return a URL without its private parts (user, password, query and fragment); "" if it is not a URL.

    >>> public_url("https://me:secret@example.com/v1?key=1")
    'https://example.com/v1'
    """
    try:
        parts = urlsplit(url[: 16 * _LONGEST])
    except ValueError:
        return ""
    start = f"{parts.scheme}://" if parts.scheme else ""
    return (start + parts.netloc.rpartition("@")[2] + parts.path)[:_LONGEST]


def _is_silent(body: bytes) -> bool:
    return body.strip() in (b"", b"{}") or body.lstrip().startswith(b"<")


def _is_json(body: bytes) -> bool:
    return body.lstrip()[:1] in (b"{", b"[", b'"')
