"""How state that goes through a client is sealed: two callables from outside, as ids and the clock are.

The translator knows what is in a seal, but has no keys. Without them the state is put into an envelope that is encoded,
not encrypted: it holds only what the upstream sent to this same client.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

REASONING = "reasoning"
COMPACTION = "compaction"
ENVELOPE = "diglot.1."


class Seals(NamedTuple):
    """What seals state for a client and opens it again, for `ServeResponses(seals=...)` and `ServeChat(seals=...)`.

    ``seal(kind, data)`` returns the text that the client keeps; *kind* is ``reasoning`` or ``compaction``.
    ``unseal(kind, text)`` returns the data; None if the text was not sealed here, for this client and this kind, or was
    altered: it must not raise. Rules: protocol 2.9.

    >>> seals = Seals(lambda kind, data: f"{kind}:{data.decode()}", lambda kind, text: text.encode())
    >>> seals.seal("reasoning", b"hm")
    'reasoning:hm'
    """

    seal: Callable[[str, bytes], str]
    unseal: Callable[[str, str], bytes | None]

    def for_upstream(self, name: str) -> Seals:
        """Return the same seals for one upstream of several: reasoning that another one wrote does not open (2.9).

        *name* has no `@`. A summary (`compaction`) belongs to the conversation, and opens everywhere.

        >>> here, there = PLAIN.for_upstream("a"), PLAIN.for_upstream("b")
        >>> sealed = here.seal("reasoning", b"hm")
        >>> here.unseal("reasoning", sealed), there.unseal("reasoning", sealed)
        (b'hm', None)
        """
        return Seals(partial(_seal_for, self, name), partial(_unseal_for, self, name))


def _seal_for(seals: Seals, upstream: str, kind: str, data: bytes) -> str:
    if kind != REASONING:
        return seals.seal(kind, data)
    return f"{seals.seal(f'{kind}@{upstream}', data)}@{upstream}"


def _unseal_for(seals: Seals, upstream: str, kind: str, text: str) -> bytes | None:
    if kind != REASONING:
        return seals.unseal(kind, text)
    sealed, at, named = text.rpartition("@")
    return seals.unseal(f"{kind}@{upstream}", sealed) if at and named == upstream else None


def _envelop(kind: str, data: bytes) -> str:
    return ENVELOPE + base64.urlsafe_b64encode(data).decode()


def _open(kind: str, text: str) -> bytes | None:
    if not text.startswith(ENVELOPE):
        return None
    try:
        return base64.b64decode(text[len(ENVELOPE) :], b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None


PLAIN = Seals(_envelop, _open)
"""The envelope that is not encrypted: what is used where no keys are. It is read everywhere."""
