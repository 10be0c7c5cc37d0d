"""A client's request: from its bytes to the bytes of the translated one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import RequestError, TranslationError
from ..wire import json
from ..wire.payloads import Buffer, DetachedPayloads, detach
from .base import Exchange

Made = TypeVar("Made", bound=Exchange)


class RequestBody:
    """A decoded request; in its ``body``, marks may stand for payloads (`wire/payloads.py`).

    If ``is_large``, work on it takes long and belongs in a thread of its own, where it lets other threads run.
    """

    def __init__(self, body: Any, payloads: DetachedPayloads | None = None, size: int = 0) -> None:
        self.body: Any = body
        self.is_large: bool = size > LARGE
        self._in_steps = size > _IN_STEPS
        self._payloads = payloads

    @classmethod
    def read(cls, data: bytes | bytearray) -> RequestBody:
        """Decode *data*; raises RequestError for what is not JSON, wherever that can be seen outside of payloads."""
        payloads = detach(data)
        return cls(_decoded(payloads.skeleton if payloads else data), payloads, len(data))

    def check(self) -> None:
        """Raise RequestError for payloads that JSON cannot hold: worth its time when an upstream has refused."""
        if self._payloads is not None:
            _decoded(self._payloads.data)

    @property
    def has_payloads(self) -> bool:
        """Whether marks stand for payloads in ``body``."""
        return self._payloads is not None

    def whole(self) -> Any:
        """Return the body with its payloads decoded, too; raises RequestError if they are no JSON."""
        if self._payloads is not None:
            self.body, self._payloads = _decoded(self._payloads.data), None
        return self.body

    def replaced(self, **values: Any) -> list[Buffer]:
        """Return the pieces of the same object with other *values*; raises RequestError as `whole` does."""
        if self._payloads is not None:
            pieces = self._payloads.reattach(json.encode({**self.body, **values}))
            if pieces is not None:
                return pieces
        return _encoded({**self.whole(), **values}, self._in_steps)

    def translate(self, make: Callable[[Any], Made]) -> tuple[Made, list[Buffer]]:
        """Return the exchange that *make* makes of the body, and the pieces to send; raises what it raises.

        Where anybody would see a mark, all is done again with the whole body.
        """
        if self._payloads is not None:
            result = _translate_skeleton(self.body, self._payloads, make)
            if result is not None:
                return result
        exchange = make(self.body if self._payloads is None else self.whole())
        if exchange.to_keep is not None:
            exchange.kept = b"[%b]" % b",".join(map(json.encode, exchange.to_keep))
        return exchange, _encoded(exchange.request, self._in_steps)


LARGE = 1 << 20
"""The size of a large request, in bytes."""

_IN_STEPS = 8 << 20
"""The size in bytes from which one call of the codec delays others, even in a thread of its own."""


def _decoded(data: bytes | bytearray) -> Any:
    try:
        return json.decode_in_steps(data) if len(data) > _IN_STEPS else json.decode(data)
    except json.TooManyValues:
        raise RequestError(
            f"The request body holds more than {json.MAX_VALUES:,} JSON values.", code="too_many_values"
        ) from None
    except ValueError:
        raise RequestError("The request body is not JSON, or is nested too deeply.", code="invalid_json") from None


def _encoded(request: dict[str, Any], in_steps: bool) -> list[Buffer]:
    return [*json.encode_in_steps(request)] if in_steps else [json.encode(request)]


def _translate_skeleton(
    body: Any, payloads: DetachedPayloads, make: Callable[[Any], Made]
) -> tuple[Made, list[Buffer]] | None:
    try:
        exchange = make(body)
    except TranslationError:
        return None
    if exchange.copies > 1 or payloads.is_in(exchange.echoed_values()):
        return None
    if exchange.to_keep is not None:
        kept = payloads.reattach(json.encode(exchange.to_keep))
        if kept is None:
            return None
        exchange.kept = b"".join(kept)
    request = payloads.reattach(json.encode(exchange.request))
    return None if request is None else (exchange, request)
