"""What to say when the upstream's answer is none: to whoever has to find out what is wrong with the set-up."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..translator import BadUpstream, ServeResponses
from .asgi_types import Headers

_LONGEST = 200
_NOT_FOUND = ("", "not found", "not found.")


def no_completion(headers: Headers) -> BadUpstream:
    """Return the error for a successful answer that is neither JSON nor an event stream."""
    kind = _header(headers, b"content-type").partition(";")[0].strip()
    if kind in ("", "application/json", "text/event-stream"):
        return BadUpstream("The upstream's answer is not JSON.")
    return BadUpstream(f"The upstream answered with {kind}, not with a chat completion: is the URL right?")


def refusal(exchange: ServeResponses, status: int, headers: Headers, body: bytes) -> BadUpstream:
    """Return the error for an answer that is no success."""
    location = place(_header(headers, b"location"))
    if 300 <= status < 400 and location:
        return BadUpstream(f"The upstream redirects to {location}; give that URL as the upstream.")
    error = exchange.error(status if 400 <= status <= 599 else 502, body)
    silent = body.strip() in (b"", b"{}") or body.lstrip().startswith(b"<")
    if status == 404 and (silent or error.message.strip().lower() in _NOT_FOUND or not _is_json(body)):
        error.message = "There is no POST /v1/chat/completions behind this server (the upstream answered 404)."
    elif silent:
        error.message = f"{error.message.rstrip('.')} (the upstream answered {status})."
    return error


def place(url: str) -> str:
    """Return a URL without what may be private in it: user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    start = f"{parts.scheme}://" if parts.scheme else ""
    return (start + parts.netloc.rpartition("@")[2] + parts.path)[:_LONGEST]


def _is_json(body: bytes) -> bool:
    return body.lstrip()[:1] in (b"{", b"[", b'"')


def _header(headers: Headers, name: bytes) -> str:
    return dict(headers).get(name, b"").decode("latin-1")[:_LONGEST]
