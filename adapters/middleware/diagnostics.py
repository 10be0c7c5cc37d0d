"""Errors around an answer: timeouts, and the shutdown of the server."""

from __future__ import annotations

from ...translator import UpstreamError


def too_slow() -> UpstreamError:
    """Return the error for an upstream that takes too long."""
    return UpstreamError("The upstream took too long.", status=504, code="upstream_timeout")


def shutting_down() -> UpstreamError:
    """Return the error for a request that is not over when the server shuts down."""
    return UpstreamError("The server is shutting down.", status=503)


def during_detection(error: UpstreamError) -> UpstreamError:
    """Return *error*, marked as having happened while checking which API the upstream has."""
    return error.replace(message=f"{error.message} (This happened while checking which API the upstream has.)")
