"""The field of the tables that a path in a request or an answer is about, for counting losses."""

from __future__ import annotations

import re
from functools import lru_cache

from .fields import ANSWER, COMPLETION, OPTIONAL, REQUEST

_INDEX = re.compile(r"\[[^]]*\]")
_LONGEST = 200
_ROWS = [name for row in REQUEST for name in (row.responses, row.chat) if name]
NAMES: frozenset[str] = frozenset(
    _INDEX.sub("", name) for name in [*_ROWS, *(field.name for field in (*ANSWER, *OPTIONAL, *COMPLETION))]
)
"""The names of all fields of the tables, without indexes."""
OTHER = "other"


def table_field(path: str) -> str:
    """Return the name of the field in FIELDS.md that *path* leads to or into, without indexes, or `other`.

    There are only so many names, whatever clients send, so they can be labels of a metric.

    >>> table_field("tools[3].function.strict"), table_field("reasoning.effort"), table_field("x-of-a-client")
    ('tools', 'reasoning.effort', 'other')
    """
    return _field_of(path[:_LONGEST])


@lru_cache(4_096)  # clients repeat themselves
def _field_of(path: str) -> str:
    name = _INDEX.sub("", path)
    while name and name not in NAMES:
        name = name.rpartition(".")[0]
    return name or OTHER
