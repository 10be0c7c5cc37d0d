"""What the page of the inspector is made of: its files, the list of exchanges, one of them, and the table of fields."""

from __future__ import annotations

from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from ...translator import Profile, encode_json, fields_as_markdown
from ..observe.detail import detail
from ..observe.ring import Ring
from .feed import MAX_VIEWERS, Feed
from .gate import HEADERS, refused

_HOME = "inspector.html"
_KINDS = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
_CLOSE = {"connection": "close"}
"""A browser that asks again over a new connection may reach the worker that it wants."""


def routes(ring: Ring, profile: Profile | str, about: dict[str, Any]) -> Router:
    """Return the application behind the gate; *about* is what the page says about the server."""
    feed, fields = Feed(ring), _tables("\n".join(fields_as_markdown(profile)))

    async def tell_about(request: Request) -> Response:
        return _json({**about, "worker": ring.worker})

    async def tables(request: Request) -> Response:
        return _json(fields)

    async def one(request: Request) -> Response:
        if (refusal := _other_worker(request, ring)) is not None:
            return refusal
        exchange = ring.get(request.path_params["number"])
        return refused(404, "This exchange is not kept any more.") if exchange is None else _json(detail(exchange))

    async def clear(request: Request) -> Response:
        if (refusal := _other_worker(request, ring)) is not None:
            return refusal
        ring.clear()
        return Response(status_code=204, headers=HEADERS)

    async def events(request: Request) -> Any:
        if (refusal := _other_worker(request, ring)) is not None:
            return refusal
        if feed.viewers >= MAX_VIEWERS:
            return refused(503, "Too many pages of the inspector are open.")
        return partial(feed.serve, headers=HEADERS, after=_whole_number(request.query_params.get("after")))

    async def missing(*connection: Any) -> None:
        await refused(404, "The inspector has no such page.")(*connection)

    return Router(
        [
            *(_file_route(file) for file in files(str(__package__)).joinpath("page").iterdir()),
            Route("/about", tell_about),
            Route("/fields", tables),
            Route("/events", events),
            Route("/exchanges/{number:int}", one),
            Route("/clear", clear, methods=["POST"]),
        ],
        redirect_slashes=False,
        default=missing,
    )


def _file_route(file: Traversable) -> Route:
    content, kind = file.read_bytes(), _KINDS[file.name.rpartition(".")[2]]
    headers = {**HEADERS, "content-type": f"{kind}; charset=utf-8"}

    async def serve(request: Request) -> Response:
        return Response(content, headers=headers)

    return Route("/" if file.name == _HOME else f"/{file.name}", serve)


def _json(value: object) -> Response:
    return Response(encode_json(value), headers={**HEADERS, "content-type": "application/json"})


def _other_worker(request: Request, ring: Ring) -> Response | None:
    """Return a refusal if the page shows what another worker keeps."""
    wanted = request.query_params.get("worker")
    if wanted in (None, str(ring.worker)):
        return None
    refusal = refused(421, "This is another worker.")
    refusal.headers.update(_CLOSE)
    return refusal


def _whole_number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else 0


def _tables(markdown: str) -> list[dict[str, Any]]:
    """Return the tables of FIELDS.md, each with its title and its rows."""
    tables: list[dict[str, Any]] = []
    for line in markdown.splitlines():
        if line.startswith("## "):
            tables.append({"title": line[3:], "rows": []})
        elif line.startswith("| ") and tables and not line.startswith("| ---"):
            tables[-1]["rows"].append([cell.strip() for cell in line[1:-1].split("|")])
    return tables
