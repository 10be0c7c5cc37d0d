"""A client's request, from its bytes to those of the translated one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import BadRequest, TranslationError
from ..wire import json
from ..wire.carried import Carried, cut
from .exchange import Exchange

Made = TypeVar("Made", bound=Exchange)


class Received:
    """A decoded request, in whose ``body`` marks may stand for payloads (`wire/carried.py`)."""

    def __init__(self, body: Any, payloads: Carried | None = None) -> None:
        self.body = body
        self._payloads = payloads

    @classmethod
    def read(cls, data: bytes) -> Received:
        """Decode *data*; raises BadRequest for what is not JSON, wherever that can be seen outside of payloads."""
        payloads = cut(data)
        return cls(_decoded(payloads.light if payloads else data), payloads)

    def check(self) -> None:
        """Raise BadRequest if payloads are not what may stand in JSON: worth its time when an upstream has refused."""
        if self._payloads is not None:
            _decoded(self._payloads.data)

    def translate(self, make: Callable[[Any], Made]) -> tuple[Made, bytes]:
        """Return the exchange that *make* makes of the body, and the bytes to send; raises what it raises.

        Where anybody would see a mark, all is done again with the whole body.
        """
        if self._payloads is not None:
            found = _light(self.body, self._payloads, make)
            if found is not None:
                return found
            self.body, self._payloads = _decoded(self._payloads.data), None
        made = make(self.body)
        return made, json.encode(made.request)


def _decoded(data: bytes) -> Any:
    try:
        return json.decode(data)
    except json.TooManyValues:
        raise BadRequest(
            f"The request body holds more than {json.MAX_VALUES:,} JSON values.", code="too_many_values"
        ) from None
    except ValueError:
        raise BadRequest("The request body is not JSON, or is nested too deeply.", code="invalid_json") from None


def _light(body: Any, payloads: Carried, make: Callable[[Any], Made]) -> tuple[Made, bytes] | None:
    try:
        made = make(body)
    except TranslationError:
        return None
    if made.copies > 1 or payloads.is_in(made.repeated()):
        return None
    request = payloads.put_back(json.encode(made.request))
    return None if request is None else (made, request)
