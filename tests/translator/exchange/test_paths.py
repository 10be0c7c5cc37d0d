from typing import Any

import pytest

from diglot.translator import Profile, Report, request
from diglot.translator.context import Context
from diglot.translator.exchange import paths

# --- chat -> Responses: the twin is proved with whole exchanges in test_serve_responses.py

GIVEN: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}]},
        {
            "role": "assistant",
            "content": "Hm",
            "reasoning_content": "I think.",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "custom", "custom": {"name": "c", "input": "x"}},
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "a",
            "content": [{"type": "text", "text": "1"}, {"type": "text", "text": "2"}],
        },
        {"role": "tool", "tool_call_id": "b", "content": "y"},
        {"role": "assistant", "function_call": {"name": "g", "arguments": "{}"}},
        {"role": "function", "name": "g", "content": "z"},
        {"role": "assistant", "content": "Well.", "refusal": "No."},
        {
            "role": "user",
            "content": [{"type": "file", "file": {"file_id": "f"}}, {"type": "input_image", "file_id": "f"}],
        },
    ],
    "tools": [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"q": {}}}}},
        {
            "type": "custom",
            "custom": {"name": "c", "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}}},
        },
        {"type": "mcp", "server_label": "s"},
        {"type": "function", "name": "h"},
    ],
    "functions": [{"name": "g", "parameters": {"type": "object"}}],
    "web_search_options": {"user_location": {"type": "approximate", "approximate": {"city": "Paris"}}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "reasoning_effort": "low",
    "max_tokens": 50,
    "logprobs": True,
    "metadata": {"a": "b"},
}


def in_chat(path: str, **changes: Any) -> str:
    context = Context(Profile(reasoning_replay="always"), Report())
    return paths.in_chat(path, request.translate_to_responses({**GIVEN, **changes}, context))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("input[0]", "messages[0]"),
        ("input[0].content", "messages[0].content"),
        ("input.0.content", "messages[0].content"),
        ("input[1].content[0].text", "messages[1].content[0].text"),
        ("input[1].content[1].image_url", "messages[1].content[1].image_url.url"),
        ("input[1].content[1].detail", "messages[1].content[1].image_url.detail"),
        ("input[1].content[9].text", "messages[1].content[9]"),
        ("input[2]", "messages[2]"),
        ("input[2].content[0].text", "messages[2]"),
        ("input[3].content", "messages[2].content"),
        ("input[4].call_id", "messages[2].tool_calls[0].id"),
        ("input[4].name", "messages[2].tool_calls[0].function.name"),
        ("input[4].arguments", "messages[2].tool_calls[0].function.arguments"),
        ("input[5].input", "messages[2].tool_calls[1].custom.input"),
        ("input[6].call_id", "messages[3].tool_call_id"),
        ("input[6].output[1].text", "messages[3].content[1].text"),
        ("input[7].output", "messages[4].content"),
        ("input[8].name", "messages[5].function_call.name"),
        ("input[8].call_id", "messages[5].function_call"),
        ("input[9].call_id", "messages[6]"),
        ("input[9].output", "messages[6].content"),
        ("input[10].content[1].refusal", "messages[7].content"),
        ("input[11].content[0].file_id", "messages[8].content[0].file.file_id"),
        ("input[11].content[1].file_id", "messages[8].content[1].file"),
        ("input[99].content", "messages[99]"),
        ("input", "messages"),
        ("tools[0]", "tools[0]"),
        ("tools[0].type", "tools[0].type"),
        ("tools[0].name", "tools[0].function.name"),
        ("tools[0].parameters.properties.q", "tools[0].function.parameters.properties.q"),
        ("tools[0].strict", "tools[0].function.strict"),
        ("tools[1].format.definition", "tools[1].custom.format.grammar.definition"),
        ("tools[2].server_label", "tools[2].server_label"),
        ("tools[3].parameters.type", "tools[3].parameters"),
        ("tools[4].name", "functions[0].name"),
        ("tools[5].user_location.city", "web_search_options.user_location.approximate.city"),
        ("tools[5].user_location.type", "web_search_options.user_location.type"),
        ("tools[9].name", "tools[9]"),
        ("text.format.schema.type", "response_format.json_schema.schema.type"),
        ("text.format.type", "response_format.type"),
        ("text", "response_format"),
        ("reasoning.effort", "reasoning_effort"),
        ("reasoning", "reasoning_effort"),
        ("max_output_tokens", "max_tokens"),
        ("include[0]", "logprobs"),
        ("tool_choice.name", "tool_choice.function.name"),
        ("metadata.a", "metadata.a"),
        ("text.verbosity", "verbosity"),
        ("store", "store"),
        ("safety.level", "safety.level"),
        ("", ""),
        ("[0]", "[0]"),
    ],
)
def test_a_path_of_the_upstream_in_the_clients_words(theirs: str, ours: str) -> None:
    """It names what the client sent, at most one step further than that goes (protocol 7.2)."""
    assert in_chat(theirs) == ours


@pytest.mark.parametrize(
    ("changes", "theirs", "ours"),
    [
        ({"max_completion_tokens": 20}, "max_output_tokens", "max_completion_tokens"),
        ({"max_tokens": None}, "max_output_tokens", "max_completion_tokens"),
        ({"reasoning_effort": None, "reasoning": {"effort": "low"}}, "reasoning.effort", "reasoning.effort"),
        ({"reasoning_effort": None}, "reasoning", "reasoning"),
        ({"response_format": {"type": "json_schema", "name": "n"}}, "text.format.name", "response_format.json_schema"),
        ({"tool_choice": "auto"}, "tool_choice", "tool_choice"),
        ({"tool_choice": "auto"}, "tool_choice.name", "tool_choice"),
        ({"tool_choice": None, "function_call": {"name": "g"}}, "tool_choice.name", "function_call.name"),
        ({"tool_choice": {"type": "mcp", "name": "x"}}, "tool_choice.name", "tool_choice.name"),
        ({"tool_choice": {"type": "custom", "custom": {"name": "c"}}}, "tool_choice.name", "tool_choice.custom.name"),
        (
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"tools": [{"type": "function", "name": "f"}]}}},
            "tool_choice.tools[0].type",
            "tool_choice.allowed_tools.tools[0].type",
        ),
        (
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"tools": [{"type": "function", "function": {"name": "f"}}]},
                }
            },
            "tool_choice.tools[0].name",
            "tool_choice.allowed_tools.tools[0].function.name",
        ),
        ({"include": ["x"]}, "include[0]", "include[0]"),
        ({"max_tokens": None, "max_output_tokens": 5}, "max_output_tokens", "max_output_tokens"),
        ({"response_format": None, "text": {"format": {"type": "text"}}}, "text.format.type", "text.format.type"),
        ({"instructions": "x"}, "instructions", "instructions"),
        ({"messages": None, "input": [{"role": "user", "content": []}]}, "input[0].content[3]", "input[0].content[3]"),
        ({"messages": None, "input": "Go"}, "input[0].content", "input"),
    ],
)
def test_where_several_fields_become_one(changes: dict[str, Any], theirs: str, ours: str) -> None:
    """It is the one that was given, in the client's spelling."""
    assert in_chat(theirs, **changes) == ours
