"""The length limit of an answer, its stop sequences, and the number of choices (protocol 1.1, 1.5)."""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import RequestError
from ..wire import validate

MAX_COPIES = 128  # as OpenAI bounds `n`
MAX_STOPS = 64  # OpenAI takes 4, other servers more; every piece of text is looked at once for each


def is_unlimited(limit: Any) -> bool:
    """Whether a limit is 0 or less, by which clients of local servers mean that there is none (W40)."""
    return isinstance(limit, (int, float)) and not isinstance(limit, bool) and limit <= 0


def to_chat(limit: Any, path: str, context: Context) -> Any:
    """Return the limit, or None if it is none."""
    if not is_unlimited(limit):
        return limit
    context.report.dropped(path, "a limit below 1 means no limit", limit)
    return None


def to_responses(limit: Any, path: str, context: Context) -> Any:
    """Return the limit, or the least one that the upstream takes (protocol 0: OpenAI's floor is 16)."""
    limit, least = to_chat(limit, path, context), context.profile.min_output_tokens
    if not isinstance(limit, int) or isinstance(limit, bool) or limit >= least:
        return limit
    context.report.approximated(path, f"the upstream's minimum is {least}", limit)
    return least


def stops(value: Any, path: str, context: Context) -> tuple[str, ...]:
    """Return the stop sequences that are to be looked for here, as a Responses upstream knows none (1.5a).

    Raises RequestError for what are none, or too many.
    """
    if value is None:
        return ()
    listed = [value] if isinstance(value, str) else validate.array(value, path)
    if len(listed) > MAX_STOPS:
        raise RequestError(f"Invalid '{path}': array too long. At most {MAX_STOPS} are supported.", path)
    return tuple(filter(None, (validate.text(stop, f"{path}[{i}]") for i, stop in enumerate(listed))))


def copies(n: Any, path: str, context: Context) -> int:
    """Return how many requests are to be sent for so many choices (1.5b); raises RequestError for what is no number."""
    if n is None:
        return 1
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= MAX_COPIES:
        raise RequestError(f"Invalid '{path}': expected an integer from 1 to {MAX_COPIES}.", path)
    return n
