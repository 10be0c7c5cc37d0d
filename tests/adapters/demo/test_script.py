"""What the embedded upstream answers."""

import json
from typing import Any

import pytest

from diglot.adapters.demo import rules, script

from demo_requests import ASK, LOOP, SCHEMA, USER, tool


def reply(**more: Any) -> script.ScriptedAnswer:
    body = {**ASK, **more}
    rules.check(body)
    return script.reply(body)


def test_text() -> None:
    """It greets and says what it was told."""
    assert reply().text == f"{script.GREETING} You said: {USER['content']}"


def test_turns_and_images() -> None:
    """It notices earlier turns and images."""
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    said = reply(messages=[USER, {"role": "assistant", "content": "a"}, {"role": "user", "content": parts}]).text
    assert "turn 2" in said
    assert "1 image." in said


def test_calls() -> None:
    """It calls the tool that the words recall, with arguments that fit the schema."""
    answer = reply(tools=[tool("search"), tool("get_weather")])
    assert [name for name, _ in answer.calls] == ["get_weather"]
    assert json.loads(answer.calls[0][1]) == {"city": "Paris", "days": 3, "unit": "C"}
    assert answer.finish == "tool_calls"


def test_parallel_calls() -> None:
    """It calls two tools at once when both fit, unless that was forbidden."""
    tools = [tool("get_weather"), tool("paris_guide"), tool("other")]
    assert len(reply(tools=tools).calls) == 2
    assert len(reply(tools=tools, parallel_tool_calls=False).calls) == 1


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("none", []),
        ("auto", ["get_weather"]),
        ("required", ["get_weather"]),
        ({"type": "function", "function": {"name": "search"}}, ["search"]),
    ],
)
def test_choice(choice: Any, names: list[str]) -> None:
    """It obeys the tool choice."""
    answer = reply(tools=[tool("search"), tool("get_weather")], tool_choice=choice)
    assert [name for name, _ in answer.calls] == names


def test_tool_result() -> None:
    """It quotes what the tool said, and calls again only if it must."""
    assert reply(messages=LOOP, tools=[tool("get_weather")]).text == "The tool said: sunny"
    assert reply(messages=LOOP, tools=[tool("get_weather")], tool_choice="required").calls


def test_formats() -> None:
    """It answers with JSON when asked to."""
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    assert json.loads(reply(response_format=schema).text)["city"] == "Paris"
    assert json.loads(reply(response_format={"type": "json_object"}).text)


def test_limits() -> None:
    """It stops at stop sequences and at the limit, thinking included."""
    assert reply(stop=["upstream"]).text == "Hello from the embedded "
    short = reply(max_tokens=2)
    assert (short.text, short.finish) == ("Hello from", "length")
    thinking = reply(max_completion_tokens=3, reasoning_effort="low")
    assert (thinking.text, thinking.reasoning, thinking.finish) == ("", "The script says ", "length")


def test_thinking() -> None:
    """It thinks when asked to."""
    assert reply(reasoning_effort="low").reasoning
    assert not reply(reasoning_effort="none").reasoning


@pytest.mark.parametrize(
    "more", [{}, {"tools": [tool("weather")]}, {"reasoning_effort": "low"}, {"max_tokens": 1}, {"messages": LOOP}]
)
def test_stream_equals_answer(more: Any) -> None:
    """Streamed or whole, it says the same."""
    body = {**ASK, **more, "stream": True, "stream_options": {"include_usage": True}}
    whole = script.completion(body, "1", 1)
    text = thought = arguments = finish = ""
    usage = None
    for chunk in script.chunks(body, "1", 1):
        usage = chunk["usage"]
        for choice in chunk["choices"]:
            text += choice["delta"].get("content") or ""
            thought += choice["delta"].get("reasoning_content") or ""
            finish = choice["finish_reason"] or finish
            arguments += "".join(call["function"]["arguments"] for call in choice["delta"].get("tool_calls", ()))
    message = whole["choices"][0]["message"]
    assert (text, thought) == (message["content"] or "", message.get("reasoning_content", ""))
    assert arguments == "".join(call["function"]["arguments"] for call in message.get("tool_calls", ()))
    assert (finish, usage) == (whole["choices"][0]["finish_reason"], whole["usage"])


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "minLength": 9}, "example.."),
        ({"const": 3}, 3),
        ({"default": "d"}, "d"),
        ({"type": ["boolean", "null"]}, True),
        ({"type": "null"}, None),
        ({"type": "number", "maximum": -2}, -2),
        ({"type": "number", "exclusiveMinimum": 4}, 5),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        ({"$defs": {"a": {"const": "ref"}}, "properties": {"x": {"$ref": "#/$defs/a"}}}, {"x": "ref"}),
        ({}, {}),
        (True, None),
    ],
)
def test_samples(schema: Any, value: Any) -> None:
    """A sample fits its schema."""
    assert script.sample(schema) == value


def test_endless_schema() -> None:
    """A schema that contains itself has an end."""
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["next"]}
    assert script.sample({"$defs": {"node": node}, "$ref": "#/$defs/node"})
