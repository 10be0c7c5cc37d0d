"""A line is converted there and back: is it identical, equivalent, or has it lost something?"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ...translator import decode_json
from .conversion import REFUSED_WHEN_STRICT
from .errors import LineError
from .lines import Converted, convert_line
from .options import Options

Outcome = Literal["identical", "equivalent", "lossy"]


def outcome_of(line: bytes, made: Converted, options: Options) -> Outcome:
    """Compare a line with what it is after it was converted back.

    *identical*: it is the same; *equivalent*: nothing was lost, and what differs is only another way to say the same,
    because both become the same, but for ids; *lossy*: everything else.

    >>> line = b'{"model":"m","input":"Hi"}'
    >>> outcome_of(line, convert_line(line, Options(to="chat")), Options(to="chat"))
    'equivalent'
    """
    if b"\n" in made.data:
        return "lossy"  # one line became several
    original = decode_json(line)
    if original == decode_json(made.data):
        return "identical"
    other = msgspec.structs.replace(options, to="chat" if options.to == "responses" else "responses", strict=False)
    try:
        back = convert_line(made.data, other)
        again = convert_line(back.data, options)
    except LineError:
        return "lossy"
    if any(loss.kind in REFUSED_WHEN_STRICT for loss in (*made.losses, *back.losses)):
        return "lossy"
    if original == decode_json(back.data):
        return "identical"
    return "equivalent" if _bare(decode_json(again.data)) == _bare(decode_json(made.data)) else "lossy"


def _bare(value: Any) -> Any:
    """Return a value without ids, which are others each time."""
    if isinstance(value, dict):
        return {name: _bare(inner) for name, inner in value.items() if name != "id"}
    return [_bare(inner) for inner in value] if isinstance(value, list) else value
