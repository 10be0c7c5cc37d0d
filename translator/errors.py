"""What can go wrong, as one tree.

TranslationError            .status, .param (path in the caller's dialect), .code, .type
    BadRequest       400    the caller's body is not in its own dialect, or asks for what is not there
        NotSayable   400    strict mode: a loss was not allowed; .losses
    BadUpstream      502    the upstream failed, or its bytes are not in its dialect
    Misuse           500    the calling code broke the contract, e.g. feed() after finish()
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .losses import Loss


class TranslationError(Exception):
    """Base of everything that the translator raises.

    ``status`` is an HTTP status, ``type`` and ``code`` are OpenAI's words for the kind of error, ``param`` is the path
    of the culprit in the caller's own format (``input[3].content``), or None.
    """

    status = 500
    type = "server_error"
    code: str | None = None

    def __init__(
        self,
        message: str,
        param: str | None = None,
        code: str | None = None,
        *,
        status: int | None = None,
        type: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = self.code if code is None else code or None  # "": OpenAI has no code for it
        self.status = status or self.status
        self.type = type or self.type

    def body(self) -> dict[str, Any]:
        """The error as both APIs send it over HTTP (protocol 7.1)."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


class BadRequest(TranslationError):
    """The caller's body is not in its own dialect, or asks for something that cannot be done here."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_value"


class NotSayable(BadRequest):
    """Strict mode: the other dialect cannot say everything that the request says."""

    code = "unsupported_parameter"

    def __init__(self, losses: Sequence[Loss]) -> None:
        self.losses = list(losses)
        first = self.losses[0]
        others = [f"'{loss.path}'" for loss in self.losses[1:6]] + ["..."] * (len(self.losses) > 6)
        more = f" Neither can {', '.join(others)}." if others else ""
        super().__init__(f"'{first.path}' cannot be carried over in strict mode: {first.why}.{more}", first.path)


class BadUpstream(TranslationError):
    """The upstream answered with an error, was cut off, or sent what is not in its dialect."""

    status = 502


class Misuse(TranslationError):
    """The calling code broke the contract of a transducer."""
