import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator import (
    Profile,
    RequestBody,
    RequestError,
    ServeChat,
    ServeCompact,
    ServeResponses,
    TranslationError,
    state,
)
from diglot.translator.wire import payloads
from diglot.translator.wire.json import decode, encode

LONG = "iVBORw0KGgo/" * 8_000
IMAGE = {"type": "input_image", "image_url": f"data:image/png;base64,{LONG}"}
CHAT_IMAGE = {"type": "image_url", "image_url": {"url": IMAGE["image_url"]}}


def responses(body: Any, serve: Any = ServeResponses) -> Any:
    return serve(body, profile=Profile(media_in_tool_messages=True), new_id=lambda p: p, clock=lambda: 1.0)


def chat(body: Any) -> ServeChat:
    return ServeChat(body, new_id=lambda p: p, clock=lambda: 1.0)


def asked(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "input": [{"role": "user", "content": list(parts)}], **more}


def messages(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": list(parts)}], **more}


def is_light(received: RequestBody) -> bool:
    return len(encode(received.body)) < len(LONG)


@pytest.mark.parametrize(
    ("body", "make"),
    [
        (asked({"type": "input_text", "text": "What is this?"}, IMAGE), responses),
        (asked({"type": "input_file", "file_data": IMAGE["image_url"]}), responses),
        (messages(CHAT_IMAGE), chat),
        (messages({"type": "file", "file": {"filename": "a.pdf", "file_data": LONG}}), chat),
    ],
)
def test_payloads_stay_out(body: Any, make: Any) -> None:
    """The bytes are those of the plain way, and the body that was decoded is small."""
    received = RequestBody.read(encode(body))
    exchange, request = received.translate(make)
    assert is_light(received)
    assert len(encode(exchange.request)) < len(LONG)
    assert b"".join(request) == encode(make(body).request)
    assert received.translate(make)[1] == request  # once more, with what has been learned
    received.check()


@pytest.mark.parametrize(
    ("body", "make"),
    [
        (asked(IMAGE, metadata={"url": LONG}), responses),  # the answer repeats it
        (asked(IMAGE, tools=[{"type": "function", "name": "f", "parameters": {"data": LONG}}]), responses),
        (asked(IMAGE, client_metadata={"url": LONG}), responses),  # the report has it
        ({**asked(IMAGE), "input": [{"role": "assistant", "content": [{**IMAGE, "type": "x", "url": 1}]}]}, responses),
        (asked(IMAGE), lambda body: responses(body, ServeCompact)),  # the answer repeats the user's messages
        (messages(CHAT_IMAGE, n=2), chat),  # each copy is translated from the body
    ],
)
def test_nobody_sees_a_mark(body: Any, make: Any) -> None:
    """In doubt, all is read."""
    received = RequestBody.read(encode(body))
    assert is_light(received)
    try:
        exchange, request = received.translate(make)
    except RequestError as error:
        with pytest.raises(RequestError, match="Chat Completions has no such content") as plain:
            make(body)
        assert error.body() == plain.value.body()
    else:
        plainly = make(body)
        assert b"".join(request) == encode(plainly.request)
        assert list(exchange.report) == list(plainly.report)
        assert exchange.echoed_values() == plainly.echoed_values()
    assert received.body == body


def test_small_requests_are_as_they_were() -> None:
    """Nothing to cut, nothing to check."""
    received = RequestBody.read(encode(asked({"type": "input_text", "text": "Hi"})))
    assert received.body == asked({"type": "input_text", "text": "Hi"})
    received.check()
    assert RequestBody({"model": "m", "input": "Hi"}).translate(responses)[1][0][:12] == b'{"model":"m"'


@pytest.mark.parametrize("data", [b"", b"{", encode(asked(IMAGE))[:-2], b'{"a":"' + b"A" * 90_000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    """With one error, with and without payloads."""
    with pytest.raises(RequestError, match="is not JSON") as caught:
        RequestBody.read(data)
    assert caught.value.code == "invalid_json"


@pytest.mark.parametrize("parts", [(), (IMAGE,)])
def test_too_many_values_are_refused(parts: Any) -> None:
    """With an error that says what the limit is, beside payloads too."""
    with pytest.raises(RequestError, match="The request body holds more than 1,000,000 JSON values") as caught:
        RequestBody.read(encode(asked(*parts, top_k=[0] * 1_000_000)))
    assert (caught.value.status, caught.value.code) == (400, "too_many_values")


def test_what_is_wrong_inside_of_a_payload_is_found_when_asked() -> None:
    """It goes to the upstream as it is; if that refuses it, the client is told what it would have been told at once."""
    received = RequestBody.read(encode(asked({**IMAGE, "image_url": LONG + "***"})).replace(b"***", b"A\nA"))
    assert b"A\nA" in b"".join(received.translate(responses)[1])
    with pytest.raises(RequestError, match="is not JSON"):
        received.check()


def test_the_whole_body() -> None:
    """With its payloads, for whoever keeps it; what is wrong inside of them is an error then."""
    body = asked(IMAGE)
    received = RequestBody.read(encode(body))
    assert is_light(received)
    assert received.whole() == received.body == received.whole() == body
    with pytest.raises(RequestError, match="is not JSON"):
        RequestBody.read(encode(asked({**IMAGE, "image_url": LONG + "***"})).replace(b"***", b"A\nA")).whole()


# --- the same as the plain way, whatever comes

ALPHABET = st.text("ABCabc019+/_-", min_size=8, max_size=60).map(str.encode)
ESCAPES = [b"\\/", b'\\"', b"\\\\", b"\\\\\\", b"\\u0041", b"\\ud800", b"\\x"]
ODD = st.sampled_from([*ESCAPES, b"\n", b"\x00", b"\xff", b"\xc3\xa9", b'"', b"=", b""])
PAYLOAD = st.lists(ALPHABET | ODD, min_size=1, max_size=4).map(b"".join) | ALPHABET
HEAD = st.sampled_from([b"data:image/png;base64,", b"data:;base64,", b"https://a/", b"data:a,b;base64,", b""])
KEY = st.sampled_from([b"image_url", b"file_data", b"url", b"data", b"text", b'a\\"url', b"url\\", b"detail"])
COLON = st.sampled_from([b":", b" : ", b" :\n\t ", b": " + b" " * 20, b""])
MEMBER = st.tuples(KEY, COLON, HEAD, PAYLOAD).map(lambda m: b'"%b"%b"%b%b"' % m)
GOOD = st.sampled_from([b'{"type":"input_image","image_url":"%b%b"}', b'{"type":"input_file", "file_data" :"%b%b"}'])
PLAIN = st.tuples(GOOD, HEAD, ALPHABET | PAYLOAD).map(lambda p: p[0] % p[1:])
WILD = st.tuples(
    st.sampled_from([b"input_image", b"input_file", b"input_text", b"x"]), st.lists(MEMBER, max_size=3)
).map(lambda p: b'{"type":"%b",%b}' % (p[0], b",".join(p[1])) if p[1] else b'{"type":"%b","text":""}' % p[0])
PART = PLAIN | PLAIN | WILD
MORE = st.sampled_from([b"", b',"metadata":%b', b',"client_metadata":%b', b',"top_k":%b', b',"instructions":%b'])
BODY = st.tuples(st.lists(PART, min_size=1, max_size=3), MORE, PART).map(
    lambda b: (
        b'{"model":"m","input":[{"role":"user","content":[%b]}]%b}' % (b",".join(b[0]), b[1] % b[2] if b[1] else b"")
    )
)


@given(BODY, st.none() | st.integers(0, 400))
def test_the_plain_way_is_the_measure(body: bytes, at: int | None) -> None:
    """Bytes that mean the same, the same losses and the same errors, however odd, forged or cut off the body is."""
    data = body[:at]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(payloads, "LEAST", 8)
        patch.setattr(payloads, "_SAMPLE", re.compile(rb"[A-Za-z0-9+/_-]{4}"))
        patch.setattr(payloads, "_BEGINNING", re.compile(rb"[A-Za-z0-9+/_-]{8}"))
        told, check = _told(data)
    plain, _ = _told(data)  # so short that nothing is cut
    assert plain in (told, check)


def _told(data: bytes) -> tuple[Any, Any]:
    """What became of a request, and what a check says of it afterwards."""
    try:
        received = RequestBody.read(data)
        made, request = received.translate(responses)
        told = _value(request), list(made.report), made.echoed_values()
    except TranslationError as error:
        return error.body(), None
    try:
        received.check()
    except RequestError as error:
        return told, error.body()
    return told, None


def _value(request: list[payloads.Buffer]) -> Any:
    try:
        return decode(b"".join(request))
    except ValueError:
        return "no JSON"


# --- what is kept of a request


@pytest.mark.parametrize("streams", [False, True])
def test_what_is_kept_has_its_payloads(streams: bool) -> None:
    """The request goes out as ever, and what is kept is as it was sent."""

    def make(body: Any) -> ServeResponses:
        return ServeResponses(body, continuation=state.Continuation("0" * 32))

    body = asked({"type": "input_text", "text": "See"}, IMAGE, stream=streams)
    received = RequestBody.read(encode(body))
    exchange, request = received.translate(make)
    assert is_light(received)
    assert decode(exchange.kept)[0]["content"] == body["input"][0]["content"]
    assert b"".join(request) == encode(ServeResponses(body).request)


def test_what_is_kept_of_a_chat_request() -> None:
    """Its messages."""
    body = messages({"type": "text", "text": "See"}, CHAT_IMAGE, store=True)
    received = RequestBody.read(encode(body))
    exchange, _ = received.translate(lambda given: ServeChat(given, keeps=True))
    assert decode(exchange.kept) == body["messages"]
    assert is_light(received)


def test_what_is_kept_of_a_small_request() -> None:
    """It is encoded once."""
    exchange, _ = RequestBody({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}).translate(
        lambda given: ServeChat(given, keeps=True)
    )
    assert exchange.kept == b'[{"role":"user","content":"Hi"}]'
    nothing, _ = RequestBody({"model": "m", "input": "Hi"}).translate(ServeResponses)
    assert nothing.kept == b""


def test_a_body_with_its_payloads() -> None:
    """It can be had whole, once and again."""
    body = asked(IMAGE)
    received = RequestBody.read(encode(body))
    assert is_light(received)
    assert received.whole() == body
    assert received.whole() is received.body


def test_a_payload_that_is_there_already() -> None:
    """An item of the history that a client sends again is neither sent nor kept twice."""
    ident = f"msg_{'1' * 32}0000"
    item = {"type": "message", "id": ident, "role": "user", "content": [IMAGE]}
    again = {"model": "m", "input": [item, {"role": "user", "content": "And now?"}]}

    def make(body: Any) -> ServeResponses:
        return ServeResponses(body, continuation=state.Continuation("0" * 32, [item]))

    exchange, request = RequestBody.read(encode(again)).translate(make)
    assert [kept["role"] for kept in decode(exchange.kept)] == ["user"]
    assert LONG.encode() not in exchange.kept
    assert b"".join(request).count(LONG.encode()) == 1


@pytest.mark.parametrize("content", [[CHAT_IMAGE], "Hi"], ids=["with a payload", "plain"])
def test_replaced(content: Any) -> None:
    """Other values stand in the same object, whose payloads are not decoded."""
    body = {"model": "a", "messages": [{"role": "user", "content": content}]}
    received = RequestBody.read(encode(body))
    assert decode(b"".join(received.replaced(model="b"))) == {**body, "model": "b"}
    assert received.has_payloads == (content != "Hi")


def test_replaced_what_holds_a_payload() -> None:
    """Then the body is decoded as a whole."""
    body = {"model": "a", "x": {"image_url": IMAGE["image_url"]}}
    received = RequestBody.read(encode(body))
    assert decode(b"".join(received.replaced(x=1))) == {"model": "a", "x": 1}
    assert not received.has_payloads
