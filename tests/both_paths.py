"""What the tests of the fast path of requests share: one request through both paths, and requests that are usual."""

import copy
import itertools
import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st

from diglot.translator import Exchange, ServeChat, ServeResponses, TranslationError, encode_json, fast_path
from diglot.translator.errors import UntranslatableError

Body = dict[str, Any]
Serve = type[ServeResponses] | type[ServeChat]

COMPLETION = {
    "id": "c1",
    "created": 7,
    "model": "m",
    "choices": [
        {
            "message": {
                "role": "assistant",
                "content": "Hello.",
                "reasoning_content": "Hm.",
                "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            "finish_reason": "tool_calls",
        }
    ],
}
FINISHED = {
    "id": "resp_1",
    "object": "response",
    "created_at": 7,
    "model": "m",
    "status": "completed",
    "output": [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
    ],
    "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
}
CHAT_PATHS = ("messages[0].content", "messages[2].tool_calls[0].function.name", "tools[0].function.name", "stop")
RESPONSES_PATHS = ("input[0].content", "input[2].name", "tools[0].name", "max_output_tokens")


def outcome(serve: Serve, body: Any, general: bool = False, **settings: Any) -> tuple[Any, bool]:
    """All that comes of a request, or its error; and whether the fast path took it."""
    direction = "to_chat" if serve is ServeResponses else "to_responses"
    take: Callable[..., Any] = getattr(fast_path, direction)
    taken: list[bool] = []

    def tell(*about: Any) -> Any:
        made = None if general else take(*about)
        taken.append(made is not None)
        return made

    with patch.object(fast_path, direction, tell):
        ids = (f"id_{n}" for n in itertools.count())
        try:
            exchange = serve(body, new_id=lambda _: next(ids), clock=lambda: 7.0, **settings)
        except UntranslatableError as error:
            return ("refused", str(error), error.losses), any(taken)
        except TranslationError as error:
            return (type(error).__name__, error.body(), error.status), any(taken)
        return _said(exchange), any(taken)


def _said(exchange: Exchange) -> Any:
    made = [exchange.request, exchange.copies, exchange.streaming, exchange.manages_context]
    losses = list(exchange.report)
    is_chat = isinstance(exchange, ServeChat)
    paths = RESPONSES_PATHS if is_chat else CHAT_PATHS
    places = [exchange.caller_path(path) for path in paths]
    answer = exchange.answer(FINISHED if is_chat else COMPLETION)
    refusals = [exchange.learned(400, json.dumps({"error": {"message": text}}).encode()) for text in REFUSALS]
    exchange.stream()
    exchange.release()
    later = [encode_json(exchange.request), exchange.caller_path(paths[0])]
    return encode_json(made), losses, exchange.report.header(), places, encode_json(answer), refusals, later


REFUSALS = ("Unsupported parameter: 'store'", "Unsupported parameter: 'include'", "tool_choice is not supported")

# Usual requests, and what may be wrong with them

TEXT = st.sampled_from(["", "Hello", "a\u00e9\U0001f600", "{}", '{"a": 1}', "[1]", "\n"])
ID = st.sampled_from(["call_1", "call_2", "call_3", "c" * 70])
NAME = st.sampled_from(["f", "get_weather", "a.b", "x" * 70])
JUNK = st.sampled_from(
    [None, "", "x", 0, 1, 2.5, True, False, [], {}, [1], ["x"], {"x": 1}, [{"x": []}], "call_1", "m"]
)


def record(required: dict[str, Any], **optional: Any) -> Any:
    return st.fixed_dictionaries(required, optional=optional)


@st.composite
def damaged(draw: Any, bodies: Any, extra: list[str]) -> Body:
    """A request in which something may be missing, or be something else, or be too much."""
    body = copy.deepcopy(draw(bodies))
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        owner = draw(st.sampled_from(list(_owners(body))))
        keys = list(range(len(owner))) if isinstance(owner, list) else [*owner, *extra]
        if not keys:
            continue
        key = draw(st.sampled_from(keys))
        if isinstance(owner, dict) and draw(st.booleans()):
            owner.pop(key, None)
        else:
            owner[key] = copy.deepcopy(draw(JUNK))
    return body


def _owners(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _owners(inner)
