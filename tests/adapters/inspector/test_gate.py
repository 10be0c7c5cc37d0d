"""Who gets in."""

from typing import Any

import pytest
from starlette.requests import Request

from diglot.adapters.inspector.gate import HEADERS, Gate, new_token, refused

TOKEN = "the-token"
LOCAL = ("127.0.0.1", 5)


def request(
    headers: dict[str, str] | None = None, client: Any = LOCAL, query: str = "", scheme: str = "http"
) -> Request:
    pairs = [(name.encode(), value.encode()) for name, value in ({"host": "localhost:1"} | (headers or {})).items()]
    return Request(
        {
            "type": "http",
            "method": "GET",
            "scheme": scheme,
            "path": "/_diglot/",
            "query_string": query.encode(),
            "headers": [(name, value) for name, value in pairs if value],
            "client": client,
            "server": ("127.0.0.1", 1),
        }
    )


def cookie(gate: Gate) -> str:
    """What a browser sends back."""
    answer = gate.exchange(request(query=f"token={TOKEN}"), "/_diglot/")
    assert answer is not None
    return answer.headers["set-cookie"].partition(";")[0]


def test_the_token_becomes_a_cookie() -> None:
    """A page cannot read it, other sites do not send it, and the token is neither in it nor in the address bar."""
    answer = Gate(TOKEN).exchange(request(query=f"token={TOKEN}"), "/_diglot/")
    assert answer is not None
    assert (answer.status_code, answer.headers["location"]) == (303, "/_diglot/")
    parts = answer.headers["set-cookie"].lower().split("; ")
    assert {"httponly", "samesite=strict", "path=/_diglot/"} <= set(parts)
    assert "secure" not in parts
    assert TOKEN not in answer.headers["set-cookie"]
    secure = Gate(TOKEN).exchange(request(query=f"token={TOKEN}", scheme="https"), "/_diglot/")
    assert secure is not None
    assert "secure" in secure.headers["set-cookie"].lower()


@pytest.mark.parametrize("query", ["", "token=", "token=wrong", "token=the-toke", "token=%ff%00"])
def test_wrong_tokens(query: str) -> None:
    """Without the token there is no cookie."""
    assert Gate(TOKEN).exchange(request(query=query), "/") is None


def test_with_the_cookie() -> None:
    """That, on this machine, under its name, is enough; a cookie of another server is not."""
    gate = Gate(TOKEN)
    assert gate.refusal(request({"cookie": cookie(gate)})) is None
    for other in ("", "x=y", cookie(gate) + "0", cookie(gate).partition("=")[0] + "="):
        refusal = gate.refusal(request({"cookie": other}))
        assert refusal is not None
        assert refusal.status_code == 401
    assert Gate(new_token()).refusal(request({"cookie": cookie(gate)})) is not None
    assert len({new_token() for _ in range(9)}) == 9


@pytest.mark.parametrize(
    ("headers", "client", "status"),
    [
        ({"host": "evil.example"}, LOCAL, 403),
        ({"host": "evil.example:8080"}, LOCAL, 403),
        ({"host": ""}, LOCAL, 403),
        ({"host": "192.168.0.5"}, LOCAL, 403),
        ({"host": "box.local:80"}, LOCAL, None),
        ({"host": "127.0.0.1"}, LOCAL, None),
        ({"host": "[::1]:80"}, ("::1", 5), None),
        ({}, ("::ffff:127.0.0.1", 5), None),
        ({}, None, None),
        ({}, ("192.168.0.9", 5), 403),
        ({}, ("fe80::1%eth0", 5), 403),
        ({}, ("somewhere", 5), 403),
        ({"origin": "http://localhost:1"}, LOCAL, None),
        ({"origin": "http://localhost:3000"}, LOCAL, 403),
        ({"origin": "null"}, LOCAL, 403),
        ({"origin": "://"}, LOCAL, 403),
        ({"sec-fetch-site": "same-site"}, LOCAL, 403),
        ({"sec-fetch-site": "cross-site"}, LOCAL, 403),
        ({"sec-fetch-site": "same-origin"}, LOCAL, None),
    ],
)
def test_places(headers: dict[str, str], client: Any, status: int | None) -> None:
    """Other machines, other host names and other web pages do not get in, even with the cookie."""
    gate = Gate(TOKEN, ["box.local", "no host!"])
    asked = request({**headers, "cookie": cookie(gate)}, client)
    refusal = gate.refusal(asked)
    assert (refusal and refusal.status_code) == status
    if status is None:
        assert gate.may_exchange(asked)
    elif not headers.keys() & {"origin", "sec-fetch-site"}:
        assert not gate.may_exchange(asked)


@pytest.mark.parametrize(("host", "ok"), [("192.168.0.5:80", True), ("[fe80::1]", True), ("evil.example", False)])
def test_anywhere(host: str, ok: bool) -> None:
    """If other machines may get in, it is by address or by a name that was allowed: others may be rebound."""
    gate = Gate(TOKEN, anywhere=True)
    asked = request({"host": host, "cookie": cookie(gate)}, ("192.168.0.9", 5))
    assert (gate.refusal(asked) is None) == ok == gate.may_exchange(asked)


def test_every_answer_is_closed() -> None:
    """Nothing runs that is not ours, nothing is stored, nothing is shown in a frame."""
    policy = refused(403, "no").headers["content-security-policy"]
    assert dict(refused(403, "no").headers).items() >= HEADERS.items()
    assert "unsafe" not in policy
    for words in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for"):
        assert words in policy
    assert (HEADERS["cache-control"], HEADERS["x-content-type-options"]) == ("no-store", "nosniff")
