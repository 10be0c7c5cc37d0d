"""One line on its way into the other dialect: its request, its answers and its recorded streams."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from ...translator import (
    Loss,
    Report,
    RequestError,
    UpstreamError,
    chat_answer,
    chat_stream,
    decode_json,
    encode_json,
    request,
    responses_answer,
    responses_stream,
)
from .errors import LineError
from .options import Dialect, Options
from .paths import without_value
from .streams import CHUNK, Stream, finished_response, single_choices, stream_dialect, text_of

Kind = Literal["request", "answer"]
Body = dict[str, Any]

REFUSED_WHEN_STRICT = ("dropped", "approximated")
DATASET = "dataset"
"""The profile that refuses nothing: what the other dialect cannot express is dropped, and reported."""
_NO_MODEL = "unknown"
_KINDS: dict[str, tuple[Dialect, Kind]] = {
    "messages": ("chat", "request"),
    "choices": ("chat", "answer"),
    "output": ("responses", "answer"),
    "input": ("responses", "request"),
    "instructions": ("responses", "request"),
    "previous_response_id": ("responses", "request"),
    "prompt": ("responses", "request"),
}
_REQUESTS: dict[Dialect, Callable[..., Body]] = {"chat": request.to_chat, "responses": request.to_responses}
"""These do not copy the body first, which nobody else has."""
_ANSWERS: dict[Dialect, Callable[..., tuple[Any, list[Loss]]]] = {"chat": chat_answer, "responses": responses_answer}
_STREAMS: dict[Dialect, Callable[..., Any]] = {"chat": chat_stream, "responses": responses_stream}
_NOT_AVAILABLE = ("unsupported_parameter", "unsupported_value")
_MOST_REFUSALS = 1_000
_FAILED = ("failed", "cancelled", "queued", "in_progress")


def kind_of(body: Any) -> tuple[Dialect, Kind] | None:
    """Return the dialect of a body and what it is, by its fields; None if it is neither a request nor an answer."""
    if not isinstance(body, dict) or body.get("object") == CHUNK:
        return None
    if body.get("object") == "response":
        return "responses", "answer"
    for field, kind in _KINDS.items():
        if body.get(field) is not None:
            return kind
    return None


def is_error(body: Any) -> bool:
    """Whether an answer is an error as HTTP has it, which is the same in both dialects."""
    return isinstance(body, dict) and bool(body.get("error")) and not {"choices", "output"} & body.keys()


def for_data(options: Options) -> Options:
    """Return the options of conversions: in data, reasoning is a summary, unless the profile says where it goes."""
    profile = options.profile
    if profile.name == DATASET and options.to == "responses" and profile.reasoning_expose == "auto":
        return msgspec.structs.replace(options, profile=profile.replace(reasoning_expose="summary"))
    return options


class Conversion:
    """What the bodies of one line become, and what they lose; the options are those of `for_data`."""

    def __init__(self, options: Options, new_id: Callable[[str], str], created: float) -> None:
        self.options: Options = options
        self._profile = options.profile
        self.losses: list[Loss] = []
        self.model: str = ""
        self._new_id = new_id
        self._clock = lambda: created

    def request(self, body: Any) -> Any:
        """Return a request in the other dialect."""
        dialect, _ = self._known(body, "request")
        self._note_model(body)
        if dialect == self.options.to:
            return body
        named = body.get("model") or self.options.model
        source = body if body.get("model") else {**body, "model": named or _NO_MODEL}
        made = self._without_refusals(source)
        if not named:
            del made["model"]
        if made.get("store") is False and body.get("store") is None:
            del made["store"]  # a file stores nothing
        return made

    def request_text(self, text: str) -> str:
        """Return a request in the other dialect, both as JSON texts."""
        return encode_json(self.request(decoded(text))).decode()

    def answers(self, body: Any, request: Any = None) -> list[Any]:
        """Return an answer in the other dialect, one for each choice; *request* is its request there, if known.

        A text stays a text, a recorded stream a stream: as a text, or as a list of what was in its events.
        """
        if dialect := stream_dialect(body):
            parts = single_choices(body) if dialect != self.options.to and dialect == "chat" else [body]
            self.note_choices(len(parts))
            return [self.stream(part, request, is_text=isinstance(body, str)) for part in parts]
        if isinstance(body, str):
            return [encode_json(each).decode() for each in self.answers(decoded(body), request)]
        choices = body.get("choices") if isinstance(body, dict) and self.options.to == "responses" else None
        if not isinstance(choices, list) or len(choices) < 2:
            return [self.answer(body, request)]
        self.note_choices(len(choices))
        singles = [{**body, "choices": [{**choice, "index": 0}]} for choice in choices if isinstance(choice, dict)]
        return [self.answer({**single, "usage": None} if i else single, request) for i, single in enumerate(singles)]

    def answer(self, body: Any, request: Any = None) -> Any:
        """Return a finished answer, or an error, in the other dialect: where there is room for one only."""
        if is_error(body):
            return body
        dialect, _ = self._known(body, "answer")
        self._note_model(body)
        return body if dialect == self.options.to else self._answer(body, request)

    def stream(self, stream: Stream, request: Any = None, *, is_text: bool = True) -> Any:
        """Return a recorded stream in the other dialect, as a text or as a list."""
        if stream_dialect(stream) == self.options.to:
            return stream
        events: list[Any] = []
        made = self._with_request(request, lambda known: self._stream(stream, known, events))
        self.losses += made.losses
        return text_of(events, self.options.to) if is_text else events

    def finished(self, body: Any) -> list[Any]:
        """Return an answer in its own dialect, one for each choice: what recorded streams amount to, too."""
        dialect = stream_dialect(body)
        if dialect == "responses":
            return [finished_response(body)]
        if dialect == "chat":
            return [self._completion(part) for part in single_choices(body)]
        body = decoded(body) if isinstance(body, str) else body
        choices = body.get("choices") if isinstance(body, dict) else None
        return [{**body, "choices": [each]} for each in choices] if isinstance(choices, list) and choices else [body]

    def _completion(self, chunks: Stream) -> Any:
        options = for_data(msgspec.structs.replace(self.options, to="responses"))
        events = responses_stream(chunks, profile=options.profile, new_id=self._new_id)
        deque(events, maxlen=0)
        made, losses = chat_answer(events.answer, profile=self._profile, new_id=self._new_id, clock=self._clock)
        self.losses += [*events.losses, *losses]
        return made

    def _stream(self, stream: Stream, request: Any, events: list[Any]) -> Any:
        events.clear()
        made = _STREAMS[self.options.to](
            stream, request=request, profile=self._profile, new_id=self._new_id, clock=self._clock
        )
        events.extend(made)
        self._note_model(made.answer or {})
        return made

    def note_choices(self, count: int) -> None:
        """Note that a line becomes several, if its answer has so many choices."""
        if count > 1:
            self.losses.append(Loss("choices", "emulated", "each choice is a line of its own"))

    def _answer(self, body: Body, request: Any) -> Any:
        try:
            made, losses = self._with_request(
                request,
                lambda known: _ANSWERS[self.options.to](
                    body, request=known, profile=self._profile, new_id=self._new_id, clock=self._clock
                ),
            )
        except UpstreamError as error:
            if not body.get("error") and body.get("status") not in _FAILED:
                raise
            self.losses.append(Loss("status", "approximated", "an answer that failed is an error, as HTTP has it"))
            return error.body()
        self.losses += losses
        return made

    def _with_request(self, request: Any, read: Callable[[Any], Any]) -> Any:
        """Read an answer with its request; where that is of no use, without it."""
        if request is None:
            return read(None)
        try:
            return read(request if request.get("model") else {**request, "model": self.model or _NO_MODEL})
        except RequestError as error:
            self.losses.append(
                Loss(error.param or "", "approximated", f"the answer is read without its request: {error}")
            )
            return read(None)

    def _without_refusals(self, body: Body) -> Body:
        """Translate a request; for a dataset, what is refused is dropped."""
        to_other = _REQUESTS[self.options.to]
        for _ in range(_MOST_REFUSALS):
            report = Report()
            try:
                made = to_other(body, report=report, profile=self._profile)
            except RequestError as error:
                if self._profile.name != DATASET or error.code not in _NOT_AVAILABLE:
                    raise
                less = without_value(body, error.param or "")
                if less is None:
                    raise
                body = less
                self.losses.append(Loss(error.param or "", "dropped", error.message))
                continue
            self.losses += report
            return made
        raise LineError("Too much of this request is refused.")

    def _known(self, body: Any, kind: Kind) -> tuple[Dialect, Kind]:
        known = kind_of(body)
        if known is None or known[1] != kind:
            what = "a request" if kind == "request" else "an answer"
            is_chunk = isinstance(body, dict) and body.get("object") == CHUNK
            more = ", but one chunk of a stream" if is_chunk else ""
            raise LineError(f"This is not {what} of Chat Completions or Responses{more}.")
        return known

    def _note_model(self, body: Body) -> None:
        model = body.get("model")
        if not self.model and isinstance(model, str):
            self.model = model


def decoded(text: str | bytes) -> Any:
    """Return the value of a JSON text inside a line. Raises LineError."""
    try:
        return decode_json(text)
    except ValueError as error:
        raise LineError(str(error)) from None
