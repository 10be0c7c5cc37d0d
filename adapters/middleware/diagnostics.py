"""What to say when the upstream's answer is none: to whoever has to find out what is wrong with the set-up."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from ...translator import MAX_VALUES, Exchange, TooManyValues, UpstreamError, read_error
from ..asgi.types import Headers

_LONGEST = 200
_MISSING = (404, 405)
_NOT_FOUND = ("", "not found", "method not allowed")


def no_answer(exchange: Exchange, headers: Headers, error: ValueError | None = None) -> UpstreamError:
    """Return the error for a successful answer that is no event stream, and no JSON that is read (*error* says why)."""
    if isinstance(error, TooManyValues):
        return UpstreamError(f"The upstream's answer holds more than {MAX_VALUES:,} JSON values.")
    kind = _header(headers, b"content-type").partition(";")[0].strip()
    if kind in ("", "application/json", "text/event-stream"):
        return UpstreamError("The upstream's answer is not JSON.")
    return UpstreamError(f"The upstream answered with {kind}, not with {exchange.answer_kind}: is the URL right?")


def refusal(exchange: Exchange, status: int, headers: Headers, body: bytes) -> UpstreamError:
    """Return the error for an answer that is no success."""
    refused = exchange.error(status, body) if status in _MISSING else None
    if refused and (not _is_json(body) or refused.message.lower().strip(" .") in _NOT_FOUND):
        return refused.replace(
            message=f"There is no POST /v1{exchange.endpoint} behind this server (the upstream answered {status}): "
            f"are the URL and the upstream_api right?"
        )
    return error(status, headers, body, exchange.error)


def error(
    status: int, headers: Headers, body: bytes, read: Callable[[int, bytes], UpstreamError] = read_error
) -> UpstreamError:
    """Return the error for an answer that is no success, whatever was asked."""
    location = place(_header(headers, b"location"))
    if 300 <= status < 400 and location:
        return UpstreamError(f"The upstream redirects to {location}; give that URL as the upstream.")
    made = read(status if 400 <= status <= 599 else 502, body)
    if _is_silent(body):
        return made.replace(message=f"{made.message.rstrip('.')} (the upstream answered {status or 'nothing'}).")
    return made


def probed(error: UpstreamError) -> UpstreamError:
    """Return an error that came while it was asked what the upstream has; it says so."""
    return error.replace(message=f"{error.message} (This happened while finding out which API the upstream has.)")


def too_slow() -> UpstreamError:
    """Return the error for an upstream that has used up its time."""
    return UpstreamError("The upstream took too long.", status=504, code="upstream_timeout")


def shutting_down() -> UpstreamError:
    """Return the error for a request that outlives the server."""
    return UpstreamError("The server is shutting down.", status=503)


def place(url: str) -> str:
    """Return a URL without what may be private in it: user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    start = f"{parts.scheme}://" if parts.scheme else ""
    return (start + parts.netloc.rpartition("@")[2] + parts.path)[:_LONGEST]


def _is_silent(body: bytes) -> bool:
    return body.strip() in (b"", b"{}") or body.lstrip().startswith(b"<")


def _is_json(body: bytes) -> bool:
    return body.lstrip()[:1] in (b"{", b"[", b'"')


def _header(headers: Headers, name: bytes) -> str:
    return dict(headers).get(name, b"").decode("latin-1")[:_LONGEST]
