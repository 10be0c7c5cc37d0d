"""Ids that clients write are checked before they get anywhere."""

import re

import pytest

from diglot.adapters.asgi import trace_headers

TRACE, SPAN = b"0af7651916cd43dd8448eb211c80319c", b"b7ad6b7169203331"
PARENT = b"00-" + TRACE + b"-" + SPAN + b"-01"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([b"req_1"], "req_1"),
        ([b"a.b:c/d+e=f@g-h"], "a.b:c/d+e=f@g-h"),
        ([b"x" * 128], "x" * 128),
        ([b"x" * 129], ""),
        ([b"a" * 10**6], ""),
        ([b""], ""),
        ([b"a b"], ""),
        ([b"a\n"], ""),
        ([b'","level":"error'], ""),
        (["é".encode()], ""),
        ([b"\x1b[31m"], ""),
        ([b"one", b"two"], ""),
        ([], ""),
    ],
)
def test_request_ids(values: list[bytes], expected: str) -> None:
    """One plain word of at most 128 characters; anything else is no id."""
    assert trace_headers.request_id_of([(b"X-Request-Id", value) for value in values]) == expected


def test_new_ids() -> None:
    """They are different, and pass the check themselves."""
    first, second = trace_headers.new_request_id(), trace_headers.new_request_id()
    assert first != second
    assert trace_headers.request_id_of([(b"x-request-id", first.encode())]) == first


def test_replaced() -> None:
    """Whatever was there goes; the rest stays."""
    headers = [(b"a", b"1"), (b"X-Request-ID", b"bad one"), (b"x-request-id", b"two")]
    assert trace_headers.with_request_id(headers, "r") == [(b"a", b"1"), (b"x-request-id", b"r")]
    message = {"type": "http.response.start", "status": 200, "headers": headers}
    assert trace_headers.answer_with_request_id(message, "r")["headers"] == [(b"a", b"1"), (b"x-request-id", b"r")]
    assert trace_headers.answer_with_request_id({"status": 200}, "r")["headers"] == [(b"x-request-id", b"r")]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([PARENT], TRACE),
        ([PARENT.replace(b"00-", b"cc-", 1) + b"-what-comes-later"], TRACE),
        ([PARENT + b"-more"], b""),
        ([PARENT.replace(b"00-", b"ff-", 1)], b""),
        ([PARENT.upper()], b""),
        ([PARENT.replace(TRACE, b"0" * 32)], b""),
        ([PARENT.replace(SPAN, b"0" * 16)], b""),
        ([b"cc-" + PARENT[3:] + b"-" + b"x" * 600], b""),
        ([PARENT, PARENT], b""),
        ([b"\n" + PARENT], b""),
        ([b"nonsense"], b""),
        ([], b""),
    ],
)
def test_traces(values: list[bytes], expected: bytes) -> None:
    """The id of a well-formed `traceparent`, of this version or a later one; otherwise none."""
    found = trace_headers.trace_id_of({"headers": [(b"traceparent", value) for value in values]})
    assert found.encode() == expected
    assert re.fullmatch("([0-9a-f]{32})?", found)
