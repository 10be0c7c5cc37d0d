"""Which paths are served."""

from typing import Any

import pytest

from diglot.adapters.endpoints import PATHS, SERVED, asked


@pytest.mark.parametrize(
    ("scope", "endpoint"),
    [
        ({"path": "/v1/responses"}, "/responses"),
        ({"path": "/any/responses/compact"}, "/responses/compact"),
        ({"path": "/chat/completions"}, "/chat/completions"),
        ({"path": "/v1/responses/resp_1"}, None),
        ({"path": "/v1/responses/"}, None),
        ({"path": "/v1/completions"}, None),
        ({"path": "/v1/responses", "method": "GET"}, None),
        ({"path": "/v1/responses", "type": "websocket"}, None),
    ],
)
def test_asked(scope: dict[str, Any], endpoint: str | None) -> None:
    """The end of the path decides, whatever is before it."""
    assert asked({"type": "http", "method": "POST", **scope}) == endpoint


def test_every_endpoint_goes_to_the_other_api() -> None:
    """What has the one API's path is served by the other API."""
    for path, serve in SERVED.items():
        assert serve.endpoint in PATHS.values()
        assert not path.startswith(serve.endpoint)
