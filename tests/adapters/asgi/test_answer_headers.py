"""The headers of a translated answer."""

from diglot.adapters.asgi import answer_headers
from diglot.adapters.asgi.types import Headers

UPSTREAMS: Headers = [
    *((b"x-request-id", b"1"), (b"content_length", b"5"), (b"cache-control", b"no-store")),
    *((b"content-type", b"text/plain"), (b"diglot-losses", b"upstream's")),
]


def test_of_a_body() -> None:
    """What is about the body does not hold for another one; losses of ours replace those of a diglot behind us."""
    kept = [(b"x-request-id", b"1"), (b"cache-control", b"no-store")]
    assert answer_headers.of_body(UPSTREAMS, "") == [*kept, (b"diglot-losses", b"upstream's")]
    assert answer_headers.of_body(UPSTREAMS, "n; \u20ac") == [*kept, (b"diglot-losses", b"n; ?")]


def test_of_a_stream() -> None:
    """A stream has a type of its own, and nobody may cache it."""
    headers = answer_headers.of_stream(UPSTREAMS, "n")
    assert headers == [(b"x-request-id", b"1"), (b"diglot-losses", b"n"), *answer_headers.STREAM_HEADERS]
