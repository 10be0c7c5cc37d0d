"""The page in a browser: the Chromium of the system, driven by Playwright (`pip install 'diglot[browser]'`)."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import anyio
import pytest
from openai import DefaultHttpxClient, OpenAI

from diglot.adapters.demo import app as demo_app
from diglot.adapters.server.app import application, on_loopback
from diglot.adapters.server.config import Settings

sync_api: Any = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'diglot[browser]'")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
    pytest.mark.slow,
]
KEY = "sk-very-secret-0123456789"
MARKUP = (
    "Use shell, then <b>say</b> <img src=x onerror=\"document.title='owned'\"> <script>document.title='owned'</script>"
)
TOOLS: Any = [
    {
        "type": "function",
        "name": "shell",
        "description": "Runs a command in the sandbox.",
        "strict": False,
        "parameters": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
    },
    {"type": "custom", "name": "apply_patch", "description": "Edits files by a patch."},
    {"type": "web_search"},
]


@contextmanager
def serving(pause: float) -> Iterator[str]:
    """A server with an inspector in front of a slow upstream, in a thread of its own; yields its URL."""
    url: Future[str] = Future()
    over = threading.Event()

    async def main() -> None:
        async with on_loopback(demo_app.upstream(pause)) as upstream:
            app = application(Settings(upstream=f"{upstream}/v1", inspect=True), inspect_token="the-token")
            async with on_loopback(app) as base:
                url.set_result(base)
                while not over.is_set():  # noqa: ASYNC110
                    await anyio.sleep(0.05)

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(anyio.run, main)
        try:
            yield url.result(20)
        finally:
            over.set()
            running.result(30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield started
        started.close()


@pytest.fixture
def server() -> Iterator[str]:
    with serving(pause=0.15) as url:
        yield url


@pytest.fixture
def opened(browser: Any, server: str) -> Iterator[Any]:
    """The page, opened with its link; nothing that it does may be reported as an error or refused by its policy."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server}/_diglot/?token=the-token")
    page.wait_for_selector('#state[data-state="live"]')
    yield page
    assert errors == []
    context.close()


def tool_loop(url: str) -> str:
    """What Codex does: streams with tools until no call is left; returns the last text."""
    with DefaultHttpxClient() as http:
        client = OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, http_client=http)
        items: list[Any] = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": MARKUP}]}]
        for _ in range(3):
            with client.responses.stream(
                model="gpt-5.1-codex",
                instructions="You are Codex, running in a terminal.",
                input=items,
                tools=TOOLS,
                store=False,
                parallel_tool_calls=False,
                prompt_cache_key="0199a213",
            ) as stream:
                answer = stream.get_final_response()
            items += [item.model_dump(exclude_none=True) for item in answer.output]
            calls: list[Any] = [item for item in answer.output if item.type in ("function_call", "custom_tool_call")]
            for call in calls:
                items.append({"type": f"{call.type}_output", "call_id": call.call_id, "output": "README.md"})
            if not calls:
                return answer.output_text
    return ""


def until(page: Any, condition: str) -> None:
    """Wait for a condition of the page, which may not evaluate anything by itself."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def test_a_tool_loop(opened: Any, server: str) -> None:
    """Both wires, events as they come, losses at their places; markup in a prompt stays text."""
    page = opened
    with ThreadPoolExecutor(1) as threads:
        loop = threads.submit(tool_loop, server)
        page.wait_for_selector('#list li[data-outcome="running"]')
        page.keyboard.press("j")
        page.keyboard.press("3")
        page.wait_for_selector(".upstream .events li:nth-child(2)")
        early = page.locator(".upstream .events li").count()
        until(page, f"document.querySelectorAll('.upstream .events li').length > {early}")
        assert "README.md" in loop.result(60)
    until(page, "document.querySelectorAll('#list li[data-outcome=\"completed\"]').length === 2")
    page.keyboard.press("j")
    page.wait_for_selector(".losses li")
    page.keyboard.press("1")
    assert page.locator(".loss-path").all_inner_texts() == ["prompt_cache_key", "tools[1]", "tools[2]"]
    marks = page.locator(".client .line.lost .lost-note").all_inner_texts()
    assert (marks, page.locator(".upstream .lost-note").count()) == (["dropped", "emulated", "dropped"], 0)
    assert page.locator(".client .line.lost .index").all_inner_texts() == ["1 ", "2 "]
    assert "web_search" not in page.locator(".upstream .tree").inner_text()
    for side in (".client", ".upstream"):
        assert MARKUP in page.locator(f"{side} .tree").inner_text().replace("\n", " ")
    assert page.locator(".tree b, .tree img, .tree script").count() == 0
    assert page.title() == "diglot inspector"
    assert KEY not in page.content()


def test_where_a_value_went(opened: Any, server: str) -> None:
    """It is marked on both sides when pointed at, in either direction."""
    page = opened
    tool_loop(server)
    page.locator("#list li").last.click()
    for side, other in (("client", "upstream"), ("upstream", "client")):
        page.locator(f".{side} .value", has_text="Runs a command").hover()
        page.wait_for_selector(f".{other} .line.same")
        assert "Runs a command" in page.locator(f".{other} .line.same").inner_text()
        assert page.locator(f".{side} .line.same").count() == 1
    page.locator("#detail h2").hover()
    until(page, "document.querySelectorAll('.same').length === 0")


def test_what_one_can_do(opened: Any, server: str) -> None:
    """Filters, keys, copying, downloading, pausing and clearing."""
    page = opened
    tool_loop(server)
    with DefaultHttpxClient() as http:
        http.post(f"{server}/v1/responses", json={"model": "other", "input": "it's $HOME"}).read()
        page.wait_for_selector("#exchange-3")
        page.fill("#model", "OTHER")
        assert page.locator("#list li:visible").count() == 1
        page.fill("#model", "")
        page.check("#lossy")
        assert page.locator("#list li:visible").count() == 2
        page.uncheck("#lossy")
        page.select_option("#outcome", "completed")
        assert page.locator("#list li:visible").count() == 3
        page.keyboard.press("Escape")
        page.locator("#exchange-3").click()
        page.wait_for_selector(".client .tree")
        page.keyboard.press("c")
        until(page, "navigator.clipboard.readText().then((text) => text.startsWith('curl'))")
        command = page.evaluate("navigator.clipboard.readText()")
        assert "authorization: Bearer $OPENAI_API_KEY" in command
        assert "'\\''" in command
        with page.expect_download() as downloading:
            page.keyboard.press("d")
        saved = json.loads(downloading.value.path().read_text())
        assert (saved["number"], saved["model"]) == (3, "other")
        page.locator("#exchange-1").click()
        page.wait_for_selector(".losses li")
        page.locator(".field-link").first.click()
        assert page.locator("#fields tr.wanted").inner_text().startswith("prompt_cache_key")
        page.keyboard.press("Escape")
        page.keyboard.press("p")
        http.post(f"{server}/v1/responses", json={"model": "late", "input": "hi"}).read()
        until(page, "document.getElementById('pause').textContent === 'Resume (1)'")
        assert page.locator("#list li").count() == 3
        page.keyboard.press("p")
        page.wait_for_selector("#exchange-4")
        page.keyboard.press("x")
        until(page, "document.querySelectorAll('#list li').length === 0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(browser: Any, server: str, scheme: str) -> None:
    """The list, then the exchange; nothing sticks out at the side; the dark is dark."""
    tool_loop(server)
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{server}/_diglot/?token=the-token")
    page.locator("#exchange-1").tap()
    page.wait_for_selector(".client .tree")
    assert not page.locator("#list").is_visible()
    assert not page.locator(".wire.upstream").is_visible()
    page.locator(".which button", has_text="Upstream").tap()
    assert page.locator(".wire.upstream").is_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) < 150) == (scheme == "dark")
    page.locator(".back").tap()
    assert page.locator("#list").is_visible()
    context.close()


def test_no_token_no_page(browser: Any, server: str) -> None:
    """Nor under another host name, whoever has the token."""
    context = browser.new_context()
    page = context.new_page()
    for url, status in (
        (f"{server}/_diglot/", 401),
        (f"{server}/_diglot/?token=wrong", 401),
        (f"{server.replace('127.0.0.1', 'evil.example')}/_diglot/?token=the-token", 403),
    ):
        answer = page.goto(url)
        assert answer.status == status
        assert page.locator("#list").count() == 0
    assert context.cookies() == []
    context.close()
