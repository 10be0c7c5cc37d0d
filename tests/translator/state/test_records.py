"""What is kept of a response."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator import RequestError
from diglot.translator.state import records

ID = "resp_" + "0" * 32
MESSAGE = {"type": "message", "id": "msg_1", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}


def answer(**more: Any) -> dict[str, Any]:
    return {"id": ID, "status": "completed", "output": [], "instructions": "Be brief.", "tools": [], **more}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=8), VALUES, max_size=4)


@given(OBJECTS, st.lists(OBJECTS, max_size=3), st.lists(OBJECTS, max_size=3), st.text(max_size=400))
def test_what_is_written_comes_back(more: Any, items: Any, output: Any, instructions: str) -> None:
    """Whatever is in the answer and in the items."""
    kept = records.Record({**more, **answer(output=output, instructions=instructions)}, items)
    written = records.encode(kept)
    assert records.decode(ID, written.body, written.settings) == kept
    assert records.decode_past(ID, written.body) == kept.past


def test_settings_have_one_name() -> None:
    """The same instructions and tools are written once, whatever else is said."""
    one = records.encode(records.Record(answer(), [MESSAGE]))
    two = records.encode(records.Record(answer(output=[{"type": "message"}]), []))
    other = records.encode(records.Record(answer(instructions="Be long."), [MESSAGE]))
    assert one.settings_hash == two.settings_hash != other.settings_hash
    assert b"Be brief." not in one.body


def test_settings_that_come_with_each_turn_are_compressed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many and of large ones, nothing is remembered."""
    monkeypatch.setattr(records, "_recent", {})

    def written(instructions: str) -> bytes:
        return records.encode_answer({"output": [], "instructions": instructions}, b"[]", compacts=False).settings

    assert written("Be brief. " * 50) is written("Be brief. " * 50)
    large = "".join(map(chr, range(0x4E00, 0x9E00)))
    assert written(large * 2) is not written(large * 2)
    for number in range(100):
        assert str(number) in str(records.unpacked("resp_1", written(f"{number}")))
    assert len(records._recent) <= 64


def test_sizes_are_those_of_what_is_read() -> None:
    """However short it is written."""
    large = records.encode(records.Record(answer(), [{**MESSAGE, "content": "x" * 10_000}]))
    assert len(large.body) < 1_000 < 10_000 < large.size < 10_500


def test_compactions_are_seen() -> None:
    """In the input and in the output; a mark without content is none."""
    item = {"type": "compaction", "encrypted_content": "x"}
    mark = {"type": "context_compaction", "encrypted_content": None}
    assert records.encode(records.Record(answer(), [item])).compacts
    assert records.encode(records.Record(answer(output=[item]), [])).compacts
    assert not records.encode(records.Record(answer(output=[mark]), [MESSAGE])).compacts


def test_which_history_a_response_compacted() -> None:
    """Where its input has a compaction, that is all that it was made from."""
    item, other = {"type": "compaction", "encrypted_content": "x"}, "resp_" + "1" * 32
    answered = answer(output=[item], previous_response_id=other)
    cases = [(answered, [], other), (answered, [item], None), (answer(previous_response_id=other), [], None)]
    for given_answer, own, expected in cases:
        body = records.encode(records.Record(given_answer, own)).body
        assert records.decode_compacted(ID, body) == expected
        assert records.decode_usage(ID, body) is None


@pytest.mark.parametrize("damaged", [b'"answer":7', b'"answer":[1]', b'"answer":"\xff"'])
def test_an_answer_that_is_none(damaged: bytes) -> None:
    """Members of it are not there."""
    compaction = b'{"type":"compaction","encrypted_content":"x"}'
    body = b'1j{%b,"status":"completed","input":[],"output":[%b]}'
    with pytest.raises(records.DamagedRecord, match="it is no response"):
        records.decode_compacted(ID, body % (damaged, compaction))
    with pytest.raises(records.DamagedRecord, match="it is no response"):
        records.decode_usage(ID, body % (damaged, b""))


def test_long_data_is_compressed() -> None:
    """Where that makes it shorter: not what is very long, nor what is compressed already."""
    assert len(records.packed_bytes(b"a" * 10_000)) < 100
    assert len(records.packed_bytes(bytes(range(256)))) == 256 + 2
    assert len(records.packed_bytes(b"a" * (1 << 21))) == (1 << 21) + 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"2j{}", "it was written by another version of diglot"),
        (b"", "it was written by another version of diglot"),
        (b"1zjunk", "its data is damaged"),
        (b"1z\0\0\0\4junk", "its data is damaged"),
        (b"1j{", "it is no response"),
        (b"1j[]", "it is no response"),
        (b'1j{"status":null,"answer":{},"input":[]}', "it is no response"),
        (b'1j{"status":null,"answer":{},"input":[1],"output":[]}', "it is no response"),
        (b'1j{"status":null,"answer":[],"input":[],"output":[]}', "it is no response"),
        (b'1j{"status":null,"answer":"x","input":[],"output":[]}', "it is no response"),
    ],
)
def test_what_cannot_be_read(data: bytes, why: str) -> None:
    """One clear error that names the record."""
    with pytest.raises(records.DamagedRecord, match=why) as caught:
        records.decode(ID, data, records.packed({}))
    assert (caught.value.status, caught.value.type) == (500, "server_error")
    assert ID in str(caught.value)


@pytest.mark.parametrize(
    ("data", "why"), [(b"1j{", "its data is damaged"), (b"1j[]", "its data is no object"), (b"0", "another version")]
)
def test_items_that_cannot_be_read(data: bytes, why: str) -> None:
    """The same of items, and of settings."""
    body = records.encode(records.Record(answer(), [])).body
    for read in (lambda: records.decode_item("msg_1", data), lambda: records.decode("msg_1", body, data)):
        with pytest.raises(records.DamagedRecord, match=f"'msg_1' is stored, but cannot be read: .*{why}"):
            read()


def test_items_of_conversations() -> None:
    """They are written one by one."""
    assert records.decode_item("msg_1", records.encode_item(MESSAGE)) == MESSAGE


@pytest.mark.parametrize("length", [0, 100, 300, 5_000, (1 << 20) + 1])
def test_the_size_of_packed_data(length: int) -> None:
    """It is known without unpacking it."""
    data = b"a" * length
    assert records.size(records.packed_bytes(data)) in (length, length + 2)


@pytest.mark.parametrize(("depth", "is_refused"), [(10, False), (499, False), (600, True), (5_000, True)])
def test_what_could_not_be_read_again(depth: int, is_refused: bool) -> None:
    """It is refused before it is stored."""
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    data = b"[" * depth + b"]" * depth
    if not is_refused:
        records.check(data, value, 1 << 20, "input")
        return
    with pytest.raises(RequestError, match="nested too deeply"):
        records.check(data, value, 1 << 20, "input")
