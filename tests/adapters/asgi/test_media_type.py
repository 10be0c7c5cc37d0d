"""Only JSON is translated."""

from typing import Any

import pytest

from diglot.adapters import Record
from diglot.adapters.asgi import media_type
from diglot.translator import RequestError

pytestmark = pytest.mark.anyio

JSON = [
    "application/json",
    "Application/JSON; charset=utf-8",
    " application/json ;x=y",
    "application/vnd.api+json",
    "application/problem+json;v=1",
]
OTHERS = [
    "text/plain;charset=UTF-8",
    "text/plain; application/json",
    "text/plain, application/json",
    "application/json, text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/+json",
    "application/jsonx",
    "text/json",
    "json",
    "",
    ";",
    "application/json\x00",
    "\u00e4",
]


def scope(*types: str) -> dict[str, Any]:
    return {"headers": [(b"content-type", kind.encode("latin-1")) for kind in types]}


@pytest.mark.parametrize("kind", JSON)
async def test_json(side: Any, chat: Any, kind: str) -> None:
    """JSON is what says that it is JSON."""
    app = chat(side.whole, kind="application/json")
    assert (await side.talk(app, side.ask, {"headers": {"content-type": kind}}).run()).status == 200


@pytest.mark.parametrize("kind", OTHERS)
async def test_others(side: Any, chat: Any, kind: str) -> None:
    """Anything else is refused before the body is read, in words, and recorded; the application never sees it."""
    app, records = chat(), list[Record]()
    got = side.talk(app, side.ask, {"headers": {"content-type": kind}}, on_exchange=records.append)
    await got.run()
    assert (got.status, got.error["code"]) == (415, "unsupported_content_type")
    assert "application/json" in got.error["message"]
    assert app.bodies == []
    assert [(record.status, record.outcome) for record in records] == [(415, "refused")]


@pytest.mark.parametrize("types", [(), ("application/json", "application/json")])
async def test_not_said(types: tuple[str, ...]) -> None:
    """Nothing, or the same twice, is no lie."""
    media_type.check(scope(*types))


async def test_said_twice() -> None:
    """One JSON among several types is not enough."""
    with pytest.raises(RequestError):
        media_type.check(scope("application/json", "text/plain"))


async def test_what_goes_through_may_be_anything(side: Any, chat: Any) -> None:
    """What is not translated is the application's to judge."""
    app = chat(side.whole, kind="application/json")
    got = await side.talk(app, {}, {"path": side.theirs, "headers": {"content-type": "text/plain"}}).run()
    assert got.status == 200


@pytest.mark.parametrize(
    ("headers", "may"),
    [
        ([], True),
        ([(b"accept", b"text/html")], True),
        *(([(b"content-type", kind.encode())], True) for kind in JSON),
        ([(b"content-type", b"multipart/form-data; boundary=x")], False),
        ([(b"content-type", b"")], False),
    ],
)
def test_may_be_json(headers: Any, may: bool) -> None:
    """What says nothing of its body may have JSON in it."""
    assert media_type.may_be_json({"headers": headers}) == may
