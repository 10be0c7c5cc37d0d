from importlib import resources
from itertools import chain
from typing import Any

import pytest

from diglot.translator import PRESETS, Profile, Report, RequestError, fields_as_markdown, request
from diglot.translator.fields import ANSWER, COMPLETION, REQUEST
from diglot.translator.mapping import Goal, Way, put
from diglot.translator.markdown import fate


def test_fields_md_is_generated() -> None:
    """FIELDS.md in the package is what the tables say."""
    written = resources.files("diglot.translator").joinpath("FIELDS.md").read_text()
    assert written == "\n".join(fields_as_markdown()) + "\n"


def test_fields_md_has_a_line_for_every_row() -> None:
    """Every row of both tables is a line with its name."""
    lines = list(fields_as_markdown())
    names = chain((row.responses or row.chat for row in REQUEST), (field.name for field in (*ANSWER, *COMPLETION)))
    for name in names:
        assert [line for line in lines if line.startswith("|") and f"`{name}`" in line], name


FUNCTION = {"type": "function", "function": {"name": "f"}}
SAMPLES: dict[Goal, dict[str, Any]] = {
    "chat": {
        "input": "Go",
        "tools": [{"type": "function", "name": "f"}],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "include": ["message.output_text.logprobs"],
        "top_logprobs": 2,
        "text.format": {"type": "json_object"},
        "max_output_tokens": 100,
        "reasoning.context": "current_turn",
        "background_options.completion_window": "soonest",
    },
    "responses": {
        "messages": [{"role": "user", "content": "Go"}],
        "tools": [FUNCTION],
        "functions": [{"name": "f"}],
        "web_search_options": {},
        "tool_choice": "required",
        "function_call": {"name": "f"},
        "parallel_tool_calls": False,
        "include": ["message.output_text.logprobs"],
        "logprobs": True,
        "top_logprobs": 2,
        "response_format": {"type": "json_object"},
        "stop": "END",
        "n": 2,
        "max_completion_tokens": 100,
        "max_tokens": 100,
        "max_output_tokens": 100,
        "text.format": {"type": "json_object"},
        "stream_options.include_usage": True,
    },
}
"""What a field has to hold in order to say something; others hold a word."""
BESIDE = {
    "tool_choice": "tools",
    "parallel_tool_calls": "tools",
    "function_call": "functions",
    "top_logprobs": "logprobs",
    "instructions": "input",
}
CONVERT = {"chat": request.to_chat, "responses": request.to_responses}
SILENT = {"reasoning.context", "max_tool_calls", "background_options.completion_window"}
"""They say something about what is not in the request."""
PROFILES = [
    *PRESETS.values(),
    Profile(
        name="odd",
        renamed={"temperature": "t", "tools": "x.tools", "logprobs": "lp"},
        unsupported=frozenset({"top_logprobs"}),
    ),
    Profile(
        name="extras", responses_extras=frozenset({"stop", "n", "seed"}), responses_unsupported=frozenset({"tools"})
    ),
]


def rows_of(goal: Goal) -> list[tuple[str, str | None, Way]]:
    """The name of each field, its name in *goal*, and what becomes of it."""
    named = [
        (row.responses, row.chat, row.to_chat) if goal == "chat" else (row.chat, row.responses, row.to_responses)
        for row in REQUEST
    ]
    return [(name or target or "", target if name else None, way) for name, target, way in named if way]


@pytest.mark.parametrize("goal", ["chat", "responses"])
@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_the_table_says_what_happens(profile: Profile, goal: Goal) -> None:
    """For every field and profile: it arrives where FIELDS.md says, or it is reported or refused."""
    samples = SAMPLES[goal]
    least = {"input": "Go"} if goal == "chat" else {"messages": samples["messages"]}
    for name, target, way in rows_of(goal):
        arrives, words = fate(name, target, way, goal, profile)
        given: dict[str, Any] = {"model": "m", **(least if name != "input" else {})}
        beside = BESIDE.get(name)
        for field in filter(None, (beside if beside in samples or beside == "input" else None, name)):
            put(given, field, samples.get(field, "word"))
        if name == "stream":
            given["stream"] = True
        report = Report()
        try:
            made = CONVERT[goal](given, profile=profile, report=report)
        except RequestError:
            assert "**refused**" in words, name
            continue
        if name == "store" and not profile.stores:
            assert goal == "chat" or made["store"] is False
            continue
        if name == "functions" and not profile.takes("parallel_tool_calls", "responses"):
            assert "functions" in {loss.path for loss in report}  # that there is one call at most is not said
            continue
        lost = {loss.path.split("[")[0] for loss in report if loss.kind == "dropped"}
        if arrives is not None:
            assert within(made, arrives) is not None, f"{name} does not arrive at {arrives}"
        elif name not in SILENT:
            assert name in lost, f"{name} is not reported"
        assert (name in lost) == (words.startswith(("not sent", "**lost**")) or "dropped offline" in words), name


def within(body: Any, path: str) -> Any:
    """What stands at a dotted path."""
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def test_fields_of_a_profile() -> None:
    """What an upstream knows under another name, and what it does not take, is told for any profile."""
    default, openai = list(fields_as_markdown()), list(fields_as_markdown("openai"))
    assert "| `max_output_tokens` | `max_tokens` | as is |" in default
    assert "| `max_output_tokens` | `max_completion_tokens` | as is |" in openai
    assert "| `text.verbosity` |  | not sent (reported) |" in default
    assert "| `text.verbosity` | `verbosity` | as is |" in openai
    assert any("the profile `openai`" in line for line in openai)
    taking = Profile(responses_extras=frozenset({"stop"}), responses_unsupported=frozenset({"text"}))
    lines = list(fields_as_markdown(taking))
    assert "| `stop` | `stop` | the upstream supports it |" in lines
    assert "| `response_format` |  | not sent (reported) |" in lines
    with pytest.raises(ValueError, match="unknown profile 'opnai'"):
        list(fields_as_markdown("opnai"))


@pytest.mark.parametrize("name", ["stop", "n", "stream_options.include_usage", "metadata"])
def test_fields_md_says_what_is_emulated_where(name: str) -> None:
    """Live it is emulated, offline dropped."""
    lines = [line for line in fields_as_markdown() if line.startswith(f"| `{name}` |  |")]
    assert ["emulated live: " in line and "; dropped offline: " in line for line in lines].count(True) == 1
