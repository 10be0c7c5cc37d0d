"""The middleware where applications put it: around them, in their list, below a path, below a proxy's path."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from diglot.adapters import TranslationMiddleware

pytestmark = pytest.mark.anyio

PLACES: dict[str, Callable[[Any, Any], Any]] = {
    "around": lambda inner, api: TranslationMiddleware(Starlette(routes=[Mount("/ai", inner)]), upstream_api=api),
    "listed": lambda inner, api: Starlette(
        routes=[Mount("/ai", inner)], middleware=[Middleware(TranslationMiddleware, upstream_api=api)]
    ),
    "mounted": lambda inner, api: Starlette(routes=[Mount("/ai", TranslationMiddleware(inner, upstream_api=api))]),
}


@pytest.mark.parametrize("root", ["", "/proxy"])
@pytest.mark.parametrize("auto", [False, True])
@pytest.mark.parametrize("place", PLACES)
async def test_mounted(side: Any, talk: Any, place: str, auto: bool, root: str) -> None:
    """The application below finds the other path where it has it; what comes back is the client's."""
    seen: list[str] = []

    async def serve(request: Request) -> Response:
        try:
            await request.json()
        except ValueError:
            return JSONResponse({"error": {"message": "This is no JSON."}}, 400)
        seen.append(request.url.path)
        return JSONResponse(json.loads(side.whole))

    inner = Starlette(routes=[Route(side.theirs, serve, methods=["POST"])])
    app = PLACES[place](inner, "auto" if auto else side.api)
    got = await talk(app, side.ask, path=f"{root}/ai{side.path}", root_path=root).run()
    assert (got.status, side.text(got)) == (200, "Hello")
    assert seen == [f"{root}/ai{side.theirs}"]
