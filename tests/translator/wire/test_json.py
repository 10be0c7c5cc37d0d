import math
from typing import Any

import pytest

from diglot.translator import decode_json, encode_json
from diglot.translator.wire import json


@pytest.mark.parametrize("text", ['{"a":[1,2.5,null,true,"x"]}', "[]", '"x"', "1", "null"])
def test_strict_json_is_read_from_bytes_and_text(text: str) -> None:
    """Bytes and strings give the same value, and encode to what they were."""
    assert encode_json(decode_json(text)) == text.encode()
    assert decode_json(text.encode()) == decode_json(text)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'"a\xff\xfeb"', "a\ufffd\ufffdb"),  # llama.cpp cuts characters
        (b'"\\ud83d"', "\ufffd"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'{"a":NaN,"b":Infinity,"c":-Infinity}', {"a": None, "b": None, "c": None}),
        (b'[NaN,"\\udc00x"]', [None, "\ufffdx"]),
        ('"\ud83d"', "\ufffd"),
    ],
)
def test_what_the_wild_sends_is_read(data: bytes | str, value: Any) -> None:
    """Broken characters become U+FFFD, numbers that are none become null."""
    assert decode_json(data) == value


def test_large_numbers_are_read() -> None:
    """Integers of any length are numbers, next to things that strict JSON has not too."""
    assert decode_json(b"[NaN,123456789012345678]") == [None, 123456789012345678]
    value = decode_json(b"[NaN,123456789012345678901234567890]")[1]
    assert math.isclose(value, 123456789012345678901234567890)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"{'a':1}", b'{"a":1}{"b":2}', b"nul", b"\xff", b"[NaN,1e999]", b"[" * 100_000, "[" * 100_000],
)
def test_everything_else_is_a_value_error(data: bytes | str) -> None:
    """Text that is no JSON, and nesting without end, raise ValueError and nothing else."""
    with pytest.raises(ValueError, match="not JSON"):
        decode_json(data)


def test_encoding_is_compact() -> None:
    """No white space, and characters as they are."""
    assert encode_json({"a": [1, "é😀"]}) == '{"a":[1,"é😀"]}'.encode()


def test_lone_surrogates_are_encoded() -> None:
    """A string that no UTF-8 can hold goes out with U+FFFD."""
    assert encode_json({"a\ud83d": ["\udc00", 1]}) == '{"a\ufffd":["\ufffd",1]}'.encode()


def test_text_inside_of_text() -> None:
    """Call arguments are JSON in a string."""
    assert json.encode_text({"a": "é"}) == '{"a":"é"}'


@pytest.mark.parametrize(
    ("value", "deep"), [({"a": [1]}, False), ([[1]], False), ([[[]]], True), ({"a": {"b": {}}}, True)]
)
def test_deep_values_are_known(value: object, deep: bool) -> None:
    """Nesting counts lists and objects, whatever is in them."""
    assert json.is_deep(value, limit=2) == deep
