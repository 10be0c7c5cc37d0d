"""Errors of what happens around an answer: time that is up, and a server that ends."""

from __future__ import annotations

from ...translator import UpstreamError


def too_slow() -> UpstreamError:
    """Return the error for an upstream that has used up its time."""
    return UpstreamError("The upstream took too long.", status=504, code="upstream_timeout")


def shutting_down() -> UpstreamError:
    """Return the error for a request that outlives the server."""
    return UpstreamError("The server is shutting down.", status=503)


def during_detection(error: UpstreamError) -> UpstreamError:
    """Return an error that came while it was asked what the upstream has; it says so."""
    return error.replace(message=f"{error.message} (This happened while finding out which API the upstream has.)")
