"""The embedded upstream as an application."""

from typing import Any

import pytest

from diglot.adapters.demo import app as demo_app

from demo_requests import ASK


@pytest.mark.anyio
async def test_over_asgi(talk: Any) -> None:
    """It serves models, answers, streams, and errors in the usual shape."""
    app = demo_app.upstream()
    path = "/v1/chat/completions"
    assert (await talk(app, ASK, path=path).run()).json["object"] == "chat.completion"
    assert (await talk(app, {**ASK, "stream": True}, path=path).run()).body.endswith(b"data: [DONE]\n\n")
    assert (await talk(app, [], path=path).run()).error["type"] == "invalid_request_error"
    assert (await talk(app, b"{", path=path).run()).status == 400
    assert (await talk(app, path=path, method="GET").run()).error["code"] == "not_found"
