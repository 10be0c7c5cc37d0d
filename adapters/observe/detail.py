"""An exchange of the ring as plain values: a line for a list, and all that is kept of it."""

from __future__ import annotations

import re
from bisect import bisect_left
from time import monotonic
from typing import Any

from ..asgi.encodings import Decoder
from .redaction import Redaction
from .ring import Exchange, KeptBody, Side

_MODEL = re.compile(rb'"model"\s*:\s*"((?:[^"\\]|\\.){1,200})"')
_END_OF_EVENT = re.compile(rb"\r?\n\r?\n")
_MAX_DECODED = 256 * 1024  # bytes that are shown of a compressed body
_TEXTUAL = ("json", "text/", "event-stream")


def summary(exchange: Exchange) -> dict[str, Any]:
    """Return what a list shows of an exchange; it is small whatever a client sent."""
    client, about = exchange.client, exchange.about
    return {
        "number": exchange.number,
        "began": exchange.began,
        "method": exchange.method,
        "path": client.path,
        "handled": exchange.handled,
        "model": about["model"] if about else _model(client.request),
        "stream": about["stream"] if about else _is_stream(client.answer_headers),
        "status": client.status,
        "outcome": _outcome(exchange),
        "error": about.get("error"),
        "running": not client.ended,
        "seconds": (client.ended or monotonic()) - client.began,
        "first": client.answer.times[0] - client.began if client.answer.times else None,
        "tokens": [about.get("input_tokens"), about.get("output_tokens")],
        "losses": len(exchange.losses) + exchange.more_losses,
        "attempts": len(exchange.attempts) + exchange.more_attempts,
        "sizes": [client.request.size, client.answer.size],
    }


def detail(exchange: Exchange) -> dict[str, Any]:
    """Return all that is kept of an exchange; times are milliseconds after its begin."""
    return {
        **summary(exchange),
        "losses": [dict(zip(("path", "kind", "why"), loss, strict=True)) for loss in exchange.losses],
        "more_losses": exchange.more_losses,
        "more_attempts": exchange.more_attempts,
        "client": _side(exchange.client, exchange),
        "upstream": [_side(side, exchange) for side in exchange.attempts],
    }


def _outcome(exchange: Exchange) -> str:
    client = exchange.client
    if not client.ended:
        return "running"
    if exchange.about:
        return exchange.about["outcome"]
    if not client.status:
        return "disconnected"
    return "completed" if client.status < 400 else "refused" if client.status < 500 else "failed"


def _model(body: KeptBody) -> str | None:
    """The model of a request that is not over, or not translated: nobody has told."""
    found = _MODEL.search(body.kept)
    return found[1].decode("utf-8", "replace") if found else None


def _header(headers: list[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key == name), "")


def _is_stream(headers: list[tuple[str, str]]) -> bool:
    return _header(headers, "content-type").startswith("text/event-stream")


def _side(side: Side, exchange: Exchange) -> dict[str, Any]:
    start = exchange.client.began
    return {
        "path": side.path,
        "status": side.status,
        "error": exchange.redaction.clean_text(side.error),
        "began": _ms(side.began, start),
        "ended": _ms(side.ended, start) if side.ended else None,
        "request": _message(side.request, side.request_headers, exchange.redaction, start),
        "answer": _message(side.answer, side.answer_headers, exchange.redaction, start),
    }


def _ms(when: float, start: float) -> float:
    return round((when - start) * 1000, 1)


def _message(body: KeptBody, headers: list[tuple[str, str]], redaction: Redaction, start: float) -> dict[str, Any]:
    kept = redaction.clean(body.kept)
    shown: dict[str, Any] = {"headers": headers, "size": body.size, "kept": len(kept), "text": None}
    encoding = _header(headers, "content-encoding")
    if _is_stream(headers) and not encoding:
        return {**shown, "events": _events(kept, body, start)}
    kind = _header(headers, "content-type")
    if kind and not any(word in kind for word in _TEXTUAL):
        return {**shown, "note": "not a text"}
    if encoding:
        kept, shown["note"] = redaction.clean(_decoded(kept, encoding)), f"decoded from {encoding}"
    return {**shown, "text": kept.decode("utf-8", "replace")}


def _decoded(data: bytes, encoding: str) -> bytes:
    """What can be decoded of the beginning of a compressed body."""
    decoded = bytearray()
    try:
        decoder = Decoder.of(encoding.encode("latin-1"))
        for piece in decoder.steps(data) if decoder else [data]:
            decoded += piece
            if len(decoded) > _MAX_DECODED:
                break
    except ValueError:  # damaged, or unknown
        pass
    return bytes(decoded[:_MAX_DECODED])


def _events(data: bytes, body: KeptBody, start: float) -> list[tuple[float, str]]:
    """The events of a stream with the time at which each was complete; the last one may be cut."""
    ends = [found.end() for found in _END_OF_EVENT.finditer(data)]
    if data and (not ends or ends[-1] < len(data)):
        ends.append(len(data))
    events: list[tuple[float, str]] = []
    begin, pieces = 0, body.ends
    for end in ends:
        piece = min(bisect_left(pieces, end), len(body.times) - 1)
        events.append((_ms(body.times[piece], start), data[begin:end].decode("utf-8", "replace").rstrip("\r\n")))
        begin = end
    return events
