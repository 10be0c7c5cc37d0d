from typing import Any

import pytest

from diglot.translator import Loss, Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.parts import content

MARK = {"mode": "explicit"}
IMAGE = {"type": "input_image", "image_url": "u"}


def made(given: Any, role: str = "user", **profile: Any) -> tuple[Any, list[Loss]]:
    """The chat content for *given*, and what was lost."""
    report = Report()
    return content.to_chat(given, role, "input[0].content", Context(Profile(**profile), report)), list(report)


def texts(*given: str, kind: str = "input_text") -> list[dict[str, Any]]:
    return [{"type": kind, "text": text} for text in given]


@pytest.mark.parametrize("role", ["user", "assistant", "system", "developer", "tool"])
@pytest.mark.parametrize("given", ["x", texts("x"), texts("x", kind="text")])
def test_one_text_is_a_string(given: Any, role: str) -> None:
    """The shortest form that says the same, for every role."""
    assert made(given, role) == ("x", [])


@pytest.mark.parametrize(
    ("role", "joined"),
    [
        ("assistant", "ab"),
        ("tool", "a\nb"),
        ("system", "a\n\nb"),
        ("developer", "a\n\nb"),
        ("user", texts("a", "b", kind="text")),
    ],
)
def test_several_texts_are_joined_where_lists_are_not_taken(role: str, joined: Any) -> None:
    """An assistant's text was one; elsewhere texts stand on lines of their own."""
    assert made(texts("a", "b"), role) == (joined, [])


@pytest.mark.parametrize("role", ["assistant", "tool", "system"])
def test_lists_stay_where_they_are_taken(role: str) -> None:
    """A profile says which roles take lists."""
    assert made(texts("a", "b"), role, content_lists=frozenset({role}))[0] == texts("a", "b", kind="text")


def test_media_need_a_list() -> None:
    """Content with an image is a list for every role."""
    image = {"type": "image_url", "image_url": {"url": "u"}}
    assert made([*texts("a"), IMAGE], "system") == ([*texts("a", kind="text"), image], [])


def test_no_parts_are_an_empty_string() -> None:
    """An empty list is no content."""
    assert made([]) == ("", [])


@pytest.mark.parametrize("count", [1, 2])
def test_a_break_point_needs_a_list(count: int) -> None:
    """It stays where lists are taken; elsewhere it is dropped, and reported."""
    given = [{"type": "input_text", "text": "a", "prompt_cache_breakpoint": MARK} for _ in range(count)]
    kept = [{"type": "text", "text": "a", "prompt_cache_breakpoint": MARK}] * count
    assert made(given) == (kept, [])
    joined, losses = made(given, "system")
    assert joined == "\n\n".join("a" * count)
    assert [(loss.path, loss.kind) for loss in losses] == [("input[0].content", "dropped")]


def part(given: dict[str, Any], **profile: Any) -> tuple[Any, list[tuple[str, str]]]:
    """One chat part, and (path, kind) of what was lost."""
    report = Report()
    one = content.part_to_chat(given, "p", Context(Profile(**profile), report))
    return one, [(loss.path, loss.kind) for loss in report]


@pytest.mark.parametrize("kind", ["input_text", "output_text", "summary_text", "reasoning_text", "text"])
def test_texts(kind: str) -> None:
    """Every kind of text is text; annotations and logprobs of repeated text say nothing to a model."""
    more = {"annotations": [], "logprobs": []} if kind == "output_text" else {}
    assert part({"type": kind, "text": "x", **more}) == ({"type": "text", "text": "x"}, [])


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"type": "refusal", "refusal": "no"}, {"type": "refusal", "refusal": "no"}),
        ({"type": "input_audio", "input_audio": {"data": "x"}}, {"type": "input_audio", "input_audio": {"data": "x"}}),
    ],
)
def test_refusals_and_audio(given: dict[str, Any], sent: dict[str, Any]) -> None:
    """They are the same on both sides."""
    assert part(given) == (sent, [])


def test_unknown_fields_are_reported() -> None:
    """The part stays, the field is named."""
    given = {"type": "input_text", "text": "x", "colour": "red", "shade": None}
    assert part(given) == ({"type": "text", "text": "x"}, [("p.colour", "dropped")])


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ("x", "p"),
        (None, "p"),
        ({}, "p.type"),
        ({"type": ["text"]}, "p.type"),
        ({"type": "hologram"}, "p.type"),
        ({"type": "input_text"}, "p.text"),
        ({"type": "input_text", "text": 5}, "p.text"),
        ({"type": "refusal"}, "p.refusal"),
        ({"type": "input_image"}, "p.image_url"),
        ({"type": "input_image", "file_id": "f"}, "p.file_id"),
        ({"type": "image_url", "image_url": {}}, "p.image_url"),
        ({"type": "input_file"}, "p.file_data"),
        ({"type": "input_file", "file_id": 5}, "p.file_id"),
        ({"type": "input_file", "file_url": "u"}, "p.file_url"),
        ({"type": "input_audio"}, "p.input_audio"),
        ({"type": "input_video"}, "p"),
    ],
)
def test_a_part_that_cannot_be_said_is_refused(given: Any, param: str) -> None:
    """Content is never left out in silence: a 400 with the path."""
    with pytest.raises(RequestError) as raised:
        part(given)
    assert raised.value.param == param


@pytest.mark.parametrize("given", [None, 5, {"type": "input_text"}])
def test_content_is_a_string_or_a_list(given: Any) -> None:
    """Anything else is a 400."""
    with pytest.raises(RequestError) as raised:
        made(given)
    assert raised.value.param == "input[0].content"


# --- chat -> Responses


def back(given: Any, role: str = "user") -> tuple[Any, list[tuple[str, str]]]:
    """The content of an item for *given*, and (path, kind) of what was lost."""
    report = Report()
    one = content.to_responses(given, role, "c", Context(Profile(), report))
    return one, [(loss.path, loss.kind) for loss in report]


@pytest.mark.parametrize("role", ["user", "assistant", "system", "developer", "tool"])
@pytest.mark.parametrize("given", ["x", texts("x", kind="text"), texts("x"), texts("x", kind="output_text")])
def test_a_text_alone_is_a_string(given: Any, role: str) -> None:
    """The shortest form that says the same, for every role and in either spelling."""
    assert back(given, role) == ("x", [])


@pytest.mark.parametrize("role", ["user", "system", "developer", "tool"])
def test_texts_stay_parts(role: str) -> None:
    """Responses take lists everywhere: nothing is joined, and break points stay."""
    assert back([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], role) == (texts("a", "b"), [])
    marked = {"type": "text", "text": "a", "prompt_cache_breakpoint": MARK}
    assert back([marked], role) == ([{**marked, "type": "input_text"}], [])


def test_an_assistants_parts() -> None:
    """Its texts are output, without break points; its thoughts are left to the reasoning item."""
    said = [{"type": "thinking", "thinking": "hm"}, *texts("a", "b", kind="text"), {"type": "refusal", "refusal": "no"}]
    output = [{**part, "annotations": []} for part in texts("a", "b", kind="output_text")]
    assert back(said, "assistant") == ([*output, {"type": "refusal", "refusal": "no"}], [])
    marked = [{"type": "text", "text": "a", "prompt_cache_breakpoint": MARK}]
    assert back(marked, "assistant") == ("a", [("c[0].prompt_cache_breakpoint", "dropped")])


def test_nothing_is_an_empty_string() -> None:
    """An empty list is no content."""
    assert back([]) == ("", [])


def test_a_refusal_of_others_is_told() -> None:
    """Only assistants refuse."""
    assert back([{"type": "refusal", "refusal": "no"}, *texts("a")]) == (texts("no", "a"), [])


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"type": "text", "text": "a", "colour": "red"}, "c[0].colour"),
        ({"type": "image_url", "image_url": {"url": "u", "size": 1}}, "c[0].image_url.size"),
        ({"type": "file", "file": {"file_id": "f", "size": 1}}, "c[0].file.size"),
        ({"type": "refusal", "refusal": "no", "prompt_cache_breakpoint": None, "why": "x"}, "c[0].why"),
    ],
)
def test_fields_that_nobody_knows_are_reported(part: Any, path: str) -> None:
    """The part stays, the field is named."""
    assert back([part])[1] == [(path, "dropped")]


@pytest.mark.parametrize(
    ("given", "param"),
    [
        (None, "c"),
        (5, "c"),
        (["x"], "c[0]"),
        ([{}], "c[0].type"),
        ([{"type": ["text"]}], "c[0].type"),
        ([{"type": "hologram"}], "c[0].type"),
        ([{"type": "thinking", "thinking": "x"}], "c[0].type"),
        ([{"type": "input_audio", "input_audio": {}}], "c[0]"),
        ([{"type": "text"}], "c[0].text"),
        ([{"type": "refusal"}], "c[0].refusal"),
        ([{"type": "image_url"}], "c[0].image_url"),
        ([{"type": "image_url", "image_url": {}}], "c[0].image_url"),
        ([{"type": "image_url", "image_url": 5}], "c[0].image_url"),
        ([{"type": "file"}], "c[0].file"),
        ([{"type": "file", "file": {"filename": "a"}}], "c[0].file.file_data"),
        ([{"type": "input_file"}], "c[0].file_data"),
        ([{"type": "video_url", "video_url": {}}], "c[0].video_url"),
    ],
)
def test_content_that_no_response_holds_is_refused(given: Any, param: str) -> None:
    """Content is never left out in silence: a 400 with the path."""
    with pytest.raises(RequestError) as raised:
        back(given)
    assert raised.value.param == param


def encrypted(words: Any) -> dict[str, Any]:
    return {"type": "encrypted_content", "encrypted_content": words}


@pytest.mark.parametrize(
    ("part", "plain"),
    [
        (encrypted("x"), "x"),
        (encrypted("gAAAAABmZm9vYmFyYmF6cXV4"), None),
        (encrypted("gAAAAABm"), None),
        (encrypted("gAAAAA is how it begins"), "gAAAAA is how it begins"),
        (encrypted(5), None),
        ({"type": "text", "text": "x"}, None),
        ("x", None),
    ],
)
def test_parts_that_nobody_encrypted(part: Any, plain: str | None) -> None:
    """Their text is one."""
    assert content.unencrypted_text(part) == plain


@pytest.mark.parametrize(
    ("part", "is_part"),
    [
        ({"type": "input_text", "text": ""}, True),
        ({"type": "input_text"}, False),
        ({"type": "input_image", "file_id": "f"}, True),
        ({"type": "file", "file": {}}, True),
        ({"type": "file", "name": "a.py"}, False),
        ({"type": "chart", "text": "x"}, False),
        ({"type": ["text"], "text": "x"}, False),
        ("text", False),
    ],
)
def test_what_is_a_part(part: Any, is_part: bool) -> None:
    """What has the field that tells it: a tool may tell any JSON."""
    assert content.is_part(part) is is_part
