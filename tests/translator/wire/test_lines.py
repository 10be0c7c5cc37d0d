"""Lines without their ends are told from pieces of a text that was cut anywhere."""

import pytest

from diglot.translator.wire import lines

TEXT = (
    b': hello\n\nevent: response.created\ndata: {"a": {"b": "data: {}"}}\n\n'
    b'data: {"c": "event: x"}\r\n\r\ndata: {}\n\ndata: [DONE]\n\n'
)


@pytest.mark.parametrize(
    ("before", "piece"),
    [
        (b"event: response.created", b"data: {}"),
        (b'data: {"a": 1}', b"data: {"),
        (b"data:{}", b"event: x"),
        (b"data: {} ", b": keep-alive"),
        (b"data: [DONE]", b"data: {}"),
    ],
)
def test_lines(before: bytes, piece: bytes) -> None:
    """A field behind what a line must end with."""
    assert lines.are_lines(before, piece)


@pytest.mark.parametrize(
    ("before", "piece"),
    [
        (b"", b"data: {}"),
        (b"event: response.created\n", b"data: {}"),
        (b"event: response.crea", b"ted\n"),
        (b"event", b": x"),
        (b"event: a", b":b"),
        (b"event: ", b"data: x"),
        (b'data: {"a": "', b'data: "}'),
        (b'data: {"a": "}', b'data: "}'),
        (b'data: {"a": 1}\n\n', b"data: {}"),
        (b'data: {"a": 1}', b"\n\ndata: {}"),
        (b": comment", b"data: {}"),
        (b"data: 1", b"data: 2"),
    ],
)
def test_pieces(before: bytes, piece: bytes) -> None:
    """Anything else may be cut there."""
    assert not lines.are_lines(before, piece)


def test_no_cut_looks_like_lines() -> None:
    """Wherever a text is cut twice."""
    for start in range(len(TEXT)):
        for end in range(start, len(TEXT)):
            assert not lines.are_lines(TEXT[start:end], TEXT[end:])
