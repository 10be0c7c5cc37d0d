"""The pages in docs/: their Python runs, and the commands, files and packages that they name exist."""

import asyncio
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from diglot.adapters.cli import main
from diglot.adapters.limits import Limits
from diglot.adapters.server import config
from diglot.adapters.upstream import replicas, retry_after

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


def ran(page: str) -> dict[str, Any]:
    """The names that a page has defined once its Python blocks have run, one after the other."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.S):
        exec(compile(block, page, "exec"), names)
    return names


@pytest.mark.parametrize("page", PAGES)
def test_python_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a reader would paste runs."""
    ran(page)
    capsys.readouterr()


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page: str) -> None:
    """What a page calls a command of `diglot` is one."""
    found = re.findall(r"[`|] ?diglot ([a-z]+)", re.sub(r"```sh\n", "`", (DOCS / page).read_text("utf-8")))
    assert set(found) <= main.commands.keys()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "RELEASING.md", *(f"docs/{page}" for page in PAGES)])
def test_files_exist(page: str) -> None:
    """Every file and folder of the project that a page names is there."""
    named = re.findall(
        r"`((?:package|translator|adapters|tests|benchmarks|docs)/[\w./]*)`", (ROOT / page).read_text("utf-8")
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("package", ["diglot", "diglot.translator", "diglot.adapters"])
def test_packages_are_documented(package: str) -> None:
    """Each public package has a page, which lists what it exports."""
    page = DOCS / "api" / f"{package.rpartition('.')[2]}.md"
    assert f"::: {package}" in page.read_text("utf-8").splitlines()


class Upstream:
    """An upstream that answers with these bytes, one after the other; None breaks the connection."""

    def __init__(self, status: int, *pieces: bytes | None) -> None:
        self.status, self._pieces = status, pieces

    async def post(self, endpoint: str, request: dict[str, Any]) -> Any:
        assert (endpoint, request["messages"][-1]) == ("/chat/completions", {"role": "user", "content": "Hi"})
        return self

    async def read(self) -> bytes:
        return b"".join(piece or b"" for piece in self._pieces)

    async def __aiter__(self) -> Any:
        for piece in self._pieces:
            if piece is None:
                raise ConnectionError
            yield piece


def served(upstream: Upstream, body: bytes) -> tuple[list[Any], str]:
    """The bodies that a client gets from the example `serve`, and its stream."""
    bodies: list[Any] = []
    frames: list[bytes] = []

    async def send(status: int, body: Any) -> None:
        bodies.append((status, body))

    async def write(some: list[bytes]) -> None:
        frames.extend(some)

    client = SimpleNamespace(json=send, write=write)
    asyncio.run(ran("integrating.md")["serve"](body, upstream, client))
    return bodies, b"".join(frames).decode()


HI = {"model": "m", "input": "Hi"}
STREAMED = json.dumps({**HI, "stream": True}).encode()
CHUNK = b'data: {"choices": [{"delta": {"content": "Hello"}}]}\n\n'
END = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


def test_the_example_server_answers() -> None:
    """A finished answer is a Response."""
    answer = b'{"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}'
    [(status, body)], _ = served(Upstream(200, answer), json.dumps(HI).encode())
    assert (status, body["status"], body["output"][0]["content"][0]["text"]) == (200, "completed", "Hello")


@pytest.mark.parametrize(
    ("pieces", "end"),
    [((CHUNK, END, b"more"), "completed"), ((CHUNK,), "failed"), ((CHUNK, None), "failed")],
)
def test_the_example_server_streams(pieces: tuple[bytes | None, ...], end: str) -> None:
    """A stream ends as it ended: whole, cut off, or broken."""
    bodies, stream = served(Upstream(200, *pieces), STREAMED)
    names = re.findall(r"^event: (.*)$", stream, re.M)
    assert (bodies, names[0], names[-1]) == ([], "response.created", f"response.{end}")


@pytest.mark.parametrize(
    ("upstream", "body", "status"),
    [
        (Upstream(200), b"{", 400),
        (Upstream(200), b"{}", 400),
        (Upstream(429, b'{"error": {"message": "Slow down."}}'), STREAMED, 429),
        (Upstream(200), STREAMED, 502),
    ],
)
def test_the_example_server_tells_errors(upstream: Upstream, body: bytes, status: int) -> None:
    """What goes wrong before a stream has begun is an HTTP error."""
    [(told, error)], stream = served(upstream, body)
    assert (told, error["error"].keys() >= {"message", "param"}, stream) == (status, True, "")


class Connection:
    """A client of the example `respond` that remembers what it gets."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any]] = []

    def write(self, frame: bytes) -> None:
        self.got.append(("frame", frame))

    def json(self, data: bytes) -> None:
        self.got.append(("json", json.loads(data)))

    def error(self, error: Any) -> None:
        self.got.append(("error", error.status))

    @property
    def stream(self) -> str:
        return b"".join(frame for kind, frame in self.got if kind == "frame").decode()


def responded(body: Any, *answers: Any) -> tuple[Connection, list[dict[str, Any]], Any]:
    """What the driver `respond` gives a client, what it asks an upstream that answers so, and what it has learned."""
    left, asked = list(answers), []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        given = left.pop(0)
        if isinstance(given, Exception):
            raise given
        status, content = given
        return httpx.Response(status, content=content)

    names = ran("integrating.md")
    client = Connection()
    with httpx.Client(base_url="http://up/v1", transport=httpx.MockTransport(answer)) as upstream:
        names["respond"](body, upstream, client)
    return client, asked, names["adaptation"].summary()


def cut() -> Any:
    """A body that breaks off."""
    yield CHUNK
    raise httpx.ReadError("cut")


WHOLE = b'{"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}'


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        ((200, CHUNK + END), "completed"),
        ((200, WHOLE), "completed"),
        ((200, CHUNK), "failed"),
        ((200, cut()), "failed"),
    ],
)
def test_the_example_driver_streams(answer: Any, end: str) -> None:
    """A stream ends as it ended, and a finished answer becomes one."""
    client, _, _ = responded({**HI, "stream": True}, answer)
    names = re.findall(r"^event: (.*)$", client.stream, re.M)
    assert (names[0], names[-1]) == ("response.created", f"response.{end}")


@pytest.mark.parametrize(
    ("body", "answer", "got"),
    [
        (HI, (429, b'{"error": {"message": "Slow down."}}'), ("error", 429)),
        (HI, httpx.ConnectError("refused"), ("error", 502)),
        ({}, (200, b""), ("error", 400)),
        ([], (200, b""), ("error", 400)),
    ],
)
def test_the_example_driver_tells_errors(body: Any, answer: Any, got: tuple[str, Any]) -> None:
    """An error before a stream has begun has its status."""
    client, _, _ = responded(body, answer)
    assert client.got == [got]


def test_the_example_driver_learns() -> None:
    """After a refusal the request is sent again without what was refused, and that is remembered."""
    refusal = b'{"error": {"message": "Unsupported parameter: \'temperature\'", "param": "temperature"}}'
    client, asked, learned = responded({**HI, "temperature": 1}, (400, refusal), (200, WHOLE))
    [(kind, body)] = client.got
    assert (kind, body["status"]) == ("json", "completed")
    assert ["temperature" in one for one in asked] == [True, False]
    assert [row["models"] for row in learned] == [1]


def test_the_example_of_choices_joins_them() -> None:
    """Two branches are one stream with two choices."""
    feed = ran("integrating.md")["feed"]
    made = [{"type": "response.created", "response": {"id": "resp_1", "model": "m", "output": []}}]
    done = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}}
    whole = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in [*made, done])
    chunks = [json.loads(line[6:]) for n in (0, 1) for line in map(bytes.decode, feed(n, whole)) if "{" in line]
    assert {choice["index"] for chunk in chunks for choice in chunk["choices"]} == {0, 1}


def test_the_example_of_fixtures_gives_the_same_bytes() -> None:
    """The same recording gives the same fixture."""
    convert = ran("migrating.md")["chat_fixture"]
    event = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}}
    recorded = b"data: " + json.dumps(event).encode() + b"\n\n"
    request = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert convert(request, recorded) == convert(request, recorded)
    assert convert(request, recorded).endswith(b"data: [DONE]\n\n")


def test_the_file_of_several_models_is_right(tmp_path: Path) -> None:
    """The example in production.md is what a server would start with."""
    (text,) = re.findall(r"```toml\n(.*?)```", (DOCS / "production.md").read_text("utf-8"), re.S)
    file = tmp_path / "diglot.toml"
    file.write_text(text)
    settings = config.load({}, {"QWEN_KEY": "k"}, file)
    assert list(settings.models) == ["gpt-5*", "codex-auto-review", "*"]


def test_the_figures_of_replicas() -> None:
    """production.md has those of the code."""
    page = (DOCS / "production.md").read_text("utf-8")
    assert f"`retry_within` ({Limits().retry_within:g} s" in page
    assert f"{replicas._SHORTEST:g} s, doubling to {replicas._LONGEST:g} s" in page
    assert f"(at most {retry_after.LONGEST / 60:g} minutes)" in page
    assert (
        set(map(int, re.findall(r"\b[45]\d\d\b", page.partition("answers ")[2].partition("|")[0]))) == replicas.FAILURES
    )
