import base64
from typing import Any

import pytest

from diglot.translator import PLAIN, Profile, Report, RequestError, Seals, seals
from diglot.translator.context import Context
from diglot.translator.parts import reasoning


@pytest.mark.parametrize("fields", [{}, {"text": "é😀"}, {"calls": {"c": {"google": {"thought_signature": "s"}}}}])
def test_what_is_sealed_is_unsealed(fields: dict[str, Any]) -> None:
    """An envelope gives back what was put in, in characters that every client keeps."""
    sealed = reasoning.seal(fields)
    assert reasoning.unseal(sealed) == fields
    assert sealed.isascii()
    assert sealed.startswith(seals.ENVELOPE)


def envelope(data: bytes) -> str:
    return seals.ENVELOPE + base64.urlsafe_b64encode(data).decode()


@pytest.mark.parametrize(
    "sealed",
    [
        None,
        5,
        "",
        "gAAAAABforeign",
        seals.ENVELOPE,
        seals.ENVELOPE + "not base64!",
        seals.ENVELOPE + "é",
        reasoning.seal({"text": "x"})[:-3],
        reasoning.seal({"text": "x"}) + "tail",
        envelope(b"no json"),
        envelope(b'"text"'),
        envelope(b"[1]"),
        envelope(b"[" * 100_000),
    ],
)
def test_other_envelopes_are_nobodys(sealed: Any) -> None:
    """Foreign, cut and forged envelopes are None, never an error."""
    assert reasoning.unseal(sealed) is None


REVERSED = Seals(lambda kind, data: data.decode()[::-1], lambda kind, text: text[::-1].encode() if kind else None)


def test_the_seals_of_the_context_are_used() -> None:
    """They write; they and the older envelope are read."""
    sealed = reasoning.seal({"a": 1}, REVERSED)
    assert sealed == '}1:"a"{'
    assert reasoning.unseal(sealed, REVERSED) == {"a": 1}
    assert reasoning.unseal(sealed) is None
    assert reasoning.unseal(reasoning.seal({"b": 2}, PLAIN), REVERSED) == {"b": 2}
    assert reasoning.unseal(sealed, REVERSED, "") is None


def test_the_words_for_what_does_not_open() -> None:
    """Clients look for the code; only the ends of the content are repeated."""
    error = reasoning.cannot_open("abcd" + "secret" + "wxyz")
    assert error.body()["error"] == {
        "message": "The encrypted content abcd...wxyz could not be verified. "
        "Reason: Encrypted content could not be decrypted or parsed.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_encrypted_content",
    }


@pytest.mark.parametrize(
    ("efforts", "effort", "chosen"),
    [
        ((), "xhigh", "xhigh"),
        (("low", "high"), "low", "low"),
        (("low", "high"), "none", "low"),
        (("low", "high"), "max", "high"),
        (("low", "medium", "high"), "minimal", "low"),
        (("none", "high"), "xhigh", "high"),
        (("low", "high"), "vendor", "vendor"),
        (("low", "high"), ["x"], ["x"]),
    ],
)
def test_the_nearest_effort(efforts: tuple[str, ...], effort: Any, chosen: Any) -> None:
    """An effort that the upstream has not becomes the nearest, and that is reported; unknown words are its affair."""
    context = Context(Profile(efforts=efforts), Report())
    assert reasoning.effort(effort, "reasoning.effort", context) == chosen
    lost = [] if effort == chosen else [("reasoning.effort", "approximated", effort)]
    assert [(loss.path, loss.kind, loss.value) for loss in context.report] == lost


def parts(kind: str, *texts: str) -> list[dict[str, Any]]:
    return [{"type": kind, "text": text} for text in texts]


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"summary": parts("summary_text", "a", "b")}, "a\n\nb"),
        ({"summary": parts("summary_text", "a"), "content": parts("reasoning_text", "b", "c")}, "b\n\nc"),
        ({"summary": None, "content": None}, ""),
        ({}, ""),
        ({"summary": parts("summary_text", "a"), "encrypted_content": reasoning.seal({"text": "whole"})}, "whole"),
        ({"summary": parts("summary_text", "a"), "encrypted_content": reasoning.seal({"text": ""})}, ""),
        ({"summary": parts("summary_text", "a"), "encrypted_content": reasoning.seal({"calls": {}})}, "a"),
        ({"summary": parts("summary_text", "a"), "encrypted_content": "foreign"}, "a"),
    ],
)
def test_the_text_of_an_item(item: dict[str, Any], text: str) -> None:
    """What was sealed is the whole; else the content, else the summary."""
    assert reasoning.to_chat(item, "input[0]")[0] == text


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"summary": "x"}, "input[0].summary"),
        ({"summary": ["x"]}, "input[0].summary[0]"),
        ({"content": [{}, {"text": 5}]}, "input[0].content[0].text"),
        ({"content": [{"text": ""}, {"text": 5}]}, "input[0].content[1].text"),
    ],
)
def test_an_item_in_another_shape_is_refused(item: dict[str, Any], param: str) -> None:
    """A 400 with the path of what is wrong."""
    with pytest.raises(RequestError) as raised:
        reasoning.to_chat(item, "input[0]")
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        ({"reasoning_content": "a", "reasoning": "a"}, "a"),
        ({"reasoning_content": "", "reasoning": "b"}, "b"),
        ({"reasoning_content": None, "thinking": "c"}, "c"),
        ({"think": "d"}, "d"),
        ({"chain_of_thought": "e"}, "e"),
        ({"reasoning": {"content": "f"}}, "f"),
        ({"reasoning": {"content": 5}}, ""),
        ({"reasoning": 5}, ""),
        ({"reasoning": "x", "reasoning_details": [{"type": "reasoning.text", "text": "x"}]}, "x"),
        ({"reasoning_details": [{"text": "a"}, {"summary": "b"}, {"data": "c"}, "d"]}, "ab"),
        ({"thinking_blocks": [{"type": "thinking", "thinking": "t", "signature": "s"}]}, "t"),
        ({"reasoning_details": "x", "thinking_blocks": [{"thinking": "t"}]}, "t"),
        ({"content": "x"}, ""),
    ],
)
def test_reasoning_text_has_many_names(delta: dict[str, Any], text: str) -> None:
    """It is read once, under whichever name it came (D1-D4)."""
    assert reasoning.text_of(delta) == text


@pytest.mark.parametrize(
    ("thoughts", "text"), [("a", "a"), ([{"type": "text", "text": "a"}, {"text": "b"}, 5], "ab"), (None, ""), ([], "")]
)
def test_a_thinking_part_is_a_string_or_parts(thoughts: Any, text: str) -> None:
    """Mistral sends parts inside of the part."""
    assert reasoning.thoughts_text(thoughts) == text


def joined(*fragments: Any) -> list[dict[str, Any]]:
    details = reasoning.DetailsBuffer()
    for fragment in fragments:
        details.add(fragment)
    return details.joined()


def test_details_grow_while_they_belong_together() -> None:
    """Texts and signatures of one index and type grow, everything else is set once (OpenRouter)."""
    head = {"type": "reasoning.text", "text": "I ", "index": 0, "format": "anthropic", "id": None}
    rest = {"type": "reasoning.text", "text": "think", "signature": "s", "index": 0, "format": "other"}
    assert joined([head], [rest]) == [
        {"type": "reasoning.text", "text": "I think", "index": 0, "format": "anthropic", "signature": "s"}
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": "a", "index": 0}, {"type": "a", "index": 1}),
        ({"type": "a", "index": 0}, {"type": "b", "index": 0}),
        ({"type": "a"}, {"type": "a"}),
        ({"type": "a", "index": None}, {"type": "a", "index": None}),
    ],
)
def test_details_of_another_entry_stay_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Another index, another type or no index at all begin an entry of their own."""
    texts = [entry["text"] for entry in joined([{**one, "text": "1"}, {**other, "text": "2"}])]
    assert texts == ["1", "2"]


def test_details_that_are_none() -> None:
    """What is no list of objects says nothing; a growing field that is no text is set once."""
    assert joined(None, "x", [5, None], [{"type": "a", "index": 0, "data": {"x": 1}}]) == [
        {"type": "a", "index": 0, "data": {"x": 1}}
    ]


# --- chat -> Responses

ITEM = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}


def test_an_item_comes_back_from_a_message() -> None:
    """What is put into the details of a message is found there, between those of others."""
    foreign = [{"type": "reasoning.encrypted", "data": "x"}, {"type": "reasoning.text", "text": "y"}, 5]
    details = [*foreign, reasoning.to_details(ITEM)]
    assert reasoning.from_details({"reasoning_details": details}) == ([ITEM], [])
    assert details[-1]["id"] == "rs_1"


@pytest.mark.parametrize(
    "details",
    [
        None,
        "x",
        [],
        [{"data": reasoning.seal({"text": "x"})}],
        [{"data": reasoning.seal({"item": 5})}],
        [{"data": reasoning.seal({"item": {"type": "message", "role": "system"}})}],
    ],
)
def test_other_details_are_no_items(details: Any) -> None:
    """Only sealed reasoning items are taken for some."""
    assert reasoning.from_details({"reasoning_details": details}) == ([], [])


@pytest.mark.parametrize(("format_", "unopened"), [("diglot", ["gAAAA"]), ("openai", []), (None, [])])
def test_what_was_sealed_here_once(format_: str | None, unopened: list[str]) -> None:
    """What has our mark and does not open is told apart from what is others'."""
    details = [{"type": "reasoning.encrypted", "format": format_, "data": "gAAAA"}]
    assert reasoning.from_details({"reasoning_details": details}) == ([], unopened)


@pytest.mark.parametrize(
    ("item", "can"),
    [
        (ITEM, True),
        ({**ITEM, "encrypted_content": None}, False),
        ({"content": [{"type": "reasoning_text", "text": "x"}]}, True),
        ({"content": [], "summary": [{"type": "summary_text", "text": "x"}]}, False),
    ],
)
def test_what_a_server_can_read_again(item: dict[str, Any], can: bool) -> None:
    """Its ciphertext or the text; an id alone is known to nobody (R10)."""
    assert reasoning.can_return(item) is can


def test_an_item_of_bare_text() -> None:
    """It has an id that stays, of its own at every place."""
    item = reasoning.to_item("hm", 1)
    assert item == reasoning.to_item("hm", 1)
    assert item["content"] == [{"type": "reasoning_text", "text": "hm"}]
    assert len({item["id"], reasoning.to_item("hm", 2)["id"], reasoning.to_item("ha", 1)["id"]}) == 3
    assert item["id"].startswith("rs_")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": [{"type": "thinking", "thinking": "a"}, {"type": "text", "text": "x"}, 5], "reasoning": "b"}, "a"),
        ({"content": [{"type": "thinking", "thinking": "a"}, {"type": "thinking", "thinking": "b"}]}, "a\n\nb"),
        ({"content": [{"type": "text", "text": "x"}], "reasoning": "b"}, "b"),
        ({"content": "x", "reasoning_content": "b"}, "b"),
        ({"content": None}, ""),
    ],
)
def test_thoughts_that_come_back(message: dict[str, Any], text: str) -> None:
    """Among the parts, or in a field of their own."""
    assert reasoning.thoughts_of(message) == text
