import json
from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError, ServeResponses
from diglot.translator.state import tokens

from costs import assert_linear

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400_000}}
USAGE = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}


def said(content: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content, **more}]}


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("a", 1), ("word" * 25, 25), ("日本語" * 10, 30), ("naïve", 2), ("\ud800", 1), ("😀" * 3, 4)],
)
def test_a_text(text: str, count: int) -> None:
    """Four characters are a token, or one of Chinese; what is no Unicode is counted, too."""
    assert tokens.of_text(text) == count


@pytest.mark.parametrize(
    ("request_", "count"),
    [
        ({}, 3),
        (said("x" * 40), 17),
        (said([{"type": "text", "text": "x" * 40}]), 17),
        (said("x" * 40, name="abcd", tool_call_id="not read", unknown="not read"), 18),
        (said(None, tool_calls=[{"id": "c", "function": {"name": "abcd", "arguments": "{" * 8}}]), 10),
        (said(None, reasoning_content="x" * 40), 17),
        ({"messages": [], "tools": [{"a": "b"}], "response_format": {"type": "json_object"}}, 3 + 8 + 3 + 6),
    ],
)
def test_a_request(request_: dict[str, Any], count: int) -> None:
    """Messages and tools cost something themselves; what no model reads costs nothing."""
    assert tokens.estimate(request_) == (count, "estimate")


@pytest.mark.parametrize(
    ("part", "count"),
    [
        (PICTURE, 765),
        ({"type": "image_url", "image_url": {"url": "u", "detail": "low"}}, 85),
        ({"type": "image_url", "image_url": "u"}, 765),
        ({"type": "input_image", "image_url": "u", "detail": "low"}, 85),
        ({"type": "input_audio", "input_audio": {"data": "A" * 5_000}}, 500),
        ({"type": "file", "file": {"file_data": "A" * 50_000}}, 1_000),
        ({"type": "input_file", "file_data": "A" * 50_000}, 1_000),
        ({"type": "video_url", "video_url": {"url": "A" * 50_000}}, 2_000),
    ],
)
def test_media_cost_the_same_whatever_their_size(part: dict[str, Any], count: int) -> None:
    """Their bytes are no text."""
    content = tokens.content_of(said([{"type": "text", "text": "abcd"}, part]))
    assert content.has_media
    assert content.estimate() == 3 + 4 + 1 + count


def test_the_work_is_linear() -> None:
    """In the number of parts."""

    def many(size: int) -> Any:
        request = said([{"type": "text", "text": "é"}, PICTURE] * size)
        return lambda: tokens.estimate(request)

    assert_linear(many)


def test_deep_and_odd_content_is_counted() -> None:
    """No recursion, and no trust in types."""
    deep: Any = "abcd"
    for _ in range(5_000):
        deep = [deep]
    assert tokens.estimate(said([deep, 5, None, {"type": 5, "text": "abcd"}])).tokens == 9


@pytest.mark.parametrize(
    ("item", "count"),
    [
        ({"role": "user", "content": "x" * 40}, 14),
        ({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 40}]}, 14),
        ({"type": "function_call", "call_id": "c" * 40, "name": "abcd", "arguments": "{}  "}, 6),
        ({"type": "function_call_output", "call_id": "c" * 40, "output": "x" * 40}, 14),
        ({"type": "reasoning", "summary": [{"text": "abcd"}], "encrypted_content": "x" * 40}, 5),
        ({"type": "compaction", "encrypted_content": "x" * 40}, 14),
        ({"type": "shell_call", "action": {"commands": ["abcd"]}}, 5),
        ({"type": "additional_tools", "tools": [{"name": "x" * 27}]}, 14),
        ({"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "u"}]}, 769),
    ],
)
def test_what_is_added_to_a_chain(item: dict[str, Any], count: int) -> None:
    """Only that is estimated."""
    assert tokens.estimate_after(USAGE, [item, item]) == (120 + 2 * count, "estimate")


def test_a_chain_without_usage_has_no_start() -> None:
    """All of it has to be counted then."""
    assert tokens.estimate_after(None, [{"role": "user", "content": "Hi"}]) is None


BODY = {
    "input": "Hi",
    "instructions": "Be short.",
    "parallel_tool_calls": True,
    "reasoning": {"effort": "low"},
    "text": {"format": {"type": "text"}},
    "tools": [{"type": "function", "name": "f"}],
    "tool_choice": "auto",
    "truncation": "disabled",
}


@pytest.mark.parametrize("body", [{"model": "m", **BODY}, {"model": "m"}, {"model": "m", "input": None}])
def test_a_body_becomes_a_request(body: dict[str, Any]) -> None:
    """Nothing but a model is needed; the request is one that can be served."""
    report = Report()
    made = tokens.request_to_count(body, Profile(), report)
    assert made == {"input": [], **{name: value for name, value in body.items() if value is not None}}
    assert ServeResponses(made).chat["model"] == "m"
    assert list(report) == []


def test_what_does_not_count_is_reported() -> None:
    """A personality is words of OpenAI's, and a stream is none."""
    report = Report()
    body = {"model": "m", "personality": "friendly", "stream": True, "metadata": None}
    assert tokens.request_to_count(body, Profile(), report) == {"model": "m", "input": []}
    assert [(loss.path, loss.kind) for loss in report] == [("personality", "dropped"), ("stream", "dropped")]


@pytest.mark.parametrize("name", ["previous_response_id", "conversation"])
def test_history_stays_for_those_who_expand_it(name: str) -> None:
    """It is not the business of this step."""
    assert tokens.request_to_count({"model": "m", name: "x_1"}, Profile(), Report())[name] == "x_1"


def test_a_profile_may_have_the_model() -> None:
    """The client's comes first."""
    profile = Profile(default_model="m")
    assert tokens.request_to_count({}, profile, Report())["model"] == "m"
    assert tokens.request_to_count({"model": "n"}, profile, Report())["model"] == "n"


@pytest.mark.parametrize(("body", "param"), [(None, "body"), ([], "body"), ({}, "model"), ({"model": 5}, "model")])
def test_a_body_that_cannot_be_counted(body: Any, param: str) -> None:
    """A 400 as for other requests."""
    with pytest.raises(RequestError) as raised:
        tokens.request_to_count(body, Profile(), Report())
    assert (raised.value.status, raised.value.param) == (400, param)


def test_the_answer() -> None:
    """It is what the SDK reads."""
    made = tokens.answer(tokens.Count(7, "tiktoken"))
    assert json.dumps(made) == '{"object": "response.input_tokens", "input_tokens": 7}'
