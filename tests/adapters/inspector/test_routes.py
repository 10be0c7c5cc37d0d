"""What the page asks for."""

from importlib.resources import files
from typing import Any

import pytest

from diglot.adapters.inspector import feed as feed_module
from diglot.adapters.inspector import routes as routes_module
from diglot.adapters.inspector.routes import routes
from diglot.adapters.observe.ring import Ring
from diglot.translator import fields_as_markdown

pytestmark = pytest.mark.anyio


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
def ask(talk: Any, ring: Ring) -> Any:
    async def asked(path: str, query: str = "", method: str = "GET") -> Any:
        app = routes(ring, "vllm", {"version": "1"})
        return await talk(app, path=path, method=method, query_string=query.encode()).run()

    return asked


async def test_files(ask: Any) -> None:
    """All that the page needs is there, and comes from here."""
    page = await ask("/")
    assert "text/html" in page.headers["content-type"]
    for file in files("diglot.adapters.inspector").joinpath("page").iterdir():
        text = file.read_text("utf-8")
        assert "innerHTML" not in text
        assert "http://" not in text
        assert "https://" not in text
        got = await ask("/" if file.name == "inspector.html" else f"/{file.name}")
        assert (got.status, got.body.decode()) == (200, text)
        assert got.headers["x-content-type-options"] == "nosniff"
    for name in ("style=", "onclick=", "<style", "<script>"):
        assert name not in page.body.decode()


async def test_the_table_of_fields(ask: Any) -> None:
    """It is that of the profile, in cells."""
    tables = (await ask("/fields")).json
    assert [table["title"].partition(":")[0] for table in tables] == ["Request", "Answer", "Request", "Answer"]
    assert tables[0]["rows"][0] == ["Responses", "Chat Completions", ""]
    assert {len(row) for table in tables for row in table["rows"]} == {3}
    for line in fields_as_markdown("vllm"):
        if line.startswith("| `"):
            name = line.split("`")[1]
            assert any(row[0] == f"`{name}`" for table in tables for row in table["rows"])


async def test_workers(ask: Any, ring: Ring) -> None:
    """Each shows its own: one that is asked for what another one keeps says so, and closes the connection."""
    about = (await ask("/about")).json
    assert about == {"version": "1", "worker": ring.worker}
    ring.begin("POST", "/v1/responses", b"", [])
    assert (await ask("/exchanges/1", f"worker={ring.worker}")).json["number"] == 1
    for path, method in (("/exchanges/1", "GET"), ("/events", "GET"), ("/clear", "POST")):
        got = await ask(path, "worker=1", method)
        assert (got.status, got.headers["connection"]) == (421, "close")
    assert len(ring) == 1


async def test_clear(ask: Any, ring: Ring) -> None:
    """Nothing is left."""
    ring.begin("POST", "/v1/responses", b"", [])
    assert (await ask("/clear")).status == 405
    assert (await ask("/clear", "", "POST")).status == 204
    assert len(ring) == 0


@pytest.mark.parametrize(
    ("after", "numbers"), [("", b'"number":1'), ("0", b'"number":1'), ("x", b'"number":1'), ("99", b'"exchanges":[]')]
)
async def test_events(ask: Any, ring: Ring, after: str, numbers: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is followed from where the page is."""
    monkeypatch.setattr(feed_module, "LIFETIME", 0.01)
    ring.begin("POST", "/v1/responses", b"", [])
    assert numbers in (await ask("/events", f"after={after}")).body


async def test_too_many_pages(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a few hundred are refused."""
    monkeypatch.setattr(routes_module, "MAX_VIEWERS", 0)
    assert (await ask("/events")).status == 503


@pytest.mark.parametrize("path", ["/nothing", "/exchanges/x", "/exchanges/1", "/../app.py", "/page/inspector.js"])
async def test_what_is_not_there(ask: Any, path: str) -> None:
    """A 404, with the same headers."""
    got = await ask(path)
    assert (got.status, got.headers["cache-control"]) == (404, "no-store")
