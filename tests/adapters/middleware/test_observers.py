"""Those who watch an exchange through its scope."""

from typing import Any

import pytest

from diglot.adapters.middleware.observers import observed, observers, with_observer

pytestmark = pytest.mark.anyio


class Watching:
    """Notes what it is told."""

    def __init__(self, inner: bool = True) -> None:
        self.attempts: list[str] = []
        self.how: list[str] = []
        self.records: list[Any] = []

    def around(self, app: Any) -> Any:
        async def watched(scope: Any, receive: Any, send: Any) -> None:
            self.attempts.append(scope["path"])
            await app(scope, receive, send)

        return watched

    def handled(self, how: str) -> None:
        self.how.append(how)

    def finished(self, record: Any) -> None:
        self.records.append(record)


async def test_nobody_watches() -> None:
    """Then the application stays what it is."""
    assert observers({}) == ()
    app: Any = object()
    assert observed(app, {}) is app


async def test_a_translated_request(side: Any, chat: Any) -> None:
    """Each of several observers sees the call of the upstream, how the request is handled, and its record."""
    watching = [Watching(), Watching()]
    talk = side.talk(chat(side.whole, kind="application/json"), side.lossy)
    scope = talk.scope
    for observer in watching:
        talk.scope = with_observer(talk.scope, observer)
    assert observers(scope) == ()
    await talk.run()
    for observer in watching:
        assert observer.attempts == [side.theirs]
        assert observer.how == ["translated"]
        assert [record.losses[0].path.partition(".")[0] for record in observer.records] == [side.lost]


async def test_a_request_that_goes_through(side: Any, chat: Any, talk: Any) -> None:
    """It has no record."""
    observer = Watching()
    asked = talk(side.middleware(chat(side.whole, kind="application/json")), {}, path=side.theirs)
    asked.scope = with_observer(asked.scope, observer)
    await asked.run()
    assert (observer.attempts, observer.how, observer.records) == ([side.theirs], ["passed"], [])
