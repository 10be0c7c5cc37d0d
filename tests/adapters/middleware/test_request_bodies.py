"""The body of a request, until the upstream accepts it."""

import pytest

from diglot.adapters.middleware.request_bodies import RequestBodies
from diglot.translator import RequestBody, RequestError

pytestmark = pytest.mark.anyio


def test_what_is_there_is_not_kept_twice() -> None:
    """Branches that send the same bytes share them."""
    bodies, encoded = RequestBodies(), [b"{}"]
    bodies.take(RequestBody({"model": "m"}), encoded)
    bodies.send([b"{}"])
    assert bodies.request is encoded
    bodies.send([b"[]"])
    assert bodies.request == [b"[]"]


def test_release() -> None:
    """The record of the exchange tells the model, and whether it was a stream; all else may be large."""
    bodies = RequestBodies()
    bodies.take(RequestBody({"model": "m", "input": "x" * 1000}))
    bodies.send([b"x"])
    bodies.release()
    assert (bodies.received.body, list(bodies.request)) == ({"model": "m"}, [])


@pytest.mark.parametrize("size", [10, 2**21])
async def test_check(size: int) -> None:
    """Payloads that nobody has decoded may be no JSON; of large requests, that is found out in a thread."""
    url = b"data:image/png;base64,%b"
    picture = b'{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":"%b"}]}]}' % url
    bodies = RequestBodies()
    bodies.take(RequestBody.read(picture % (b"A" * size)))
    await bodies.check()
    broken = RequestBodies()
    broken.take(RequestBody.read(picture % (b"A" * 2**21 + b"\\x")))
    if size > 10:
        with pytest.raises(RequestError):
            await broken.check()
