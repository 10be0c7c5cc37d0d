"""One object per call: ties request, answer, stream, errors and losses together."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from . import answer, compaction, fields, request
from .errors import BadUpstream, TranslationError
from .losses import Report
from .parts import errors
from .profiles import Profile, Terms
from .stream.to_responses import Asked, ToResponses
from .wire import json, shape, sse


class ServeResponses:
    """A Responses request served by a Chat Completions upstream.

    *body* is the decoded request; *new_id* makes an id for a prefix (``resp`` -> ``resp_...``); *clock* gives Unix
    seconds. Raises BadRequest for a body that is no Responses request, and NotSayable when *strict* and something
    would be lost. Send ``chat`` to the upstream; hand what comes back to ``answer``, ``stream`` or ``error``. What was
    lost is in ``report``.
    """

    def __init__(
        self,
        body: Any,
        profile: Profile | None = None,
        *,
        strict: bool = False,
        new_id: Callable[[str], str],
        clock: Callable[[], float],
    ) -> None:
        self._body = body = self._read(body)
        self.profile = profile or Profile()
        self.report = Report()
        terms = Terms(self.profile, self.report)
        compacts = compaction.is_asked(body)
        translated = request.translate(compaction.request(body) if compacts else body, terms, strict)
        self.chat = translated.chat
        self.streaming = body.get("stream") is True
        self._translated = translated
        self._asked = Asked(
            blank={**fields.blank_answer(body), "model": body["model"]},
            catalog=translated.catalog,
            terms=terms,
            show_reasoning="off" if compacts else _shown(self.profile, body),
            compacts=compacts,
            seal_reasoning=request.SEALED in shape.optional_array(body.get("include"), "include"),
            new_id=new_id,
            clock=clock,
        )

    def _read(self, body: Any) -> Any:
        """The Responses request that *body* stands for."""
        return body

    def answer(self, completion: Any) -> dict[str, Any]:
        """Return the Response object for a finished chat completion; raises BadUpstream."""
        return answer.to_responses(completion, self._asked)

    def transducer(self) -> ToResponses:
        """Return the transducer for decoded chunks."""
        return ToResponses(self._asked)

    def stream(self, max_line: int = sse.MAX_LINE) -> ResponsesStream:
        """Return the transducer from the upstream's bytes to the client's frames."""
        return ResponsesStream(self.transducer(), sse.Decoder(max_line), self.profile.events == "openresponses")

    def error(self, status: int, body: bytes) -> BadUpstream:
        """Return the error of an upstream's HTTP answer, its path in the caller's words (protocol 7.2)."""
        error = errors.read(status, body)
        if error.param is not None:
            theirs, error.param = error.param, self._own_path(error.param)
            named = rf"(?<![\w.]){re.escape(theirs)}(?![\w\[.])"
            error.message = re.sub(named, lambda _: error.param or "", error.message)
        return error

    def _own_path(self, path: str) -> str:
        """Turn `messages[3].content` into `input[5].content`, and so on."""
        head, index, rest = _split(path)
        if head == "messages" and index is not None and index < len(self._translated.origins):
            called = re.match(r"\.tool_calls\[(\d{1,9})\](?:\.(?:function|custom))?(.*)", rest, re.S)
            paths = self._translated.calls.get(index, [])
            if called and int(called[1]) < len(paths):
                return paths[int(called[1])] + called[2]
            origin = self._translated.origins[index]
            if not origin.endswith("]"):  # a field of its own, not an item
                return origin
            return origin + rest.replace(".image_url.url", ".image_url").replace(".file.", ".")
        if head == "tools" and index is not None and index < len(self._translated.declared):
            return self._translated.declared[index] + re.sub(r"^\.(function|custom)\b", "", rest)
        for row in fields.REQUEST:
            if row.chat and row.responses and head in (row.chat, self.profile.renamed.get(row.chat)):
                return row.responses + path[len(head) :].replace(".json_schema", "")
        return path

    def learned(self, status: int, body: bytes) -> Profile | None:
        """Return a profile without what was added here and the upstream refused; None if that was not the reason."""
        if status not in (400, 422):
            return None
        error = errors.read(status, body)
        said = f"{error.param} {error.message}"
        unknown = error.code in _UNKNOWN_CODES or _UNKNOWN.search(error.message) is not None
        limit = next((name for name in ("max_tokens", "max_completion_tokens") if name in self.chat), None)
        if "stream_options" in self.chat and "stream_options" in said:
            return msgspec.structs.replace(self.profile, stream_usage=False)
        if self.profile.developer_role == "developer" and _DEVELOPER.search(said) and _ROLE.search(said):
            return msgspec.structs.replace(self.profile, developer_role="system")
        is_value = error.code in _VALUE_CODES or _VALUE.search(said) is not None
        if limit and unknown and not is_value and re.search(rf"\b{limit}\b", said):
            renamed = {k: v for k, v in self.profile.renamed.items() if k != "max_completion_tokens"}
            if limit == "max_completion_tokens":
                renamed["max_completion_tokens"] = "max_tokens"
            return msgspec.structs.replace(self.profile, renamed=renamed)
        return None


class ServeCompact(ServeResponses):
    """A `POST /responses/compact` served by a Chat Completions upstream: the model writes the summary."""

    def _read(self, body: Any) -> Any:
        return {**compaction.triggered(body), "stream": None}

    def answer(self, completion: Any) -> dict[str, Any]:
        """Return the `response.compaction` object; raises BadUpstream, also when there is no whole summary."""
        answered = super().answer(completion)
        if answered["status"] != "completed":
            cause = (answered["error"] or {}).get("message", "The upstream did not finish the summary.")
            raise BadUpstream(cause)
        return compaction.answer(self._body, answered)


_DEVELOPER, _ROLE = re.compile(r"\bdeveloper\b"), re.compile(r"\broles?\b|['\"`]developer['\"`]", re.I)
_VALUE = re.compile(
    r"too (large|small|long|high|low)|must be|at (most|least)|m(ax|in)imum|exceed|between|unsupported value", re.I
)
_VALUE_CODES = ("unsupported_value", "invalid_value", "context_length_exceeded")
_UNKNOWN_CODES = ("unsupported_parameter", "unknown_parameter")
_UNKNOWN = re.compile(
    r"unsupported|not supported|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed|extra (inputs|fields)",
    re.I,
)
_PATH = re.compile(r"([A-Za-z_]+)(?:\[(\d{1,9})\]|\.(\d{1,9}))?(.*)", re.S)


def _split(path: str) -> tuple[str, int | None, str]:
    match = _PATH.match(path)
    if match is None:
        return path, None, ""
    index = match[2] or match[3]
    return match[1], int(index) if index else None, match[4]


def _shown(profile: Profile, body: dict[str, Any]) -> str:
    if profile.reasoning_expose != "auto":
        return profile.reasoning_expose
    asked = body.get("reasoning") or {}
    return "summary" if asked.get("summary") or asked.get("generate_summary") else "content"


class ResponsesStream:
    """Bytes of a chat stream in, whole frames of a Responses stream out.

    Every verb returns a list of frames. Before anything has ``started``, a failure is raised as TranslationError:
    answer it over HTTP. When ``finishing``, wait only a moment for the rest, then ``finish``. When ``ended``, stop.
    """

    def __init__(self, transducer: ToResponses, decoder: sse.Decoder, done_mark: bool) -> None:
        self._transducer = transducer
        self._decoder = decoder
        self._done_mark = done_mark

    @property
    def started(self) -> bool:
        return self._transducer.started

    @property
    def finishing(self) -> bool:
        return self._transducer.finishing

    @property
    def ended(self) -> bool:
        return self._transducer.ended

    @property
    def answer(self) -> dict[str, Any]:
        """The Response object as far as it has grown."""
        return self._transducer.answer

    def start(self) -> list[bytes]:
        """Begin now, ahead of the first chunk, to keep the connection alive."""
        return self._frames(self._transducer.start())

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes, cut anywhere. What follows the end is ignored."""
        try:
            events = self._decoder.feed(data)
        except TranslationError as error:
            return self.fail(error)
        return self._take(events)

    def finish(self) -> list[bytes]:
        """The upstream closed its stream, or nothing more is waited for."""
        frames = self._take(self._decoder.flush())
        return frames if self.ended else frames + self._frames(self._transducer.finish())

    def fail(self, error: TranslationError) -> list[bytes]:
        """The upstream broke in a way that the caller knows of."""
        return [] if self.ended else self._frames(self._transducer.fail(error))

    def _take(self, events: list[sse.Event]) -> list[bytes]:
        frames: list[bytes] = []
        for event in events:
            if self.ended:
                break
            if event.is_done:
                frames += self._frames(self._transducer.finish(clean=True))
                continue
            if not event.data.strip():
                continue
            try:
                chunk = json.decode(event.data)
            except ValueError:
                if event.name != "error":
                    self._transducer.garbled("a line that is not JSON")
                    continue
                chunk = event.data[: errors.MAX_MESSAGE].decode("utf-8", "replace")
            if event.name == "error" and not (isinstance(chunk, dict) and chunk.get("error")):
                chunk = {"error": chunk or "The upstream reported an error."}
            frames += self._frames(self._transducer.feed(chunk))
        return frames

    def _frames(self, events: list[dict[str, Any]]) -> list[bytes]:
        frames = [sse.frame(event) for event in events]
        if self._done_mark and self.ended and events:
            frames.append(sse.DONE)
        return frames
