"""`diglot demo`: a tool call over real HTTP, with both sides of the wire next to each other."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import zip_longest
from typing import Any
from urllib.parse import urlsplit

import anyio

from ...translator import decode_json, encode_json
from ..asgi.types import App, Message, Receive, Scope, Send, without
from ..demo import app as demo_app
from ..demo.clients import WEATHER, ChatClient, DemoClient, ResponsesClient
from ..limits import Limits
from ..middleware.app import TranslationMiddleware
from ..middleware.routes import Api
from ..server import client_settings
from ..server.app import on_loopback
from ..upstream import choice
from ..upstream import client as upstream_client

Show = Callable[[str], None]

_ID = 9


def main() -> int:
    """Run the demo and return the exit status."""
    return 0 if anyio.run(_run) else 1


def say(line: str = "") -> None:
    """Print a line; if the reader is gone (`diglot demo | head`), drop the rest in silence."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Columns:
    """Two columns of plain text: the client on the left, the upstream on the right."""

    def __init__(self, width: int, out: Show = say) -> None:
        self._half = (max(60, min(width, 160)) - 3) // 2
        self._out = out

    def left(self, text: str) -> None:
        """Show what the client sends or gets."""
        self._row(text, "")

    def right(self, text: str) -> None:
        """Show what the upstream gets or sends."""
        self._row("", text)

    def heads(self, left: str, right: str) -> None:
        """Show the titles."""
        self._row(left, right)
        self._out(f"{'-' * self._half}-+-{'-' * self._half}")

    def _row(self, left: str, right: str) -> None:
        for ours, theirs in zip_longest(self._lines(left), self._lines(right), fillvalue=""):
            self._out(f"{ours:<{self._half}} | {theirs}".rstrip())

    def _lines(self, text: str) -> list[str]:
        return textwrap.wrap(
            text, self._half, subsequent_indent="     ", max_lines=4, placeholder=" …", break_on_hyphens=False
        )


async def _run() -> bool:
    say("Requests with a tool call, over real HTTP, in both directions. -> is sent by the client, <- comes back.")
    good = await _show(ResponsesClient(), demo_app.upstream(pause=0.01), "chat")
    good = await _show(ChatClient(), demo_app.responses_upstream(pause=0.01), "responses") and good
    say(
        f"\n{'It worked.' if good else 'This is NOT what was expected.'} The upstream was a script. Now use your own:\n"
    )
    serve = f"{client_settings.command()} serve --upstream http://127.0.0.1:8000"
    say(f"  {serve}                            # it implements Chat Completions")
    say(f"  {serve} --upstream-api responses   # it implements Responses\n")
    say("and point a client at it:\n")
    for line in client_settings.client_settings("http://127.0.0.1:8080"):
        say(f"  {line}")
    return good


async def _show(demo_client: DemoClient, upstream: App, api: Api) -> bool:
    """Show one direction; return whether it went as expected."""
    columns = Columns(shutil.get_terminal_size((120, 24)).columns)
    say()
    columns.heads(*demo_client.heads)
    async with on_loopback(TranslationMiddleware(_observed(upstream, columns.right), upstream_api=api)) as url:
        client = choice.new_client(url, Limits())
        try:
            return await _converse(client, url, demo_client, columns.left)
        finally:
            await client.aclose()


async def _converse(client: upstream_client.Client, url: str, demo_client: DemoClient, show: Show) -> bool:
    """Send the first request, run the tool that is called, and send its result."""
    request = demo_client.request()
    first = demo_client.read(await _ask(client, url + demo_client.path, request, show))
    calls = demo_client.calls(first)
    show(
        f"(the client runs {calls[0]['name']}({calls[0]['arguments']}): {WEATHER})" if calls else "(no tool was called)"
    )
    second = demo_client.read(
        await _ask(client, url + demo_client.path, demo_client.follow(request, first, WEATHER), show)
    )
    return bool(calls) and WEATHER in demo_client.text(second)


async def _ask(client: upstream_client.Client, url: str, body: dict[str, Any], show: Show) -> list[dict[str, Any]]:
    """Send a streaming request, show every event, and return them."""
    for line in _members(f"POST {urlsplit(url).path}", body):
        show(f"-> {line}")
    headers = [(b"content-type", b"application/json")]
    answer = await client.open("POST", url, headers, encode_json(body))
    if losses := dict(without(answer.headers, ())).get(b"diglot-losses"):
        show(f"<- diglot-losses: {losses.decode()}")
    events: list[dict[str, Any]] = []
    async for line in _lines(answer):
        if line.startswith("data: {"):
            events.append(decode_json(line.removeprefix("data: ").encode()))
        if line.startswith("data: "):
            show(f"<- {_summary(line)}")
    await answer.aclose()
    return events


async def _lines(answer: upstream_client.Answer) -> AsyncIterator[str]:
    rest = b""
    async for piece in answer.pieces():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.decode()


def _observed(app: App, show: Show) -> App:
    """Return *app*, with its requests and answers shown."""

    async def observed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return

        async def show_request() -> Message:
            message = await receive()
            if message.get("body"):
                for line in _members(f"POST {scope['path']}", decode_json(message["body"])):
                    show(f"-> {line}")
            return message

        async def show_answer(message: Message) -> None:
            for line in message.get("body", b"").decode().splitlines():
                if line.startswith("data: "):
                    show(f"<- {_summary(line)}")
            await send(message)

        await app(scope, show_request, show_answer)

    return observed


def _members(head: str, body: dict[str, Any]) -> Iterator[str]:
    yield head
    for name, value in body.items():
        many = isinstance(value, list) and len(value) > 0
        yield from (
            (f"  {name}[{i}]: {_json(one)}" for i, one in enumerate(value)) if many else [f"  {name}: {_json(value)}"]
        )


def _summary(line: str) -> str:
    """Return the part of an event or a chunk that is new."""
    data = line.removeprefix("data: ")
    if not data.startswith("{"):
        return line
    value = decode_json(data.encode())
    return _event(value) if "type" in value else _chunk(value)


def _event(event: dict[str, Any]) -> str:
    shown = {key: event[key] for key in ("delta", "item", "text", "arguments") if key in event}
    if "item" in shown:
        shown["item"] = {key: shown["item"][key] for key in ("type", "status", "name") if key in shown["item"]}
    whole = event.get("response")
    if isinstance(whole, dict):
        shown["status"], shown["usage"] = whole["status"], whole.get("usage")
    return f"{event['type']} {' '.join(_json(value) for value in shown.values() if value is not None)}".strip()


def _chunk(chunk: dict[str, Any]) -> str:
    choices = chunk.get("choices") or [{}]
    finish = choices[0].get("finish_reason")
    parts = [
        f"delta {_json(choices[0]['delta'])}" if "delta" in choices[0] and not finish else "",
        f"finish_reason {_json(finish)}" if finish else "",
        f"usage {_json(chunk['usage'])}" if chunk.get("usage") else "",
    ]
    return "chunk " + " ".join(filter(None, parts))


def _json(value: object) -> str:
    """Encode with spaces, so that lines can be wrapped between members."""
    return json.dumps(_brief(value), ensure_ascii=False)


def _brief(value: Any, name: str = "") -> Any:
    """Shorten *value*: "…" for schemas and the ends of ids, no details of usage."""
    if name == "parameters":
        return "…"
    if isinstance(value, dict):
        return {key: _brief(member, key) for key, member in value.items() if not key.endswith("_details")}
    if isinstance(value, list):
        return [_brief(member) for member in value]
    return f"{value[:_ID]}…" if name.endswith("id") and isinstance(value, str) and len(value) > _ID else value
