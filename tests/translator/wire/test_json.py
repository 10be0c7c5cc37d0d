import math
from json import dumps
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diglot.translator import MAX_VALUES, TooManyValues, decode_json, encode_json
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
        (b"[NaN,1e999]", [None, None]),
        (b"[-1e999,1e308]", [None, 1e308]),
        (b"[" + b"1" * 400 + b",17952E07698," + b"1" * 20_000 + b"]", [None, None, None]),
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
    [b"", b"{", b"{'a':1}", b'{"a":1}{"b":2}', b"nul", b"\xff", b"[NaN,1e]", b"[" * 100_000, "[" * 100_000],
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


class _Said(msgspec.Struct):
    text: str
    left_out: str | msgspec.UnsetType = msgspec.UNSET


def test_lone_surrogates_beside_what_only_msgspec_encodes() -> None:
    """Structs, and what is encoded already."""
    value = {"a": [_Said("\udc00")], "b": json.as_raw({"c": 1})}
    assert encode_json(value) == '{"a":[{"text":"\ufffd"}],"b":{"c":1}}'.encode()


def test_text_inside_of_text() -> None:
    """Call arguments are JSON in a string."""
    assert json.encode_text({"a": "é"}) == '{"a":"é"}'


@pytest.mark.parametrize(
    ("value", "deep"), [({"a": [1]}, False), ([[1]], False), ([[[]]], True), ({"a": {"b": {}}}, True)]
)
def test_deep_values_are_known(value: object, deep: bool) -> None:
    """Nesting counts lists and objects, whatever is in them."""
    assert json.is_deep(value, limit=2) == deep


WORD = st.text(alphabet='a,[]{}"\\ \n\u00e9', max_size=6)
VALUE = st.recursive(
    st.none() | st.integers(0, 9) | WORD,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORD, inner, max_size=4),
    max_leaves=12,
)


def values_in(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(values_in, inner))


@given(VALUE, st.integers(1, 9), st.sampled_from([None, 1, 4]), st.booleans())
@example(["a"], 1, None, False)
@example([[], {}, [[]]], 1, 1, True)
@example(["\\" * 9, '"'], 3, None, True)
@example(["\\" * 9, 1], 4, None, False)
@example(["a\\", [], '"\\'], 5, None, False)
def test_values_are_counted_exactly(value: Any, window: int, indent: int | None, is_text: bool) -> None:
    """As many as are allowed are read, one more is not; whatever is in strings, and however the text is looked over."""
    text = dumps(value, indent=indent, ensure_ascii=False)
    data: Any = text if is_text else text.encode()
    count = values_in(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json, "_WINDOW", window)
        assert json.decode(data, count) == value
        assert json.decode(data, None) == value
        if count > 1:
            with pytest.raises(TooManyValues, match=f"more than {count - 1} values"):
                json.decode(data, count - 1)


@given(st.text(alphabet=',[]{}"\\ a', max_size=30), st.integers(1, 5))
def test_counting_has_an_end(text: str, window: int) -> None:
    """What is no JSON is counted somehow, and then refused."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json, "_WINDOW", window)
        try:
            json.decode(text, 1)
        except ValueError:
            pass


@pytest.mark.parametrize("inner", [b"0", b"[]", b"{}", b'""', b'"\\""', b"NaN", b'"\\ud800"'])
def test_too_many_values(inner: bytes) -> None:
    """A million are read, in the strict way and in the forgiving one; one more is refused before it is decoded."""
    most = b"[" + b",".join([inner] * (MAX_VALUES - 1)) + b"]"
    assert len(decode_json(most)) == MAX_VALUES - 1
    with pytest.raises(TooManyValues, match="more than 1,000,000 values"):
        decode_json(most[:-1] + b"," + inner + b"]")


@pytest.mark.parametrize(
    "data", [b'"' + b",[{" * 2_000_000 + b'"', b'"' + b'\\",' * 2_000_000 + b'"', b'"' + b"\\" * 6_000_000 + b'"']
)
def test_what_is_in_strings_does_not_count(data: bytes) -> None:
    """A text of many megabytes is one value."""
    assert isinstance(decode_json(data), str)


LONG = 'long "text"\n\u20ac\U0001f600' * 120_000


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"a": 1, "b": None, "c": []},
        {"messages": [{"role": "user", "content": "x" * 300_000}] * 8, "n": 1},
        {"input": LONG},
        {"input": {"a": 1, "b": [1, "x", {}], "c": LONG, "d": [["y"], [LONG]]}},
        {"input": [{"content": [{"text": LONG, "more": [LONG, {}]}]}, "x", LONG, [[[[[LONG]]]]]]},
        {"a": [[], {}, "\ud800"], "b": {"c": {"d": {"e": {"f": {"g": LONG}}}}}},
    ],
)
def test_large_bodies_in_steps(body: dict[str, Any]) -> None:
    """They are encoded and decoded to the same."""
    pieces = json.encode_in_steps(body)
    assert b"".join(pieces) == json.encode(body)
    assert json.decode_in_steps(b"".join(pieces)) == json.decode(b"".join(pieces))


@pytest.mark.parametrize(
    "data", [b"[1]", b'"x"', b'{"a": [NaN]}', b'{"a": [1, "\xff"]}', b'{"a":1,"a":[2]}', b'{"a": [1] }']
)
def test_odd_bodies_in_steps(data: bytes) -> None:
    """What is no plain object is decoded as ever."""
    assert json.decode_in_steps(data) == json.decode(data)


def test_too_many_values_in_steps() -> None:
    """The bound is the same."""
    with pytest.raises(json.TooManyValues):
        json.decode_in_steps(b'{"a":[' + b"0," * 1_000_001 + b"0]}")
    with pytest.raises(ValueError, match="not JSON"):
        json.decode_in_steps(b'{"a":')


@given(VALUE)
def test_copies_share_nothing(value: Any) -> None:
    """What is changed in one of them is not changed in the other."""
    other = json.deep_copy(value)
    assert other == value
    if isinstance(value, (dict, list)):
        before = dumps(value)
        for one in inner_of(other):
            one.clear()
        assert dumps(value) == before


def inner_of(value: Any) -> list[Any]:
    """All lists and objects in it."""
    if not isinstance(value, (dict, list)):
        return []
    inner = value.values() if isinstance(value, dict) else value
    return [value, *(one for member in inner for one in inner_of(member))]


def test_deep_values_are_copied() -> None:
    """However deep they are."""
    value: Any = []
    for _ in range(100_000):
        value = [value]
    deep = json.deep_copy(value)
    for _ in range(100_000):
        assert deep is not value
        deep, value = deep[0], value[0]
