"""The shapes that type checkers are told are those that come out: every golden case is held against them."""

from pathlib import Path
from types import UnionType
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

import diglot
from diglot.translator import TranslationError, fields
from diglot.translator.mapping import HANDED_ON
from diglot.translator.wire import types

from golden_files import load, profile_of, sse

GOLDEN = Path(__file__).parents[2] / "golden"


def cases(kind: str) -> Any:
    files = sorted(GOLDEN.glob(f"*/{kind}/**/*.json"))
    return pytest.mark.parametrize("path", files, ids=[f"{f.relative_to(GOLDEN).parts[0]}-{f.stem}" for f in files])


def misfits(value: Any, kind: Any, path: str = "$") -> list[str]:
    """Return where *value* is not what *kind* says; fields that no TypedDict lists are fine."""
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return []
    if origin in (Required, NotRequired):
        return misfits(value, args[0], path)
    if origin in (Union, UnionType):
        return min((misfits(value, one, path) for one in args), key=len)
    if origin is Literal:
        return [] if value in args else [f"{path}: {value!r} is none of {args}"]
    if origin is list and isinstance(value, list):
        return [found for i, one in enumerate(value) for found in misfits(one, args[0], f"{path}[{i}]")]
    if origin is dict and isinstance(value, dict):
        return [found for name, one in value.items() for found in misfits(one, args[1], f"{path}.{name}")]
    if is_typeddict(kind) and isinstance(value, dict):
        hints = get_type_hints(kind)
        missing = [f"{path}.{name} is missing" for name in kind.__required_keys__ if name not in value]
        known = [name for name in value if name in hints]
        return missing + [found for name in known for found in misfits(value[name], hints[name], f"{path}.{name}")]
    plain = (int, float) if kind is float else origin or kind
    return [] if not is_typeddict(plain) and isinstance(value, plain) else [f"{path}: {value!r} is no {kind}"]


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        ({"type": "refusal", "refusal": 1}, types.OutputText | types.Refusal, ["$.refusal: 1 is no <class 'str'>"]),
        ({"type": "refusal"}, types.Refusal, ["$.refusal is missing"]),
        ([1, "a"], list[int], ["$[1]: 'a' is no <class 'int'>"]),
        ({"a": None}, dict[str, int | None], []),
    ],
)
def test_the_measure(value: Any, kind: Any, found: list[str]) -> None:
    """What does not fit is found."""
    assert misfits(value, kind) == found


@cases("request")
def test_requests(path: Path) -> None:
    """What is made of a request has the shape of the other dialect."""
    case = load(path)
    is_chat = "serve_responses" in path.parts
    convert, kind = (
        (diglot.chat_request, types.ChatRequest) if is_chat else (diglot.responses_request, types.ResponsesRequest)
    )
    try:
        made, _ = convert(case["given"], profile=profile_of(case))
    except TranslationError:
        return
    assert misfits(made, kind) == []


@cases("answer")
def test_answers(path: Path) -> None:
    """Whatever the upstream sends, the answer has the shape of its dialect."""
    case = load(path)
    is_chat = "serve_chat" in path.parts
    finished = case["given"]["response" if is_chat else "completion"]
    convert, kind = (
        (diglot.chat_answer, types.ChatAnswer) if is_chat else (diglot.responses_answer, types.ResponsesAnswer)
    )
    try:
        made, _ = convert(finished, request=case["given"]["asked"], profile=profile_of(case))
    except TranslationError:
        return
    assert misfits(made, kind) == []


@cases("stream")
def test_streams(path: Path) -> None:
    """So have its events."""
    case = load(path)
    is_chat = "serve_chat" in path.parts
    convert, kind = (
        (diglot.chat_stream, types.ChatEvent) if is_chat else (diglot.responses_stream, types.ResponsesEvent)
    )
    try:
        events: list[Any] = [*convert(sse(case["given"]), request=case["given"]["asked"], profile=profile_of(case))]
    except TranslationError:
        return
    assert [found for event in events for found in misfits(event, kind)] == []


CHAT_ONLY = set("n modalities audio seed prediction logit_bias presence_penalty frequency_penalty".split())
"""What rows know to be no field of the Responses API."""


def heads(paths: list[str | None]) -> set[str]:
    return {path.split(".")[0].split("[")[0] for path in paths if path}


@pytest.mark.parametrize(
    ("kind", "listed"),
    [
        (
            types.ChatRequest,
            heads([row.chat for row in fields.REQUEST if row.to_responses is not HANDED_ON]) - {"background"},
        ),
        (
            types.ResponsesRequest,
            heads([row.responses for row in fields.REQUEST if row.to_chat is not HANDED_ON]) - CHAT_ONLY,
        ),
        (types.ChatAnswer, heads([field.name for field in fields.COMPLETION]) | {"metadata"}),
        (types.ResponsesAnswer, {field.name for field in fields.ANSWER} | {"user", "moderation"}),
    ],
)
def test_they_have_the_fields_of_the_tables(kind: Any, listed: set[str]) -> None:
    """All of them, and no others."""
    assert set(get_type_hints(kind)) == listed
