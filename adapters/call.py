"""One POST to .../responses or its kin: read it, call the chat application, watch clock and client meanwhile."""

from __future__ import annotations

import logging
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import anyio

from ..translator import BadRequest, BadUpstream, Profile, ServeCompact, ServeResponses, TranslationError, encode_json
from .asgi_types import App, Message, Receive, Scope, Send
from .body import Disconnected, read_object
from .chat_scope import chat_scope
from .limits import Limits
from .outlet import Outlet
from .relay import Relay

_log = logging.getLogger("diglot")
ENDPOINTS: dict[str, type[ServeResponses]] = {"/responses": ServeResponses, "/responses/compact": ServeCompact}
"""What is served, by the end of its path; upstream it is all one path."""


Deadline = tuple[float, Callable[[], Awaitable[None]]]


async def _nothing() -> None:
    pass


_NEVER: Deadline = (float("inf"), _nothing)


class Call:
    """The life of one request. :meth:`run` returns when the client has its answer, or has gone."""

    def __init__(self, app: App, scope: Scope, receive: Receive, send: Send, limits: Limits, endpoint: str) -> None:
        self.outlet = Outlet(send)
        self.body: dict[str, Any] = {}
        self.exchange: ServeResponses | None = None
        self.relay: Relay | None = None
        self.error: TranslationError | None = None
        self.profile: Profile | None = None
        self._app = app
        self._scope = scope
        self._receive = receive
        self._limits = limits
        self._endpoint = endpoint
        self._request = b""
        self._lessons: dict[str, Any] = {}
        self._wake = anyio.Event()
        self._dismissed = anyio.Event()
        self._dismissed_at = 0.0
        self._inner = anyio.CancelScope()
        self._life = anyio.CancelScope()

    @property
    def lessons(self) -> dict[str, Any]:
        """The settings of the profile that had to be others, once the upstream has accepted a request with them."""
        return self._lessons if self.relay is not None and self.relay.accepted else {}

    async def run(self, profile: Profile, strict: bool) -> None:
        """Serve the request; *profile* says what the upstream is like, ``lessons`` afterwards what it is like, too."""
        self.profile = profile
        try:
            self.body = await read_object(self._scope, self._receive, self._limits.max_body)
            self._translate(strict)
        except Disconnected:
            self.outlet.gone = True
        except TranslationError as error:
            await self._refuse(error)
        else:
            await self._watched(strict)

    async def _refuse(self, error: TranslationError) -> None:
        self.error = error
        try:
            await self.outlet.error(error, [])
        except OSError:
            self.outlet.gone = True

    def _translate(self, strict: bool) -> None:
        """Start anew with the profile as it is known now."""
        assert self.profile is not None
        try:
            serve = ENDPOINTS[self._endpoint]
            self.exchange = serve(self.body, self.profile, strict=strict, new_id=new_id, clock=time.time)
            self._request = encode_json(self.exchange.chat)
        except RecursionError:
            raise BadRequest("The request is nested too deeply.") from None
        except TranslationError:
            raise
        except Exception as error:  # a mistake of ours: the client gets an answer all the same
            _log.error("The translation raised %s\n%s", type(error).__qualname__, _frames(error))
            _log.debug("The same in full", exc_info=error)
            raise TranslationError("The request could not be translated.") from None
        self.relay = Relay(self.exchange, self.outlet, self._limits, self._changed, self._learn)
        self._changed()

    async def _watched(self, strict: bool) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen)
            tasks.start_soon(self._watch)
            try:
                with self._life:
                    await self._attempts(strict)
            except TranslationError as error:  # only a changed profile in strict mode gets here
                await self._refuse(error)
            except OSError:
                self.outlet.gone = True
            tasks.cancel_scope.cancel()

    async def _attempts(self, strict: bool) -> None:
        """Call the chat application; once more if it refused what we had added to the request."""
        assert self.relay is not None
        await self._attempt(self.relay)
        while self.relay.learned is not None and not self.outlet.gone:
            self.profile = self.relay.learned
            self._translate(strict)
            await self._attempt(self.relay)

    def _learn(self, status: int, body: bytes) -> Profile | None:
        """A profile to try again with: nothing is changed twice, so trying has an end."""
        assert self.exchange is not None
        assert self.profile is not None
        learned = self.exchange.learned(status, body)
        lessons = {} if learned is None else differences(self.profile, learned)
        if not lessons or not lessons.keys().isdisjoint(self._lessons):
            return None
        self._lessons.update(lessons)
        return learned

    async def _attempt(self, relay: Relay) -> None:
        failure: TranslationError = BadUpstream("The upstream ended without a complete answer.")
        self._inner, self._dismissed, self._dismissed_at = anyio.CancelScope(), anyio.Event(), 0.0
        with self._inner:
            try:
                await self._app(self._inner_scope(), self._inner_receive(), relay.send)
            except Exception as error:
                failure = self._reason(error)
            except anyio.get_cancelled_exc_class():
                if not self._inner.cancel_called:
                    await self._farewell(relay)
                raise
        await self.outlet.free()
        if not relay.over and not self.outlet.gone:
            await relay.fail(failure)

    def _reason(self, error: Exception) -> TranslationError:
        """What the client is told when the chat application raises; the log gets no texts, they may be private."""
        while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if isinstance(error, TranslationError):
            return error
        if not self.outlet.gone:
            _log.error("The chat application raised %s\n%s", type(error).__qualname__, _frames(error))
            _log.debug("The same in full", exc_info=error)
        return BadUpstream("The chat application failed.")

    async def _farewell(self, relay: Relay) -> None:
        """The server ends this task: a stream must not look as if it had only been cut."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(self._limits.shutdown):
            try:
                await relay.fail(BadUpstream("The server is shutting down.", status=503))
            except OSError:
                self.outlet.gone = True

    # What the chat application sees

    def _inner_scope(self) -> Scope:
        assert self.exchange is not None
        return chat_scope(self._scope, self._endpoint, len(self._request), self.exchange.streaming)

    def _inner_receive(self) -> Receive:
        messages: list[Message] = [{"type": "http.request", "body": self._request, "more_body": False}]
        dismissed = self._dismissed

        async def receive() -> Message:
            if messages:
                return messages.pop()
            await dismissed.wait()
            return {"type": "http.disconnect"}

        return receive

    # The client and the clock

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self.outlet.done:
            self.outlet.gone = True
            self._dismiss()
            self._changed()

    def _changed(self) -> None:
        self._wake.set()

    async def _watch(self) -> None:
        """Do what is due; a deadline that moved away meanwhile is only found out about when it comes."""
        while True:
            due, act = min(self._deadlines(), key=lambda deadline: deadline[0])
            delay = due - monotonic()
            if delay <= 0:
                await self._act(act)
                continue
            with anyio.move_on_after(delay):
                await self._wake.wait()
            if self._wake.is_set():
                self._wake = anyio.Event()

    async def _act(self, act: Callable[[], Awaitable[None]]) -> None:
        self.outlet.take_turn()
        try:
            with anyio.move_on_after(self._limits.stalled) as patience:
                await act()
            if patience.cancelled_caught:
                await self._give_up()
        except OSError:
            self.outlet.gone = True
            self._dismiss()
        finally:
            self.outlet.give_turn()

    def _deadlines(self) -> list[Deadline]:
        """What is to be done when, as things stand. While the client is slow, the upstream is not to blame."""
        relay, limits = self.relay, self._limits
        assert relay is not None
        if self.outlet.busy and not self._dismissed_at:
            return [
                (self.outlet.busy_since + limits.stalled, self._give_up),
                (monotonic() + limits.keepalive, _nothing),
            ]
        if relay.complete:
            return [_NEVER]
        if self._dismissed_at:
            return [(self._dismissed_at + limits.shutdown, self._hang_up)]
        if relay.over:
            patience = limits.after_finish if relay.error is None else 0
            return [(relay.over_at + patience, self._hang_up)]
        deadlines: list[Deadline] = [
            (relay.heard_at + (limits.idle if relay.heard else limits.first_byte), self._time_out),
            (relay.told_at + limits.silent, self._time_out),
        ]
        if relay.finishing_at:
            deadlines.append((relay.finishing_at + limits.after_finish, relay.finish))
        if relay.stream is not None:
            deadlines.append((self.outlet.sent_at + limits.keepalive, relay.keep_alive))
        return deadlines

    async def _hang_up(self) -> None:
        """First politely, then firmly."""
        if self._dismissed_at:
            self._inner.cancel()
            self._dismissed_at = float("inf")
        else:
            self._dismiss()

    async def _give_up(self) -> None:
        """The client reads no more: what works for it ends at once."""
        self.outlet.gone = True
        self._dismiss()
        self._life.cancel()

    def _dismiss(self) -> None:
        self._dismissed_at = monotonic()
        self._dismissed.set()

    async def _time_out(self) -> None:
        assert self.relay is not None
        await self.relay.fail(BadUpstream("The upstream took too long.", status=504, code="upstream_timeout"))


def _frames(error: Exception) -> str:
    """Where it happened, without what the exception says: that may be anybody's words."""
    return "".join(traceback.format_tb(error.__traceback__))


def differences(before: Profile, after: Profile) -> dict[str, Any]:
    """The settings of *after* that are others than in *before*."""
    values = {name: getattr(after, name) for name in Profile.__struct_fields__}
    return {name: value for name, value in values.items() if value != getattr(before, name)}


def new_id(prefix: str) -> str:
    """Return a fresh identifier that nobody can guess."""
    return f"{prefix}_{secrets.token_hex(16)}"
