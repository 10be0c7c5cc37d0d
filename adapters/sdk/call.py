"""One translated request under an SDK, from its body to the end of its answer; all I/O is that of an `Http`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from ...translator import (
    AnswerReader,
    Body,
    ChoiceMerger,
    Data,
    Failed,
    Loss,
    Report,
    RequestBody,
    TranslationError,
    UpstreamError,
)
from ..asgi import answer_headers, media_type
from ..asgi.request_body import decoded_object
from ..asgi.types import CLIENT_GONE, Scope, header
from ..middleware import diagnostics
from ..middleware.record import record_of
from ..middleware.summary import summary_in
from .branch import Branch
from .context import TransportContext
from .http import Answer, Http
from .reply import JSON, Head, Middle, error_head

_LARGE = 2**20
"""Size in bytes above which a body is decoded where others are not delayed."""
_RECORDED_FIELDS = ("model", "stream")
_DRAIN = 1.0
"""Seconds that the rest of an answer may take, so that its connection can be used again."""


class Call:
    """Serves one request: `open()`, and if that returns no content, `pull()` until None, or `close()`.

    *errors* are the exceptions of the HTTP package: all of them, and timeouts. They reach the SDK, which knows what
    to try again; those aside that cut a stream which the client already has.
    """

    def __init__(
        self,
        context: TransportContext,
        scope: Scope,
        endpoint: str,
        http: Http,
        errors: tuple[type[Exception], type[Exception]],
    ) -> None:
        self.status: int = CLIENT_GONE
        self.gone: bool = False
        """Whether the client left before it had everything."""
        self.body: dict[str, Any] = {}
        self._context = context
        self._scope = scope
        self._endpoint = endpoint
        self._http = http
        self._error_class, self._timeout_class = errors
        self._began = monotonic()
        self._failure: TranslationError | None = None
        self._report: Report | None = None  # of a request that is sent several times
        self._branches: list[Branch[Any]] = []
        self._answers: dict[Branch[Any], Answer] = {}
        self._begun: set[Branch[Any]] = set()
        self._pending: list[Any] = []  # at most one action that was read but not carried out
        self._turn = 0
        self._merger: ChoiceMerger | None = None
        self._is_over = False

    # For the record

    @property
    def answer(self) -> dict[str, Any]:
        """What the client got, as one body; empty after an error."""
        answers = [branch.reader.answer for branch in self._branches if branch.has_reader]
        if self._merger is not None:
            return ChoiceMerger.answer(answers) if all(answers) else {}
        return answers[0] if answers else {}

    @property
    def error(self) -> TranslationError | None:
        """Why there is no answer, or no complete one."""
        return self._failure or next((branch.error for branch in self._branches if branch.error), None)

    @property
    def losses(self) -> list[Loss]:
        """What could not be carried over."""
        report = self._losses_so_far()
        return list(report) if report is not None else list(getattr(self.error, "losses", ()))

    def _losses_so_far(self) -> Report | None:
        """What is lost on the way to the upstream and back; None if nothing was translated."""
        reports = [branch.reader.exchange.report for branch in self._branches if branch.has_reader]
        if self._report is None:
            return reports[0] if reports else None
        for report in reports:
            self._report.add(report)
        return self._report

    # Until the client gets something

    async def open(self) -> Head:
        """Translate the request and send it; return what the client gets. Raises the errors of the package."""
        try:
            await self._open(await self._http.body())
            head = self._head()
        except TranslationError as error:
            self._failure = error
            head = error_head(error, [], "", {})
        except BaseException as error:
            self._failure = failure = self._meaning(error)
            self.status = CLIENT_GONE if failure is None else failure.status
            await self.close()
            raise
        self.status = head.status
        if head.content is not None:
            await self.close()
        return head

    async def _open(self, data: bytes) -> None:
        context, endpoint = self._context, self._endpoint
        media_type.check(self._scope)
        encoding, limit = header(self._scope, b"content-encoding"), context.limits.max_body
        received = await self._http.work(len(data) > _LARGE, decoded_object, data, encoding, limit)
        self.body = {name: received.body[name] for name in _RECORDED_FIELDS if name in received.body}
        profile = context.profile_for(self._scope, self.body.get("model"))
        main: Branch[Any] = self._branch(endpoint, AnswerReader.of)
        self._branches = [main]
        await self._http.work(received.is_large, main.take, received, profile)
        if main.has_reader and (summarized := main.translation.summary_request()) is not None:
            await self._summarize(main, summarized)
        if main.has_reader and main.reader.exchange.copies > 1:
            self._divide(main, received)
        await self._http.each(self._open_branch, self._branches)
        patches = [branch.retries.patch for branch in self._branches if branch.has_reader and branch.reader.accepted]
        context.learn(self._scope, self.body.get("model"), {name: new[name] for new in patches for name in new})

    def _branch(
        self, endpoint: str, read_answer: Callable[..., AnswerReader[Any]], is_copy: bool = False
    ) -> Branch[Any]:
        context = self._context
        return Branch(self._scope, endpoint, context.limits, context.strict, read_answer, is_copy=is_copy)

    async def _summarize(self, main: Branch[Any], summarized: dict[str, Any]) -> None:
        """Have the history summarized, and translate the request again; without a summary, the history stays."""
        translation, profile = main.translation, main.reader.exchange.profile
        received = translation.bodies.received
        if received.has_payloads:
            received.whole()
            translation.make_at_once(profile, self._context.strict)
            summarized = translation.summary_request() or summarized
        asking: Branch[Any] = self._branch("/responses", AnswerReader.of_events, is_copy=True)
        asking.take(RequestBody(summarized), profile)
        await self._open_branch(asking)
        main.retries.patch.update(asking.retries.patch)
        summary = summary_in(asking.action.answer) if isinstance(asking.action, Body) else None
        known = asking.translation.profile or profile
        await self._http.work(translation.is_large, translation.behind_at_once, summary, known, self._context.strict)
        main.translated()

    def _divide(self, main: Branch[Any], received: RequestBody) -> None:
        """The upstream's API has no `n`: make a branch for each choice."""
        exchange = main.reader.exchange
        self._merger = ChoiceMerger(exchange.copies)
        self._report = exchange.report
        one = {**received.body, "n": 1}
        self._branches = [
            self._branch(self._endpoint, AnswerReader.of_events, is_copy=True) for _ in range(exchange.copies)
        ]
        for branch in self._branches:
            branch.take(RequestBody(one), exchange.profile)

    async def _open_branch(self, branch: Branch[Any]) -> None:
        """Send a request, again after refusals that can be avoided, until it is known what the client gets."""
        while not branch.is_decided:
            answer = self._answers[branch] = await self._http.send(branch.request())
            branch.head(answer.status, answer.headers)
            retry = None
            while retry is None and not branch.is_decided:
                patience = branch.patience
                data = await (answer.read() if patience is None else answer.read_within(patience))
                retry = await self._http.work(data is None and branch.takes_long, branch.begin, data)
            if not isinstance(branch.action, Data):
                await self._end(branch)
            if retry is not None:
                await self._http.work(branch.translation.is_large, branch.again, retry)

    def _head(self) -> Head:
        branches = self._branches
        report = self._losses_so_far()
        losses = "" if report is None else report.header()
        for branch in branches:
            if isinstance(branch.action, Failed):
                self._failure = branch.action.error
                return error_head(branch.action.error, branch.headers, losses, self._extensions(branch))
        first = branches[0]
        extensions = self._extensions(first)
        if isinstance(first.action, Data):
            return Head(200, answer_headers.of_stream(first.headers, losses), None, extensions)
        bodies = [branch.action for branch in branches if isinstance(branch.action, Body)]
        body = bodies[0] if self._merger is None else Body.of(ChoiceMerger.answer([body.answer for body in bodies]))
        return Head(200, [*answer_headers.of_body(first.headers, losses), JSON], body.data, extensions)

    def _extensions(self, branch: Branch[Any]) -> dict[str, Any]:
        answer = self._answers.get(branch)
        return {} if answer is None else answer.extensions

    def _meaning(self, error: BaseException) -> UpstreamError | None:
        """Return what an exception is in a record; None if the client has left."""
        if isinstance(error, self._timeout_class):
            return diagnostics.too_slow()
        if isinstance(error, self._error_class):
            return UpstreamError("The connection to the upstream was lost.", code="upstream_disconnected")
        return None

    # A stream

    async def pull(self) -> Iterable[bytes] | None:
        """Return the next frames of the stream, None at its end; choices come one after the other."""
        while self._turn < len(self._branches):
            branch = self._branches[self._turn]
            if self._is_told(branch):
                await self._end(branch)
                self._turn += 1
                continue
            frames = self._frames(branch, await self._read(branch))
            if frames:
                return frames
        await self.close()
        return None

    def _is_told(self, branch: Branch[Any]) -> bool:
        """Whether the client has all frames that it gets of a branch."""
        if self._merger is not None and self._merger.ended:
            return True
        return branch in self._begun and not self._pending and branch.reader.ended

    def middle(self) -> Middle | None:
        """Return what reads the middle of a stream, if it is there: for speed, as that is nearly all of it."""
        branch = self._branches[self._turn]
        if self._merger is not None or not branch.reader.goes_on:
            return None
        return Middle(branch.reader, self._answers[branch], self._pending)

    def broken(self, error: Exception) -> None:
        """End a stream whose connection broke as failed, with the next `pull()`; raises timeouts, and all others."""
        self._failure = failure = self._meaning(error)
        if failure is None or isinstance(error, self._timeout_class):
            raise error
        self._pending.append(self._branches[self._turn].reader.fail(failure))

    async def _read(self, branch: Branch[Any]) -> Any:
        if branch not in self._begun:
            self._begun.add(branch)
            return branch.action
        if self._pending:
            return self._pending.pop()
        answer, patience = self._answers[branch], branch.patience
        try:
            data = await (answer.read() if patience is None else answer.read_within(patience))
        except Exception as error:
            self.broken(error)
            return self._pending.pop()
        return branch.read(data)

    def _frames(self, branch: Branch[Any], action: Any) -> Iterable[bytes]:
        """Return the client's frames for an action: a list of one, or an iterator of large ones."""
        frames = branch.frames(action)
        if self._merger is not None:
            frames = self._merger.take(self._turn, list(frames), more=not branch.reader.ended)
        if isinstance(frames, list):
            return frames if len(frames) < 2 else [b"".join(frames)]
        return frames or ()

    async def close(self) -> None:
        """Hang up, unless everything is there but the end of the body; leave the record."""
        if self._is_over:
            return
        self._is_over = True
        self.gone = not self._has_everything()
        for branch in self._branches:
            await self._end(branch)
        if self._context.records:
            self._context.leave_record(record_of(self, self, self._scope, monotonic() - self._began))

    def _has_everything(self) -> bool:
        if self._failure is not None or (self._merger is not None and self._merger.ended):
            return True
        return all(branch.is_decided and (not branch.has_reader or branch.reader.ended) for branch in self._branches)

    async def _end(self, branch: Branch[Any]) -> None:
        """Close an answer; if nothing of it is missing, its rest is read, so that the connection is kept."""
        answer = self._answers.pop(branch, None)
        if answer is None:
            return
        try:
            if branch.reader.ended and not branch.reader.in_vain:
                until = monotonic() + _DRAIN
                while (left := until - monotonic()) > 0 and await answer.read_within(left) is not None:
                    pass
        finally:
            await answer.close()
