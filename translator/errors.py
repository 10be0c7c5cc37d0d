"""All errors, as one tree.

TranslationError                    .status, .param (path in the caller's dialect), .code, .type
    RequestError            400     the caller's body is invalid, or asks for something unavailable
        UntranslatableError 400     strict mode: a loss was not allowed; .losses
    UpstreamError           502     the upstream failed, or its bytes are not in its dialect
    ProtocolMisuse          500     the calling code broke the contract, e.g. feed() after finish()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from .losses import Loss

_SHOWN = 5  # losses that a message names besides the first


class TranslationError(Exception):
    """Base class of everything that the translator raises. Errors are immutable; ``replace`` returns a changed copy.

    ``status`` is an HTTP status, ``type`` and ``code`` are OpenAI's names for the kind of error, ``param`` is the path
    of the cause in the caller's own format (``input[3].content``), or None. ``str(error)`` is the ``message``.
    Errors can be copied and pickled.
    """

    message: str
    param: str | None
    status: int = 500
    type: str = "server_error"
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
        self._set(
            message=message,
            param=param,
            code=self.code if code is None else code or None,  # "": OpenAI has no code for it
            status=status or self.status,
            type=type or self.type,
        )

    def body(self) -> dict[str, Any]:
        """The error as both APIs send it over HTTP (protocol 7.1)."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

    def replace(self, **changes: Any) -> Self:
        """Return the same error with another ``message``, ``param``, ``code``, ``status`` or ``type``.

        It has the same cause and traceback. Raises TypeError for any other name.
        """
        if unknown := changes.keys() - {"message", "param", "code", "status", "type"}:
            raise TypeError(f"an error has no {min(unknown)!r} to replace")
        made = _made(type(self), {**self.__dict__, **changes})
        made.__cause__, made.__context__ = self.__cause__, self.__context__
        made.__suppress_context__ = self.__suppress_context__
        return made.with_traceback(self.__traceback__)

    def _set(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __setattr__(self, name: str, value: Any) -> None:
        """Only what Python itself writes to a raised error (``__traceback__``, ``__notes__``) can be set."""
        if not name.startswith("__"):
            raise AttributeError(f"errors cannot be changed: use replace({name}=...)")
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if not name.startswith("__"):
            raise AttributeError("errors cannot be changed")
        super().__delattr__(name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (type(self), dict(self.__dict__))


def _made(kind: Any, fields: dict[str, Any]) -> Any:
    """Return an error of *kind* with these *fields*, as copies and pickles make it."""
    error = Exception.__new__(kind, fields["message"])
    error.__dict__.update(fields)
    return error


class RequestError(TranslationError):
    """The caller's body is invalid in its own dialect, or asks for something that cannot be done here."""

    status = 400
    type = "invalid_request_error"
    code: str | None = "invalid_value"


class UntranslatableError(RequestError):
    """Strict mode: the other dialect cannot express everything in the body; ``losses`` lists what would be lost."""

    losses: tuple[Loss, ...]
    code: str | None = "unsupported_parameter"

    def __init__(self, losses: Iterable[Loss]) -> None:
        all_of_them = tuple(losses)
        first, others = all_of_them[0], all_of_them[1:]
        named = [f"'{loss.path}'" for loss in others[:_SHOWN]] + ["..."] * (len(others) > _SHOWN)
        more = f" Neither can {', '.join(named)}." if named else ""
        super().__init__(f"'{first.path}' cannot be carried over in strict mode: {first.why}.{more}", first.path)
        self._set(losses=all_of_them)


class UpstreamError(TranslationError):
    """The upstream answered with an error, was cut off, or sent something that is not in its dialect."""

    status = 502


class ProtocolMisuse(TranslationError):
    """The calling code broke the contract, e.g. called `feed()` after `finish()`."""
