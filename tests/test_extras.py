"""Every part of diglot runs with the packages of its extra, and says how to install what is missing."""

import tomllib
from pathlib import Path

import pytest

import bare

EXTRAS = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]

CONVERT = """
from diglot.translator import Report, ServeChat, ServeResponses, preset, request
print(request.to_chat({"model": "m", "input": "hi"}))
print(request.to_responses({"model": "m", "messages": [{"role": "user", "content": "hi"}]}))
ids = lambda prefix: prefix + "_1"
stream = ServeResponses({"model": "m", "input": "hi", "stream": True}, new_id=ids, clock=lambda: 1.0).stream()
print(stream.feed(b'data: {"choices":[{"delta":{"content":"Hel"}}]}\\n\\n'))
"""
CALL = """
import anyio
from diglot.adapters import TranslationMiddleware
COMPLETION = b'{"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}'
async def inner(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": COMPLETION})
class Client:
    sent, body = [], b'{"model": "m", "input": "hi"}'
    async def receive(self):
        if not self.body:
            await anyio.sleep_forever()
        self.body, body = b"", self.body
        return {"type": "http.request", "body": body}
    async def send(self, message):
        self.sent.append(message)
async def main():
    client, encoding = Client(), ENCODING
    scope = {"type": "http", "method": "POST", "path": "/v1/responses", "query_string": b"", "headers": encoding}
    await TranslationMiddleware(inner)(scope, client.receive, client.send)
    print(client.sent)
anyio.run(main)
"""


def test_the_core_needs_msgspec_only(tmp_path: Path) -> None:
    """What `pip install diglot` brings is all that the translator needs."""
    assert [line.partition(">")[0] for line in EXTRAS["dependencies"]] == ["msgspec"]
    ran = bare.run(tmp_path, ["msgspec"], "-c", CONVERT)
    assert ran.stderr == ""
    assert "response.output_text.delta" in ran.stdout


def test_the_middleware_needs_anyio(tmp_path: Path) -> None:
    """With the extra `asgi` a call is translated."""
    assert [line.partition(">")[0] for line in EXTRAS["optional-dependencies"]["asgi"]] == ["anyio"]
    ran = bare.run(tmp_path, ["msgspec", "anyio"], "-c", CALL.replace("ENCODING", "[]"))
    assert ran.stderr == ""
    assert "Hello" in ran.stdout


def test_zstd(tmp_path: Path) -> None:
    """Without zstandard such a body is refused with 415, and the log says what to install."""
    ran = bare.run(tmp_path, ["msgspec", "anyio"], "-c", CALL.replace("ENCODING", '[(b"content-encoding", b"zstd")]'))
    assert "'status': 415" in ran.stdout
    assert "needs zstandard: pip install 'diglot[zstd]'" in ran.stderr


@pytest.mark.parametrize(
    ("packages", "arguments", "words"),
    [
        (
            ["msgspec"],
            ("-c", "from diglot.adapters import TranslationMiddleware"),
            "diglot.adapters needs anyio: pip install 'diglot[asgi]'",
        ),
        (
            ["msgspec", "anyio"],
            ("-c", "from diglot.adapters import Upstream; Upstream('http://127.0.0.1:9')"),
            "Upstream needs an HTTP client: pip install 'diglot[aiohttp]', or 'diglot[httpx]'",
        ),
        (["msgspec"], ("-c", "from diglot import http_client"), "http_client needs anyio: pip install 'diglot[httpx]'"),
        (
            ["msgspec", "anyio"],
            ("-c", "from diglot import http_client; http_client()"),
            "http_client needs httpx: pip install 'diglot[httpx]'",
        ),
        (
            ["msgspec", "anyio"],
            ("-c", "import diglot.adapters.stateful.sealing"),
            "Sealing needs cryptography: pip install 'diglot[seal]'",
        ),
        (["msgspec"], ("-m", "diglot"), "The diglot command needs click: pip install 'diglot[server]'"),
        (
            ["msgspec", "anyio", "click"],
            ("-m", "diglot", "serve", "--upstream", "http://127.0.0.1:9"),
            "The diglot command needs uvicorn: pip install 'diglot[server]'",
        ),
    ],
)
def test_what_is_missing(tmp_path: Path, packages: list[str], arguments: tuple[str, ...], words: str) -> None:
    """The error names the package and the command that installs it."""
    ran = bare.run(tmp_path, packages, *arguments)
    assert ran.returncode == 1
    assert words in ran.stderr


def test_data_without_the_packages_of_reports(tmp_path: Path) -> None:
    """Lines are converted with what every user has; what reports and other files need is named."""
    program = """
from diglot.adapters.migrate import MapBatches, Options, SettingError, convert_line, parquet, report
print(convert_line(b'{"model":"m","input":"Hi"}', Options(to="chat")).data)
try:
    report.check_path("losses.html")
except SettingError as error:
    print(error)
"""
    ran = bare.run(tmp_path, ["msgspec"], "-c", program)
    assert ran.stderr == ""
    assert "messages" in ran.stdout
    assert "A report in HTML needs jinja2: pip install 'diglot[migrate]'" in ran.stdout


def test_a_client_of_httpx(tmp_path: Path) -> None:
    """The extra `httpx` is enough for an upstream, and for a transport under an SDK."""
    for use in (
        "from diglot.adapters import Upstream; Upstream('http://127.0.0.1:9')",
        "import diglot; diglot.http_client()",
    ):
        ran = bare.run(tmp_path, ["msgspec", "anyio", "httpx"], "-c", f"{use}; print('fine')")
        assert (ran.stdout, ran.stderr) == ("fine\n", "")


def test_whatever_is_imported_comes_with_an_extra() -> None:
    """The server's extra has all others in it, but for stores that are servers, counting, and what developers need."""
    extras = EXTRAS["optional-dependencies"]
    (others,) = [line for line in extras["server"] if line.startswith("diglot[")]
    reached = {"server", *others.removeprefix("diglot[").removesuffix("]").split(",")}
    reached |= {"asgi"} if any("diglot[asgi]" in line for name in reached for line in extras[name]) else set()
    assert reached == set(extras) - {
        "browser",
        "metrics",
        "migrate",
        "otel",
        "parquet",
        "ray",
        "recipes",
        "remote",
        "postgres",
        "redis",
        "tokens",
        "test",
        "bench",
    }
