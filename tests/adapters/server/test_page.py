"""The page for people."""

from typing import Any

import pytest

from diglot.adapters.server.app import application
from diglot.adapters.server.config import Settings
from diglot.adapters.server.page import page

pytestmark = pytest.mark.anyio

HOST = {"host": "localhost"}
UPSTREAM = "http://user:k3y@up.example:1/v1?token=k3y"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_where_one_is(talk: Any, method: str) -> None:
    """What this is, what it serves, which upstream, without credentials; it runs nothing and is shown in no frame."""
    app = application(Settings(upstream=UPSTREAM, profile="vllm", port=1234))
    got = await talk(app, path="/", method=method, headers=HOST).run()
    assert (got.status, got.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in got.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in got.headers["content-security-policy"]
    text = got.body.decode()
    for words in ("diglot", "POST /v1/responses", "POST /v1/chat/completions", "http://up.example:1/v1", "vllm"):
        assert words in text
    assert "http://127.0.0.1:1234/v1" in text
    assert "k3y" not in text
    assert "<script" not in text


async def test_demo(talk: Any) -> None:
    """Whoever looks at the demo learns that it is one."""
    got = await talk(application(Settings(demo=True)), path="/", method="GET", headers=HOST).run()
    assert "a script (--demo)" in got.body.decode()


async def test_escaped() -> None:
    """Nothing in a setting becomes markup."""
    evil = "<script>&\"'"
    text = bytes(page(evil, [evil, evil], [(evil, evil)], [evil]).body).decode()
    assert evil not in text
    assert text.count("&lt;script&gt;&amp;") == 6
