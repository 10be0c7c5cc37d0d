import base64
import hashlib
import socket
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
import tiktoken
import tiktoken.load
import tiktoken.registry
import tiktoken_ext.openai_public

from diglot.adapters import Limits
from diglot.adapters.stateful import counting
from diglot.adapters.stateful.counting import VOCABULARIES, Vocabulary, cached_file, count
from diglot.translator import Profile, state

pytestmark = pytest.mark.anyio

SCOPE = {"type": "http", "path": "/v1/responses/input_tokens", "headers": []}
REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hihi hi"}]}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400_000}}
WORDS = [*(bytes([i]) for i in range(256)), b"hi"]
DATA = b"".join(base64.b64encode(word) + b" %d\n" % rank for rank, word in enumerate(WORDS))


async def upstream(scope: Any, receive: Any, send: Any) -> None:
    """An upstream that counts."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b'{"count":42}'})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where vocabularies are: none at first, and there is no network."""

    def refuse(*args: Any) -> None:
        raise AssertionError("the network is used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(tiktoken.load, "read_file", refuse)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    monkeypatch.setattr(counting, "_loaded", {})
    return tmp_path


@pytest.fixture
def on_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small vocabulary, as if it was that of `o200k_base`."""
    digest = hashlib.sha256(DATA).hexdigest()
    url = VOCABULARIES["o200k_base"].url
    monkeypatch.setitem(VOCABULARIES, "o200k_base", Vocabulary(url, digest))
    monkeypatch.setattr(tiktoken.load, "check_hash", lambda data, expected: hashlib.sha256(data).hexdigest() == digest)
    path = cached_file(url)
    assert path is not None
    path.write_bytes(DATA)
    return path


async def count_with(profile: Profile, request: dict[str, Any] = REQUEST) -> state.tokens.Count:
    return await count(upstream, SCOPE, request, profile, Limits())


@pytest.mark.usefixtures("on_disk")
async def test_the_upstream_comes_first() -> None:
    """It knows best."""
    assert await count_with(Profile(tokenizer="vllm")) == (42, "upstream")


@pytest.mark.usefixtures("on_disk")
@pytest.mark.parametrize("model", ["gpt-4o", "some-model", None])
async def test_then_tiktoken(model: str | None) -> None:
    """If its vocabulary is on disk, also for models that it does not know."""
    assert await count_with(Profile(), {**REQUEST, "model": model}) == (3 + 4 + 4, "tiktoken")
    assert await count_with(Profile(), {**REQUEST, "model": model}) == (3 + 4 + 4, "tiktoken")


async def test_then_an_estimate() -> None:
    """Nothing is fetched."""
    assert await count_with(Profile()) == (3 + 4 + 2, "estimate")


@pytest.mark.usefixtures("on_disk")
@pytest.mark.parametrize("model", ["gpt-4", "text-davinci-003"])
async def test_an_encoding_without_its_vocabulary_is_not_fetched(model: str) -> None:
    """One of another encoding does not help."""
    assert (await count_with(Profile(), {**REQUEST, "model": model})).way == "estimate"


async def test_a_damaged_vocabulary_is_neither_used_nor_fetched_again(on_disk: Path) -> None:
    """tiktoken would delete it and fetch it; it stays as it is."""
    await anyio.Path(on_disk).write_bytes(DATA[:-1])
    assert (await count_with(Profile())).way == "estimate"
    assert await anyio.Path(on_disk).read_bytes() == DATA[:-1]


@pytest.mark.usefixtures("on_disk")
async def test_a_vocabulary_that_tiktoken_cannot_read(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It may vanish in the moment between."""

    def fail(name: str) -> None:
        raise OSError("gone")

    monkeypatch.setattr(tiktoken, "get_encoding", fail)
    assert (await count_with(Profile())).way == "estimate"
    assert "cannot read its vocabulary o200k_base" in caplog.text


@pytest.mark.usefixtures("on_disk")
async def test_without_tiktoken(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert (await count_with(Profile())).way == "estimate"


@pytest.mark.usefixtures("on_disk")
async def test_long_texts_are_counted_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would take minutes otherwise does not, and what is too long for that is estimated."""
    request = {**REQUEST, "messages": [{"role": "user", "content": " " * 1_000_000}]}
    assert (await count_with(Profile(), request)).tokens == pytest.approx(1_000_000, rel=0.01)
    monkeypatch.setattr(counting, "_MOST", 999_999)
    assert await count_with(Profile(), request) == (3 + 4 + 250_000, "estimate")


@pytest.mark.usefixtures("on_disk")
async def test_media_are_not_left_to_the_upstream() -> None:
    """It would count a mark for each; they cost a fixed number instead, never their bytes."""
    request = {**REQUEST, "messages": [{"role": "user", "content": [PICTURE, {"type": "text", "text": "hi"}]}]}
    assert await count_with(Profile(tokenizer="vllm"), request) == (3 + 4 + 765 + 1, "tiktoken")


@pytest.mark.parametrize("name", sorted(VOCABULARIES.keys() & tiktoken_ext.openai_public.ENCODING_CONSTRUCTORS.keys()))
def test_the_vocabularies_are_those_that_tiktoken_asks_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their addresses and hashes are its own."""
    sought: list[Any] = []

    def note(url: str, expected_hash: str) -> dict[bytes, int]:
        sought.append((url, expected_hash))
        return {}

    monkeypatch.setattr(tiktoken_ext.openai_public, "load_tiktoken_bpe", note)
    tiktoken_ext.openai_public.ENCODING_CONSTRUCTORS[name]()
    assert sought == [VOCABULARIES[name]]


@pytest.mark.parametrize(
    ("variables", "folder_name"),
    [
        ({"TIKTOKEN_CACHE_DIR": "a", "DATA_GYM_CACHE_DIR": "b"}, "a"),
        ({"DATA_GYM_CACHE_DIR": "b"}, "b"),
        ({}, "data-gym-cache"),
        ({"TIKTOKEN_CACHE_DIR": "", "DATA_GYM_CACHE_DIR": "b"}, None),
    ],
)
def test_a_vocabulary_is_where_tiktoken_keeps_it(
    variables: dict[str, str], folder_name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is compared with what tiktoken itself reads."""
    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    path = cached_file("https://host/file")
    if path is None:
        assert folder_name is None
        return
    assert path.parent.name == folder_name
    path.parent.mkdir()
    path.write_bytes(b"data")
    assert tiktoken.load.read_file_cached("https://host/file") == b"data"


def test_the_answer_says_how_it_was_counted() -> None:
    """In a header."""
    body, headers = counting.answer(state.tokens.Count(7, "estimate"))
    assert body == {"object": "response.input_tokens", "input_tokens": 7}
    assert headers == [(b"diglot-token-count", b"estimate")]
