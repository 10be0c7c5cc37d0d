"""What a whole text adds to the pieces before it: nothing is added twice (W3)."""

from __future__ import annotations

from collections.abc import Iterable

from ...losses import Report
from ..growing import TextBuffer

DIFFERS = "the finished text differs from the streamed one"


def rest_of(whole: str, texts: Iterable[str | TextBuffer]) -> str | None:
    """Return what *whole* has beyond the *texts* that came before, one behind the other; None if it differs from them.

    Takes no longer than *whole*, however much came.
    """
    at = 0
    for text in texts:
        if at == len(whole):
            return ""
        if isinstance(text, TextBuffer):
            if len(text) >= 4 * (len(whole) - at):  # in UTF-8: it has no fewer characters
                return "" if text.begins_with(whole[at:]) else None
            text = text.whole()
        if not whole.startswith(text, at):
            return "" if text.startswith(whole[at:]) else None
        at += len(text)
    return whole[at:]


def new_of(rest: str | None, whole: str, loose: bool, report: Report, field: str) -> str:
    """Return what is to be added of *whole*: its *rest*, or, where it differs, all of it if that is *loose*."""
    if rest is not None:
        return rest
    if loose:
        return whole
    report.approximated(field, DIFFERS)
    return ""
