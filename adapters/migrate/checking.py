"""A line is converted there and back: is it identical, equivalent, or has it lost something?"""

from __future__ import annotations

import json
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
    return "equivalent" if _bare(again.data) == _bare(made.data) else "lossy"


def _bare(data: bytes) -> Any:
    """Return the value of a line without ids, which are others each time; it may be as deep as the decoder allows."""
    return json.loads(data, object_pairs_hook=_without_id)


def _without_id(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if name != "id"}
