import base64
import importlib
import json
import secrets
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.adapters import Limits
from diglot.adapters.stateful import sealing
from diglot.adapters.stateful.keeper import Keeper
from diglot.adapters.stateful.sealing import PREFIX, Sealer, new_key, read_key
from diglot.adapters.stateful.turns import seals_alone, turn_of
from diglot.translator import RequestError, ServeChat, ServeResponses

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))
SEALER = Sealer([KEY])
KINDS = ("reasoning", "compaction")
kinds = st.sampled_from(KINDS)


@given(st.binary(), st.binary(), kinds)
def test_what_is_sealed_is_unsealed(tenant: bytes, data: bytes, kind: str) -> None:
    """In characters that every client keeps; the text shows neither the data nor who it is for."""
    text = SEALER.for_tenant(tenant).seal(kind, data)
    assert text.isascii()
    assert text.startswith(PREFIX)
    assert SEALER.for_tenant(tenant).unseal(kind, text) == data


def test_nothing_is_sealed_the_same_twice() -> None:
    """Nonces are random: whoever sees two seals does not know whether they hold the same."""
    seals = SEALER.for_tenant(b"t")
    assert len({seals.seal("reasoning", b"same") for _ in range(100)}) == 100


def test_a_seal_shows_nothing() -> None:
    """Neither data nor tenant, in whichever spelling."""
    text = SEALER.for_tenant(b"the tenant here").seal("reasoning", b"what is secret")
    raw = base64.urlsafe_b64decode(text.rpartition(".")[2])
    for secret in (b"the tenant here", b"what is secret", KEY):
        assert secret not in raw
        assert base64.b64encode(secret)[:8].decode() not in text


@given(st.data())
def test_an_altered_character_does_not_open(data: st.DataObject) -> None:
    """None of them, wherever it stands: not even a spelling of the same bytes."""
    seals = SEALER.for_tenant(b"t")
    text = seals.seal("reasoning", data.draw(st.binary(max_size=8)))
    at = data.draw(st.integers(0, len(text) - 1))
    char = data.draw(st.characters().filter(lambda char: char != text[at]))
    assert seals.unseal("reasoning", text[:at] + char + text[at + 1 :]) is None


def test_an_altered_byte_does_not_open() -> None:
    """Every bit of nonce, ciphertext and tag counts."""
    seals = SEALER.for_tenant(b"t")
    head, _, encoded = seals.seal("reasoning", b"data").rpartition(".")
    raw = base64.urlsafe_b64decode(encoded)
    for bit in range(len(raw) * 8):
        altered = bytearray(raw)
        altered[bit // 8] ^= 1 << bit % 8
        assert seals.unseal("reasoning", f"{head}.{base64.urlsafe_b64encode(altered).decode()}") is None


@given(st.data())
def test_a_cut_or_longer_seal_does_not_open(data: st.DataObject) -> None:
    """Nor one that is repeated."""
    seals = SEALER.for_tenant(b"t")
    text = seals.seal("reasoning", b"data")
    for altered in (text[: data.draw(st.integers(0, len(text) - 1))], text + data.draw(st.text(min_size=1)), text * 2):
        assert seals.unseal("reasoning", altered) is None


@given(st.text())
def test_anything_else_does_not_open(text: str) -> None:
    """It is None, never an error."""
    seals = SEALER.for_tenant(b"t")
    head = seals.seal("reasoning", b"").rpartition(".")[0]
    for other in (text, PREFIX + text, f"{head}.{text}", "diglot.1.e30=", "gAAAAA"):
        assert seals.unseal("reasoning", other) is None


@given(st.binary(), st.binary(), kinds, kinds)
def test_only_its_tenant_and_kind_open_a_seal(one: bytes, two: bytes, kind: str, other: str) -> None:
    """No pair of them is taken for another one."""
    text = SEALER.for_tenant(one).seal(kind, b"data")
    assert (SEALER.for_tenant(two).unseal(other, text) == b"data") is ((one, kind) == (two, other))


def test_keys_can_be_changed() -> None:
    """The first one seals, all open; one that is gone opens nothing."""
    old = SEALER.for_tenant(b"t").seal("reasoning", b"old")
    both = Sealer([OTHER, KEY]).for_tenant(b"t")
    new = both.seal("reasoning", b"new")
    assert (both.unseal("reasoning", old), both.unseal("reasoning", new)) == (b"old", b"new")
    assert SEALER.for_tenant(b"t").unseal("reasoning", new) is None
    assert Sealer([OTHER]).for_tenant(b"t").unseal("reasoning", new) == b"new"


@given(st.binary(min_size=32, max_size=32))
def test_spellings_of_a_key(key: bytes) -> None:
    """Both alphabets of base64, with and without its end, and hexadecimal digits."""
    spelled = [encode(key).decode() for encode in (base64.b64encode, base64.urlsafe_b64encode)]
    for text in (*spelled, *(text.rstrip("=") for text in spelled), key.hex(), key.hex().upper(), f" {key.hex()}\n"):
        assert read_key(text) == key


@pytest.mark.parametrize("text", ["", "hunter2", "0" * 63, "g" * 64, "A" * 42, "A" * 45, "é" * 64, "A" * 43 + "=="])
def test_what_is_no_key(text: str) -> None:
    """The error says what one is, and does not show it."""
    with pytest.raises(ValueError, match="64 hexadecimal digits") as refused:
        read_key(text)
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("keys", [[], [b""], [KEY, KEY[:31]], [KEY + b"x"]])
def test_keys_of_another_size(keys: list[bytes]) -> None:
    """They are refused at the start."""
    with pytest.raises(ValueError, match="key"):
        Sealer(keys)


def test_new_keys() -> None:
    """Each is another one, and can be used."""
    one, two = new_key(), new_key()
    assert one != two
    assert Sealer([one, two]).for_tenant(b"").unseal("reasoning", "") is None


def test_keys_and_tenants_are_not_shown() -> None:
    """Objects end up in logs."""
    key = secrets.token_bytes(32)
    sealer = Sealer([key])
    shown = f"{sealer!r} {sealer.for_tenant(b'who it is')!r}"
    assert "who it is" not in shown
    assert repr(key)[2:8] not in shown


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The import says how to install it."""
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'diglot\[seal\]'"):
        importlib.reload(sealing)


TOOLS = [{"type": "function", "name": "f"}]
SIGNED = {"google": {"thought_signature": "signed"}}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": SIGNED}
CALLED = {"message": {"role": "assistant", "tool_calls": [CALL]}, "finish_reason": "tool_calls"}
SAID = {"message": {"role": "assistant", "content": "So far."}, "finish_reason": "stop"}
USER = {"role": "user", "content": "Go"}


def serve(tenant: bytes, *items: Any, stream: bool = False, **settings: Any) -> ServeResponses:
    body = {"model": "m", "input": [USER, *items], "tools": TOOLS, "stream": stream}
    return ServeResponses(body, seals=SEALER.for_tenant(tenant), **settings)


def output(exchange: ServeResponses, choice: dict[str, Any]) -> list[dict[str, Any]]:
    """The items of the answer, whole or from its stream."""
    if not exchange.streaming:
        return exchange.answer({"choices": [choice]})["output"]
    chunk = {"choices": [{"delta": choice["message"], "finish_reason": choice["finish_reason"]}]}
    stream = exchange.stream()
    frames = stream.feed(b"data: %b\n\ndata: [DONE]\n\n" % json.dumps(chunk).encode())
    return json.loads(frames[-1].partition(b"data: ")[2])["response"]["output"]


both = pytest.mark.parametrize("stream", [True, False])


@both
def test_reasoning_goes_to_a_client_and_back(stream: bool) -> None:
    """For another tenant it is foreign: the call goes without its signature, and the answer says so."""
    items = output(serve(b"t", stream=stream), CALLED)
    assert items[0]["encrypted_content"].startswith(PREFIX)
    result = {"type": "function_call_output", "call_id": "c", "output": "x"}
    own, other = serve(b"t", *items, result), serve(b"u", *items, result)
    assert own.chat["messages"][1]["tool_calls"] == [CALL]
    assert "extra_content" not in other.chat["messages"][1]["tool_calls"][0]
    (listed,) = other.answer({"choices": [SAID]})["input_transformations"]
    assert (listed["id"], listed["reason"]) == (items[0]["id"], "organization_mismatch")
    with pytest.raises(RequestError, match="could not be verified"):
        serve(b"u", *items, result, strict=True)


@both
def test_a_summary_goes_to_a_client_and_back(stream: bool) -> None:
    """For another tenant it is refused."""
    (item,) = output(serve(b"t", {"type": "compaction_trigger"}, stream=stream), SAID)
    assert serve(b"t", item).chat["messages"][1]["content"] == "So far."
    with pytest.raises(RequestError) as refused:
        serve(b"u", item)
    assert refused.value.code == "invalid_encrypted_content"


def test_a_chat_client_brings_back_what_is_sealed() -> None:
    """The other direction."""
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAA"}
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
    finished = {"id": "resp_1", "object": "response", "status": "completed", "output": [thought, said]}
    body: dict[str, Any] = {"model": "m", "messages": [USER]}
    message = ServeChat(body, seals=SEALER.for_tenant(b"t")).answer(finished)["choices"][0]["message"]
    assert message["reasoning_details"][0]["data"].startswith(PREFIX)
    again = {**body, "messages": [USER, message, USER]}
    assert thought in ServeChat(again, seals=SEALER.for_tenant(b"t")).responses["input"]
    assert thought not in ServeChat(again, seals=SEALER.for_tenant(b"u")).responses["input"]


@pytest.mark.anyio
async def test_who_stores_nothing_is_asked_nothing() -> None:
    """Whose seals they are is found out when there is something to seal, and they are those of everybody's turns."""
    keeper = Keeper("memory", limits=Limits())
    scope = {"type": "http", "headers": [(b"authorization", b"Bearer sk-mine")]}
    body = {"input": "Hi", "store": False}
    assert seals_alone(keeper, scope, "/responses", body) is None  # nothing is open
    async with keeper.running():
        seals = seals_alone(keeper, scope, "/responses", body)
        assert seals is not None
        turn = await turn_of(keeper, scope, "/responses", body)
        assert turn.seals.unseal("reasoning", seals.seal("reasoning", b"hm")) == b"hm"
        assert seals_alone(keeper, scope, "/responses", {"input": "Hi"}) is None
        assert seals_alone(keeper, scope, "/chat/completions", {"messages": [], "store": True}) is None
        assert seals_alone(keeper, scope, "/chat/completions", {"messages": []}) is not None
    refusing = Keeper("memory", tenant="header:x-user", limits=Limits())
    async with refusing.running():
        assert seals_alone(refusing, scope, "/responses", body) is None
