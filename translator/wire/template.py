"""A frame with holes: the event about one more piece of a text differs from the one before in a few places only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

HOLE = "\ue000hole\ue000"
"""Stands in an event where each frame has another value, which is filled in as JSON."""
NUMBER = "\ue000number\ue000"
"""Stands where each frame has another number."""
_HOLE, _NUMBER = f'"{HOLE}"'.encode(), f'"{NUMBER}"'.encode()


class FrameTemplate:
    """Frames of events that are all alike; ``fill`` takes the values of the holes, in their order, as one tuple.

    The last hole is behind the last member of the event: more members, each with a comma in front of it, or nothing.

    >>> from diglot.translator.wire import sse
    >>> template = FrameTemplate.of({"type": "x", "sequence_number": NUMBER, "delta": HOLE}, sse.data)
    >>> template.fill((7, b'"Hello"', b""))
    b'data: {"type":"x","sequence_number":7,"delta":"Hello"}\\n\\n'
    """

    def __init__(self, pattern: bytes) -> None:
        self.fill: Callable[[tuple[Any, ...]], bytes] = pattern.__mod__

    @classmethod
    def of(cls, event: dict[str, Any], frame: Callable[[dict[str, Any]], bytes]) -> FrameTemplate | None:
        """Return the template of *event*, in which one HOLE, or more, and NUMBERs stand; *frame* encodes an event.

        None where a text of the event looks like one of these: then there are frames, but no template.
        """
        holes = _count(event)
        pattern = frame(event).replace(b"%", b"%%")
        if pattern.count(HOLE.encode()) + pattern.count(NUMBER.encode()) != holes:
            return None
        body, brace, end = pattern.rpartition(b"}")
        return cls(body.replace(_HOLE, b"%b").replace(_NUMBER, b"%d") + b"%b" + brace + end)


def _count(value: Any) -> int:
    """How many holes there are; events are not deep."""
    if isinstance(value, dict):
        return sum(map(_count, value.values()))
    if isinstance(value, list):
        return sum(map(_count, value))
    return value is HOLE or value is NUMBER
