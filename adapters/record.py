"""What remains of an exchange: one small record for logs and metrics, without a word that anybody wrote."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from ..translator import Loss
from .call import Call

CLIENT_GONE = 499
_MOST_LOSSES = 50
_LONGEST = 200


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
            "method": self.method,
            "path": self.path[:_LONGEST],
            "status": self.status,
            "model": self.model and self.model[:_LONGEST],
            "stream": self.streaming,
            "duration_ms": round(self.duration * 1000, 1),
            "input_tokens": self.usage.get("input_tokens"),
            "output_tokens": self.usage.get("output_tokens"),
            "outcome": self.outcome,
            "error": self.error,
            "losses": [
                {"path": loss.path[:_LONGEST], "kind": loss.kind, "why": loss.why[:_LONGEST]}
                for loss in self.losses[:_MOST_LOSSES]
            ],
            **({"losses_more": more} if (more := len(self.losses) - _MOST_LOSSES) > 0 else {}),
        }


def of_call(call: Call, method: str, path: str, duration: float) -> Record:
    """Return the record of a call that is over."""
    answer = call.relay.answer if call.relay else {}
    error = call.error or (call.relay.error if call.relay else None)
    model, usage = call.body.get("model"), answer.get("usage")
    losses: Iterable[Loss] = call.exchange.report if call.exchange else getattr(error, "losses", ())
    return Record(
        method=method,
        path=path,
        status=call.outlet.status or CLIENT_GONE,
        model=model if isinstance(model, str) else None,
        streaming=call.body.get("stream") is True,
        duration=duration,
        usage=usage if isinstance(usage, dict) else {},
        outcome=_outcome(call, answer),
        error=None if error is None else error.code or error.type,
        losses=tuple(loss._replace(value=None) for loss in losses),
    )


def _outcome(call: Call, answer: dict[str, Any]) -> str:
    if call.outlet.gone:
        return "disconnected"
    status = answer.get("status", "completed" if answer else "refused")  # a compaction has none
    return status if isinstance(status, str) else "refused"
