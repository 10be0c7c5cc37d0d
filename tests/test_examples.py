"""The programs in examples/ do what they say."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

import diglot

EXAMPLES = Path(__file__).parent.parent / "examples"


def load(name: str) -> Any:
    """Import an example."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


def test_all_are_listed_and_tried() -> None:
    """The list names every program, and this file runs it, or that of the recipes."""
    tests = [Path(__file__), Path(__file__).parent / "recipes" / "test_recipes.py"]
    here, listed = "".join(path.read_text() for path in tests), (EXAMPLES / "README.md").read_text()
    for path in EXAMPLES.glob("*.py"):
        assert f"({path.name})" in listed
        assert re.search(rf'[({{ ]"{path.stem}"[,:)]', here)


@pytest.mark.anyio
async def test_fastapi(capsys: pytest.CaptureFixture[str]) -> None:
    """The application answers in both dialects, whole and as a stream, and says what was lost."""
    transport = httpx.ASGITransport(load("fastapi_app").app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/v1") as client:
        body = {"model": "echo", "input": "Hello you", "client_metadata": {"a": "b"}}
        answer = (await client.post("/responses", json=body)).json()
        assert answer["output"][0]["content"][0]["text"] == "Hello you"
        assert capsys.readouterr().out == "dropped client_metadata\n"
        streamed = (await client.post("/responses", json={**body, "stream": True})).text
        assert "event: response.completed" in streamed
        chat = {"model": "echo", "messages": [{"role": "user", "content": "Hello you"}]}
        assert (await client.post("/chat/completions", json=chat)).json()["object"] == "chat.completion"


def upstream(request: httpx.Request) -> httpx.Response:
    """One that repeats what it is told, or refuses it, or breaks off."""
    text = json.loads(request.content)["messages"][-1]["content"]
    if text == "refuse":
        return httpx.Response(429, json={"error": {"message": "Busy"}})
    chunks: list[Any] = [{"choices": [{"index": 0, "delta": {"content": text}}]}]
    chunks += [{"error": "Broken"}] if text == "break" else [{"choices": [{"delta": {}, "finish_reason": "stop"}]}]
    return httpx.Response(200, text="".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks))


def test_a_stream_of_httpx() -> None:
    """The pieces of the text arrive; errors of the upstream do, too."""
    ask = load("httpx_stream").ask
    with httpx.Client(transport=httpx.MockTransport(upstream)) as client:
        assert "".join(ask(client, "http://test/v1", "m", "Hello")) == "Hello"
        with pytest.raises(diglot.UpstreamError, match="Busy"):
            list(ask(client, "http://test/v1", "m", "refuse"))
        with pytest.raises(RuntimeError, match="Broken"):
            list(ask(client, "http://test/v1", "m", "break"))


def test_logs() -> None:
    """Lines become lines; losses are counted, and what is no request is left out."""
    asked = {"model": "m", "messages": [{"role": "user", "content": "Grüße"}], "seed": 1}
    completion = {"created": 7, "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    log = "\n".join([json.dumps(asked), json.dumps(completion), "{}", "no JSON", json.dumps(asked)])
    ran = run("convert_logs", stdin=log)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [line.get("object", "request") for line in lines] == ["request", "response", "request"]
    assert "     2 dropped seed: Responses requests have no `seed`" in ran.stderr
    assert "line 4: " in ran.stderr
    assert run("convert_logs", stdin=log).stdout == ran.stdout


def test_strict(tmp_path: Path) -> None:
    """What arrives whole is fine; what does not is named."""
    fine, lossy, wrong = (tmp_path / f"{name}.json" for name in ("fine", "lossy", "wrong"))
    fine.write_text(json.dumps({"model": "m", "input": "Hi"}))
    lossy.write_text(json.dumps({"model": "m", "input": "Hi", "truncation": "auto", "max_tool_calls": 1}))
    wrong.write_text("{")
    assert run("strict_check", str(fine)).returncode == 0
    ran = run("strict_check", "--profile", "vllm", *map(str, (fine, lossy, wrong)))
    assert ran.returncode == 1
    assert f"{lossy}: dropped truncation: chat requests have no `truncation`" in ran.stdout
    assert f"{wrong}: " in ran.stdout
    assert str(fine) not in ran.stdout
