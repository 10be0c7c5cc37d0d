"""What a refusal teaches about an upstream: something that was added here, not by the client, is not taken there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from ..parts import errors
from ..profiles import Profile

_DEVELOPER, _ROLE = re.compile(r"\bdeveloper\b"), re.compile(r"\broles?\b|['\"`]developer['\"`]", re.I)
_OTHERS = re.compile(r"should be ['\"]?system['\"]?,")  # the list of the roles that there are
_VALUE = re.compile(
    r"too (large|small|long|high|low)|must be|at (most|least)|m(ax|in)imum|exceed|between|unsupported value", re.I
)
_LEAST = re.compile(r"(?:>=|at least|minimum(?: value)?(?: of| is)?)\s*(\d{1,4})\b", re.I)
_MOST = 1024  # nobody asks for so little and gets so much
_VALUE_CODES = ("unsupported_value", "invalid_value", "context_length_exceeded")
_UNKNOWN_CODES = ("unsupported_parameter", "unknown_parameter")
_UNKNOWN = re.compile(
    r"unsupported|not supported|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed|extra (inputs|fields)",
    re.I,
)


def learned(profile: Profile, request: dict[str, Any], status: int, body: bytes) -> Profile | None:
    """Return a profile that fits better to an upstream that refused *request*; None if nothing was learned."""
    if status not in (400, 422):
        return None
    error = errors.read(status, body)
    said = f"{error.param} {error.message}"
    is_value = error.code in _VALUE_CODES or _VALUE.search(said) is not None
    is_unknown = error.code in _UNKNOWN_CODES or _UNKNOWN.search(error.message) is not None
    limit = next((name for name in ("max_tokens", "max_completion_tokens") if name in request), None)
    if "stream_options" in request and "stream_options" in said:
        return msgspec.structs.replace(profile, stream_usage=False)
    if (
        profile.developer_role == "developer"
        and _ROLE.search(said)
        and (_DEVELOPER.search(said) or _OTHERS.search(said))
    ):
        return msgspec.structs.replace(profile, developer_role="system")
    if limit and is_unknown and not is_value and re.search(rf"\b{limit}\b", said):
        renamed = {k: v for k, v in profile.renamed.items() if k != "max_completion_tokens"}
        if limit == "max_completion_tokens":
            renamed["max_completion_tokens"] = "max_tokens"
        return msgspec.structs.replace(profile, renamed=renamed)
    return None


def learned_of(
    added: Iterable[str], profile: Profile, request: dict[str, Any], status: int, body: bytes
) -> Profile | None:
    """Return a profile without the fields that were *added* to a Responses request and the upstream does not know.

    Or one with the least limit that it takes, if it says which.
    """
    if status not in (400, 422):
        return None
    error = errors.read(status, body)
    least = _LEAST.search(error.message) if "max_output_tokens" in f"{error.param} {error.message}" else None
    if least and isinstance(given := request.get("max_output_tokens"), int) and given < int(least[1]) <= _MOST:
        return msgspec.structs.replace(profile, least_output_tokens=int(least[1]))
    if error.code not in _UNKNOWN_CODES and _UNKNOWN.search(error.message) is None:
        return None
    said = error.param or error.message
    refused = frozenset(name for name in added if re.search(rf"(?<![\w.]){name}\b", said))
    return (
        msgspec.structs.replace(profile, responses_unsupported=profile.responses_unsupported | refused)
        if refused
        else None
    )
