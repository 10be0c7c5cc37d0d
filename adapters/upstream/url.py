"""Checks the URLs of upstreams as people paste them: what is wrong with one, and which one may be meant."""

from __future__ import annotations

import re
from difflib import get_close_matches
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from ..middleware.routes import EXCHANGES

_MISTYPED_HTTP = re.compile(r"(https?)[:/\\]+(.*)", re.I)
_OTHER_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):/+(.*)", re.I)
_NO_URL = "is not a URL"
_NO_SCHEME = "is not an http:// or https:// URL"
_NO_HOST = "has no valid host and port"
_LONGEST = 200


def problem(url: str) -> str | None:
    """Return what is wrong with the URL of an upstream, without its secrets, or None."""
    fault = _fault(url)
    meant = _suggestion(url) if fault in (_NO_URL, _NO_SCHEME) else ""
    return fault and f"{_redacted(url)!r} {fault}{meant}"


def _fault(url: str) -> str | None:
    if not url.isprintable() or re.search(r"[ \\<>]", url):
        return _NO_URL
    if not re.match("https?://", url, re.I):
        return _NO_SCHEME
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return _NO_HOST
    if not _is_host(parts.hostname or "") or port == 0 or parts.netloc.endswith(":"):
        return _NO_HOST
    return "ends with a fragment, which is never sent to a server" if parts.fragment else _endpoint(parts)


def _endpoint(parts: SplitResult) -> str | None:
    path = parts.path.rstrip("/")
    end = next((end for end in sorted(EXCHANGES, key=len, reverse=True) if path.endswith(end)), None)
    if end is None:
        return None
    base = _redacted(parts._replace(path=path.removesuffix(end), query="").geturl())
    return f"is a single endpoint, not the base URL of the API; did you mean {base}?"


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            ip_address(host.partition("%")[0])
        except ValueError:
            return False
        return True
    try:
        return bool(re.fullmatch(r"[a-z0-9._-]+", host.encode("idna").decode())) and host.strip(".") != ""
    except UnicodeError:  # an empty label, or one that is too long
        return False


def _suggestion(url: str) -> str:
    """Return a hint with a corrected scheme; local servers and IP addresses rarely use TLS."""
    text = _redacted(url.strip().replace("\\", "/"))
    nearly, other = _MISTYPED_HTTP.fullmatch(text), _OTHER_SCHEME.fullmatch(text)
    if nearly:
        scheme, rest = nearly[1].lower(), nearly[2].lstrip(":/")
    elif other:
        scheme, rest = next(iter(get_close_matches(other[1].lower(), ("http", "https"), 1)), ""), other[2]
    else:
        rest = text.lstrip("/")
        named = re.match(r"[^/:\[\]]*\.[a-z]+(/|$)", rest, re.I)
        scheme = "https" if named else "http"
    guess = f"{scheme}://{rest}"
    return f"; did you mean {guess}?" if rest and _fault(guess) is None else ""


def _redacted(url: str) -> str:
    """Remove what may be private: user, password, query and fragment; if they cannot be told apart, show "..."."""
    start, slashes, rest = url.rpartition("://") if "://" in url else ("", "", url)
    before, _, place = rest.rpartition("@")
    shown = "..." if re.search(r"[?#]", before) else re.split(r"[?#]", place, maxsplit=1)[0]
    return f"{start}{slashes}{shown}"[:_LONGEST]
