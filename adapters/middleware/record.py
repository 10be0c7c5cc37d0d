"""What remains of an exchange: one small record for logs and metrics, without a word that anybody wrote."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from ...translator import Loss, TranslationError
from .call import Call
from .client_writer import CLIENT_GONE as CLIENT_GONE

_MOST_LOSSES = 50
LONGEST = 200
_ENDINGS = {None: "failed", "content_filter": "incomplete", "length": "incomplete"}  # of choices; the worst comes first


@dataclasses.dataclass(frozen=True)
class Record:
    """One exchange. No texts, values, headers or keys."""

    method: str
    path: str
    status: int
    """HTTP status; 499 when the client went away before there was one."""
    model: str | None
    streaming: bool
    duration: float
    """Seconds."""
    usage: dict[str, Any]
    outcome: str
    """How the answer ended (`completed`, `incomplete`, `failed`), or `refused`, or `disconnected`."""
    error: str | None
    """Code or type of the error, if there was one."""
    losses: tuple[Loss, ...]
    """What could not be carried over; the values are left out."""

    def fields(self) -> dict[str, Any]:
        """The record as plain values, for a log: bounded, whatever a client sends."""
        return {
            "handled": "translated",
            "method": self.method,
            "path": self.path[:LONGEST],
            "status": self.status,
            "model": self.model and self.model[:LONGEST],
            "stream": self.streaming,
            "duration_ms": round(self.duration * 1000, 1),
            "input_tokens": self._tokens("input_tokens", "prompt_tokens"),
            "output_tokens": self._tokens("output_tokens", "completion_tokens"),
            "outcome": self.outcome,
            "error": self.error,
            "losses": [
                {"path": loss.place, "kind": loss.kind, "why": loss.why[:LONGEST]}
                for loss in self.losses[:_MOST_LOSSES]
            ],
            **({"losses_more": more} if (more := len(self.losses) - _MOST_LOSSES) > 0 else {}),
        }

    def _tokens(self, *names: str) -> Any:
        """A count by its name in either dialect."""
        return next((self.usage[name] for name in names if name in self.usage), None)


def of_call(call: Call, method: str, path: str, duration: float) -> Record:
    """Return the record of a call that is over."""
    answer, error = call.answer, call.error
    model, usage = call.body.get("model"), answer.get("usage")
    return Record(
        method=method,
        path=path,
        status=call.outlet.status or CLIENT_GONE,
        model=model if isinstance(model, str) else None,
        streaming=call.body.get("stream") is True,
        duration=duration,
        usage=usage if isinstance(usage, dict) else {},
        outcome=_outcome(call, answer),
        error=None if error is None else _code(error),
        losses=tuple(loss._replace(value=None) for loss in call.losses),
    )


def _code(error: TranslationError) -> str:
    """A code is a word, or it is somebody's text."""
    return next((word for word in (error.code, error.type) if word and _WORD.fullmatch(word)), "error")


_WORD = re.compile(r"[\w.:-]{1,64}", re.ASCII)


def _outcome(call: Call, answer: dict[str, Any]) -> str:
    if call.outlet.gone:
        return "disconnected"
    if not answer:
        return "failed" if call.outlet.status == 200 else "refused"
    if "choices" in answer:
        endings = {choice.get("finish_reason") for choice in answer["choices"]}
        return next((outcome for reason, outcome in _ENDINGS.items() if reason in endings), "completed")
    status = answer.get("status", "completed")  # a compaction has none
    return status if isinstance(status, str) else "refused"
