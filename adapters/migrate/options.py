"""What a migration is to do: one frozen Struct, which goes to every worker."""

from __future__ import annotations

from typing import Literal

import msgspec

from ...translator import Profile, preset

Dialect = Literal["chat", "responses"]
MAX_LINE = 64 << 20
"""The longest line that is read, in bytes."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How lines are converted. The same options and the same line give the same bytes.

    >>> Options(to="responses").profile.name
    'dataset'
    """

    to: Dialect
    """The dialect of the output; lines that have it already stay as they are."""
    shape: str = "auto"
    """The name of a shape, or *auto*: each line is recognised by its fields."""
    request: str = ""
    """Where the request is in a line of another shape: a dotted path."""
    answer: str = ""
    """Where the answer is in a line of another shape: a dotted path."""
    profile: Profile = msgspec.field(default_factory=lambda: preset("dataset"))
    model: str = ""
    """The model of requests that name none."""
    strict: bool = False
    """Whether a line that would lose something is refused."""
    check: bool = False
    """Whether each line is converted back and compared."""
    values: bool = False
    """Whether the report may show values."""
    column: str = ""
    """The column of a Parquet file that has the lines."""
    max_line: int = MAX_LINE
    """Longer lines are not read, but listed with their place."""
