"""Answers and streams are translated in linear time: every event, delta, field and part, in both directions.

The cases are held against the tables of the code: what is new there needs one here. For requests: tests/test_linear.py.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from diglot.translator import Profile, ServeChat, ServeResponses
from diglot.translator.parts import calls, reasoning
from diglot.translator.stream.to_chat import events as to_chat_events
from diglot.translator.stream.to_chat import item_parts, output_reader
from diglot.translator.stream.to_chat import transducer as to_chat_transducer
from diglot.translator.stream.to_chat.fast_path import _DeltaEvent
from diglot.translator.stream.to_responses import choice_writer as to_responses_choices
from diglot.translator.stream.to_responses.fast_path import _Chunk, _Delta

from costs import assert_linear

LONG = "x" * 300
Body = dict[str, Any]
Chunks = Callable[[int], list[Body]]
Cases = dict[str, Chunks]
TOOLS = [{"type": "function", "name": "f"}, {"type": "custom", "name": "c"}, {"type": "shell"}]
MARKUP = Profile(markup=frozenset({"think", "tool_call"}))


def keys_of(cases: Cases) -> set[str]:
    return {name.split(", ")[0] for name in cases}


def each(cases: Cases) -> Any:
    return pytest.mark.parametrize("make", cases.values(), ids=cases)


def ids() -> Callable[[str], str]:
    count = itertools.count()
    return lambda prefix: f"{prefix}_{next(count)}"


def for_responses(profile: Profile) -> ServeResponses:
    asked = {"model": "m", "input": "Go", "stream": True, "tools": TOOLS, "include": ["reasoning.encrypted_content"]}
    return ServeResponses(asked, profile=profile, new_id=ids(), clock=lambda: 1.0)


def for_chat(**more: Any) -> ServeChat:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Go"}], "stream": True, **more}
    return ServeChat(asked, new_id=ids(), clock=lambda: 1.0)


def fed(exchange: Any, events: list[Body], in_bytes: bool) -> Callable[[], Any]:
    """Feed the stream as decoded events, or as bytes, which may take the fast path."""
    if not in_bytes:
        transducer = exchange.transducer()

        def feed() -> None:
            for event in events:
                if not transducer.ended:
                    transducer.feed(event)
            if not transducer.ended:
                transducer.finish(clean=True)
            assert transducer.answer

        return feed
    stream, reads = exchange.stream(), [_sse(event) for event in events]

    def read() -> None:
        for data in reads:
            stream.feed(data)
        if not stream.ended:
            stream.finish()
        assert stream.answer

    return read


def _sse(event: Body) -> bytes:
    name = f"event: {event['type']}\n".encode() if "type" in event else b""
    return name + b"data: " + json.dumps(event).encode() + b"\n\n"


def streamed(make: Chunks, serving: Callable[[], Any], in_bytes: bool = False) -> None:
    assert_linear(lambda n: fed(serving(), make(n), in_bytes))


# --- chat streams


def chunk(delta: Any = None, **more: Any) -> Body:
    choice = {"index": 0, "delta": delta or {}, **{k: more.pop(k) for k in CHOICE_FIELDS if k in more}}
    return {"choices": [choice], **more}


def chunks(delta: Any, **more: Any) -> Chunks:
    """So many chunks with a delta, or with what a function makes of their numbers."""
    return lambda n: [chunk(delta(i) if callable(delta) else delta, **more) for i in range(n)]


def after(first: Body, make: Chunks) -> Chunks:
    return lambda n: [first, *make(n)]


def ending(make: Chunks, reason: str = "stop") -> Chunks:
    return lambda n: [*make(n), chunk(finish_reason=reason)]


def part_of_call(index: Any, name: Any = None, arguments: Any = None, **more: Any) -> Body:
    return {"tool_calls": [{"index": index, "function": {"name": name, "arguments": arguments}, **more}]}


CHOICE_FIELDS = {"finish_reason", "logprobs", "error", "message", "index", "text"}
TOKEN = {"token": "x", "logprob": -1, "top_logprobs": [{"token": LONG, "logprob": -1}]}
CITED = {"type": "url_citation", "url_citation": {"url": LONG, "title": "t", "start_index": 0, "end_index": 1}}
DETAIL = {"type": "reasoning.text", "index": 0, "text": LONG}
RESULT = {"flagged": True, "categories": {"a": True}}

DELTAS: Cases = {
    "content": chunks({"content": LONG}),
    "content, parts": chunks({"content": [{"text": LONG}, {"refusal": LONG}, {"type": "image"}] * 3}),
    "content, thoughts": chunks({"content": [{"type": "thinking", "thinking": [{"text": LONG}]}]}),
    "content, one chunk": lambda n: [chunk({"content": [{"text": LONG}] * n})],
    "refusal": chunks({"refusal": LONG}),
    "annotations": after(chunk({"content": "x"}), chunks({"annotations": [CITED]})),
    "annotations, early": chunks({"annotations": [CITED, {"type": "other"}]}),
    "annotations, by turns": chunks(lambda i: {"annotations": [CITED]} if i % 2 else {"content": LONG}),
    "tool_calls": after(chunk(part_of_call(0, "f", "", id="a")), chunks(part_of_call(0, None, LONG))),
    "tool_calls, many": chunks(lambda i: part_of_call(i, "f", '{"a":1}', id=f"c{i}")),
    "tool_calls, by turns": chunks(lambda i: part_of_call(i % 50, "f" if i < 50 else None, LONG, id=f"c{i % 50}")),
    "tool_calls, one index": chunks(lambda i: part_of_call(0, "f", '{"a":1}', id=f"c{i}")),
    "tool_calls, one id": chunks(lambda i: part_of_call(i, "f", '{"a":1}', id="c")),
    "tool_calls, no index": chunks(lambda i: part_of_call(None, "f", '{"a":1}')),
    "tool_calls, no id": chunks(lambda i: part_of_call(0, "f", "{" + LONG + "}")),
    "tool_calls, name and braces": after(
        chunk(part_of_call(0, "f", '{"a":[', id="c")), chunks(part_of_call(0, "f", "{}"))
    ),
    "tool_calls, name and strings": after(
        chunk(part_of_call(0, "f", '{"a":"', id="c")), chunks(part_of_call(0, "f", '{\\"}'))
    ),
    "tool_calls, nameless": chunks(lambda i: part_of_call(i, None, LONG, id=f"c{i}")),
    "tool_calls, signed": chunks(lambda i: part_of_call(i, "f", "{}", id=f"c{i}", extra_content={"a": LONG})),
    "tool_calls, objects": chunks(lambda i: part_of_call(i, "f", {"a": LONG}, id=f"c{i}")),
    "tool_calls, again": after(
        chunk(part_of_call(0, "f", '{"a":"' + LONG * 9 + '"}', id="a")), chunks(part_of_call(0, None, '{"a":1}'))
    ),
    "tool_calls, repeated": chunks(part_of_call(0, "f", '{"a":1}', id="a")),
    "tool_calls, placeholders": chunks(lambda i: part_of_call(i % 9, "f", "{}", id=f"a{i % 9}")),
    "tool_calls, twins": chunks(lambda i: {**part_of_call(i, "f", "{}"), "function_call": {"name": "f"}}),
    "tool_calls, built in": after(chunk(part_of_call(0, "shell", "", id="a")), chunks(part_of_call(0, None, LONG))),
    "tool_calls, wrapped": after(
        chunk(part_of_call(0, "c", '{"input":"', id="a")), chunks(part_of_call(0, None, LONG + "\\n\\u00e9"))
    ),
    "tool_calls, wrapped blanks": after(
        chunk(part_of_call(0, "c", "", id="a")), chunks(part_of_call(0, None, " " * 50))
    ),
    "tool_calls, wrapped bytes": after(
        chunk(part_of_call(0, "c", '{"input":"', id="a")), chunks(lambda i: part_of_call(0, None, "\\u00e9"[i % 6]))
    ),
    "tool_calls, wrapped others": after(
        chunk(part_of_call(0, "c", "{", id="a")), chunks(part_of_call(0, None, '"in"'))
    ),
    "tool_calls, free": chunks({"tool_calls": [{"index": 0, "id": "a", "custom": {"name": "c", "input": LONG}}]}),
    "tool_calls, one chunk": lambda n: [
        chunk({"tool_calls": [part_of_call(i, "f", LONG)["tool_calls"][0] for i in range(n)]})
    ],
    "function_call": chunks({"function_call": {"name": "f", "arguments": LONG}}),
    "function_call, braces": chunks({"function_call": {"name": "f", "arguments": "{"}}),
    **{name: chunks({name: LONG}) for name in reasoning.TEXT_FIELDS},
    "reasoning_content, by turns": chunks(lambda i: {"content" if i % 2 else "reasoning_content": LONG}),
    "reasoning_content, late": chunks({"reasoning_content": LONG, "content": LONG, "refusal": LONG}),
    "reasoning_details": chunks({"reasoning_details": [DETAIL]}),
    "reasoning_details, many": chunks(lambda i: {"reasoning_details": [{**DETAIL, "index": i}]}),
    "reasoning_details, one chunk": lambda n: [
        chunk({"reasoning_details": [{**DETAIL, "index": i} for i in range(n)]})
    ],
    "reasoning_opaque": chunks({"reasoning_opaque": LONG}),
    "thinking_blocks": chunks({"thinking_blocks": [{"type": "thinking", "thinking": LONG}]}),
    "thinking_blocks, signed": chunks({"thinking_blocks": [{"type": "thinking", "thinking": "x", "signature": LONG}]}),
    "thinking_blocks, unsigned": chunks({"thinking_blocks": [{"type": "thinking", "thinking": "x", "signature": ""}]}),
    "error": after(chunk({"content": "x"}), lambda n: [chunk({"error": {"message": LONG * n}})]),
    "unknown": chunks(lambda i: {f"field {i}": LONG}),
}
CHUNKS: Cases = {
    "usage": chunks({"content": "x"}, usage={"prompt_tokens": 1, "completion_tokens": 1, "more": LONG}),
    "service_tier": lambda n: [chunk({"content": "x"}, service_tier=f"tier {i % 2}") for i in range(n)],
    "moderation": chunks({"content": "x"}, moderation={"input": {"results": [RESULT]}}),
    "moderation, many results": lambda n: [
        chunk({"content": "x"}, moderation={"input": {"results": [{"categories": {f"a{i}": True}} for i in range(n)]}})
    ],
    "citations": chunks({"content": "x"}, citations=[LONG, {"url": LONG}]),
    "search_results": chunks({"content": "x"}, search_results=[{"url": LONG, "title": LONG}]),
    "search_results, many": lambda n: [
        chunk({"content": "x"}, search_results=[{"url": f"{LONG}{i}"} for i in range(n)])
    ],
    "citations, many": lambda n: [chunk({"content": "x"}, citations=[LONG] * n)],
    "x_groq": chunks({"content": "x"}, x_groq={"usage": {"prompt_tokens": 1}}),
    "error": lambda n: [chunk({"content": "x"}), {"error": {"message": LONG * n}}],
    "choices": lambda n: [{"choices": [{"index": i % 2, "delta": {"content": LONG}} for i in range(n)]}],
    "choices, others": lambda n: [{"choices": [], "field": LONG}] * n,
    "logprobs": chunks({"content": "x"}, logprobs={"content": [TOKEN]}),
    "logprobs, early": chunks({}, logprobs={"content": [TOKEN]}),
    "logprobs, one chunk": lambda n: [chunk({"content": "x"}, logprobs={"content": [TOKEN] * n})],
    "finish_reason": chunks({"content": LONG}, finish_reason="stop"),
    "finish_reason, worse": lambda n: [chunk({"content": LONG}, finish_reason=r) for r in ("stop", "length") * n],
    "message": chunks(None, message={"content": LONG, "tool_calls": part_of_call(0, "f", LONG)["tool_calls"]}),
    "message, growing": chunks({"content": LONG}, message={"content": LONG}),
    "message, behind it all": lambda n: [chunk({"content": LONG})] * n + [chunk(message={"content": LONG})] * n,
    "message, by turns": lambda n: [
        chunk(message={"content" if i % 2 else "refusal": LONG, "reasoning": LONG}) for i in range(n)
    ],
    "message, calls": lambda n: (
        [chunk(part_of_call(0, "f", "{}", id="a"))]
        + [chunk(message=part_of_call(i, "f", LONG, id=f"c{i}")) for i in range(n)]
    ),
    "text": chunks(None, text=LONG),
    "usage, in the choice": chunks({"content": "x"}, usage={"prompt_tokens": "1"}),
    "index": chunks({"content": LONG}, index=1),
    "delta": chunks({"role": "assistant", "name": LONG, "tool_call_id": LONG}),
    **{name: (lambda n, name=name: [{**chunk({"content": "x"}), name: LONG * n}]) for name in ("model", "id")},
    "created": lambda n: [{**chunk({"content": "x"}), "created": 10 ** min(n, 4_000)}],
}
TAGS = "<tool_call>{}</tool_call>"
MARKED: Cases = {
    "blanks": chunks({"content": " " * 100}),
    "thought": after(chunk({"content": " <think>"}), chunks({"content": LONG + "<"})),
    "behind a thought": after(chunk({"content": "<think></think>"}), chunks({"content": " " * 100})),
    "many tags": chunks({"content": TAGS}),
    "many tags in one piece": lambda n: [chunk({"content": TAGS * n})],
    "open tag": after(chunk({"content": "<tool_call>"}), chunks({"content": LONG + "</tool"})),
    "half tags": chunks({"content": "<tool_" + LONG}),
    "no tags": chunks({"content": LONG}),
}


def test_every_delta_has_a_case() -> None:
    """A field of a delta, a choice or a chunk without one would be a new way to be slow."""
    assert keys_of(DELTAS) - {"unknown"} == to_responses_choices.DELTAS.keys() | reasoning.FIELDS
    read = {*_Chunk.__struct_fields__, *CHOICE_FIELDS}
    assert keys_of(CHUNKS) >= read
    assert keys_of(DELTAS) | {"role", "audio"} >= set(_Delta.__struct_fields__)


@each(DELTAS)
def test_deltas(make: Chunks) -> None:
    """However many, whatever is in them, however they belong together."""
    streamed(ending(make), lambda: for_responses(Profile()))


@each(CHUNKS)
def test_chunks(make: Chunks) -> None:
    """What else a chunk says."""
    streamed(ending(make), lambda: for_responses(Profile(reasoning_expose="both")))


@each(MARKED)
def test_markup(make: Chunks) -> None:
    """Tags are looked for in every piece once."""
    streamed(ending(make), lambda: for_responses(MARKUP))


@pytest.mark.parametrize("reason", [None, "length", "tool_calls", "error"])
def test_many_open_calls_at_the_end(reason: Any) -> None:
    """However the answer ends, each is looked at once."""
    make = chunks(lambda i: part_of_call(i, "f", "{" + LONG, id=f"c{i}"))
    streamed(ending(make, reason), lambda: for_responses(Profile()))


@pytest.mark.parametrize(
    "name",
    ["content", "reasoning_content", "reasoning", "tool_calls", "tool_calls, wrapped", "tool_calls, wrapped bytes"],
)
def test_the_fast_path(name: str) -> None:
    """From bytes to bytes, where pieces take the short way."""
    streamed(ending(DELTAS[name]), lambda: for_responses(Profile()), in_bytes=True)


@pytest.mark.parametrize("name", ["logprobs", "service_tier", "choices, others"])
def test_chunks_in_bytes(name: str) -> None:
    """With what else they say."""
    streamed(ending(CHUNKS[name]), lambda: for_responses(Profile()), in_bytes=True)


def whole(make: Chunks) -> Chunks:
    """What chunks say, as the message of one finished answer."""

    def message(n: int) -> list[Body]:
        said: Body = {}
        for each_chunk in make(n):
            for name, value in (each_chunk["choices"] or [{}])[0].get("delta", {}).items():
                said[name] = said[name] + value if isinstance(value, (str, list)) and name in said else value
        return [{"choices": [{"index": 0, "message": said, "finish_reason": "stop"}]}]

    return message


@each(DELTAS)
def test_finished_answers(make: Chunks) -> None:
    """The same, said at once."""
    finished = whole(make)
    assert_linear(lambda n: lambda body=finished(n)[0]: for_responses(Profile()).answer(body))


# --- Responses streams


def event(kind: str, **more: Any) -> Body:
    return {"type": kind, **more}


def events(kind: str, **more: Any) -> Chunks:
    """So many events; what is a function is called with their numbers."""
    return lambda n: [event(kind, **{k: v(i) if callable(v) else v for k, v in more.items()}) for i in range(n)]


def each_in(kind: str, item: Callable[[int], Body]) -> Chunks:
    return events(kind, output_index=lambda i: i, item=item)


def text_part(text: str = LONG, **more: Any) -> Body:
    return {"type": "output_text", "text": text, **more}


def message(i: Any, **more: Any) -> Body:
    return {"type": "message", "id": f"m{i}", "status": "completed", "content": [text_part()], **more}


def thinking(i: int) -> Body:
    summary = [{"type": "summary_text", "text": LONG}]
    return {"type": "reasoning", "id": f"r{i}", "summary": summary, "encrypted_content": LONG}


def call(i: Any, kind: str = "function_call", **more: Any) -> Body:
    return {"type": kind, "id": f"f{i}", "call_id": f"c{i}", "name": "f", "namespace": "n", **more}


def by_turns(*makes: Chunks) -> Chunks:
    return lambda n: [e for row in itertools.zip_longest(*(make(n) for make in makes)) for e in row if e]


D = "response.output_text.delta"
AT = {"output_index": 0, "content_index": 0}
SUMMARY = "response.reasoning_summary_text"
ITEMS: dict[str, Callable[[int], Body]] = {
    "message": message,
    "message, cited": lambda i: message(i, content=[text_part(annotations=[{"url": LONG}] * 3, logprobs=[TOKEN])]),
    "message, cut": lambda i: message(i, status="incomplete"),
    "message, error": lambda i: message(i, error={"message": LONG}),
    "reasoning": thinking,
    "call": lambda i: call(i, arguments=LONG),
    "call, one name": lambda i: call("x", arguments=LONG),
    "image_generation_call": lambda i: {"type": "image_generation_call", "id": f"i{i}", "result": LONG},
    "other": lambda i: {"type": f"vendor:{i}", "text": LONG},
    **{kind: (lambda i, kind=kind: {"type": kind, "text": LONG, "refusal": LONG}) for kind in item_parts.TEXTS},
    **{
        kind: (
            lambda i, kind=kind: call(i, kind, arguments="{}", input=LONG, action={"a": LONG}, operation={"a": LONG})
        )
        for kind in calls.CALLS
    },
}

FEW = ("message, cited", "reasoning", "call", "other")

EVENTS: Cases = {
    **{
        f"response.output_item.done, {name}": each_in("response.output_item.done", item) for name, item in ITEMS.items()
    },
    **{f"response.output_item.added, {name}": each_in("response.output_item.added", ITEMS[name]) for name in FEW},
    "response.output_item.done, parts": lambda n: [
        *[event(D, output_index=0, content_index=i, delta=LONG) for i in range(n)],
        event("response.output_item.done", output_index=0, item=message(0, content=[text_part() for _ in range(n)])),
    ],
    "response.output_item.done, twins": lambda n: [
        *[event(D, output_index=0, item_id="m0", content_index=i, delta=LONG) for i in range(n)],
        event("response.output_item.done", output_index=0, item=message(0, content=[text_part() for _ in range(n)])),
        event("response.output_item.added", output_index=1, item={**message(0), "content": []}),
        event("response.output_item.done", output_index=1, item=message(0, content=[text_part() for _ in range(n)])),
    ],
    "response.content_part.done": by_turns(
        events(D, output_index=0, content_index=lambda i: i, delta=LONG),
        events("response.content_part.done", output_index=0, content_index=lambda i: i, part=text_part()),
    ),
    "response.content_part.added": events("response.content_part.added", **AT, part=text_part()),
    "response.content_part.added, items": events(
        "response.content_part.added", output_index=lambda i: i, content_index=0, part=text_part()
    ),
    "response.content_part.added, counted": lambda n: [
        event("response.content_part.added", **AT, part=text_part("")),
        *events(D, output_index=0, content_index=lambda i: i, delta=LONG)(n),
        *events("response.output_text.done", output_index=0, content_index=lambda i: i, text=LONG)(n),
    ],
    "response.content_part.added, repeated": lambda n: [
        event("response.content_part.added", **AT, part=text_part(LONG * n)),
        *events(D, **AT, delta=LONG)(n),
    ],
    "response.reasoning_part.added": events(
        "response.reasoning_part.added",
        output_index=0,
        content_index=lambda i: i,
        part={"type": "reasoning_text", "text": LONG},
    ),
    "response.reasoning_part.done": events(
        "response.reasoning_part.done",
        output_index=0,
        content_index=lambda i: i,
        part={"type": "reasoning_text", "text": LONG},
    ),
    "response.reasoning_summary_part.added": events(
        "response.reasoning_summary_part.added",
        output_index=0,
        summary_index=lambda i: i,
        part={"type": "summary_text", "text": LONG},
    ),
    "response.output_item.done, one big call": lambda n: [
        event("response.output_item.done", output_index=0, item=call("x", arguments=f'{{"a":"{LONG * n}"}}')),
        *each_in("response.output_item.done", lambda i: call("x", arguments=f'{{"a":{i}}}'))(n),
    ],
    "response.output_item.done, elsewhere": lambda n: [
        event(D, **AT, delta=LONG * n),
        *events("response.output_item.done", output_index=lambda i: i + 1, item={"type": "message", "content": "x"})(n),
    ],
    D: events(D, **AT, delta=LONG, logprobs=[TOKEN]),
    f"{D}, parts": events(D, output_index=0, content_index=lambda i: i, delta=LONG),
    f"{D}, items": events(D, output_index=lambda i: i, content_index=0, delta=LONG),
    f"{D}, by turns": events(D, output_index=lambda i: i % 50, content_index=0, delta=LONG),
    f"{D}, nowhere": events(D, delta=LONG),
    f"{D}, only tokens": events(D, output_index=lambda i: i, delta="", logprobs=[TOKEN]),
    f"{D}, behind its end": lambda n: [
        event(D, **AT, delta="x"),
        event("response.output_text.done", **AT, text="x"),
        *events(D, **AT, delta=LONG)(n),
    ],
    "response.output_text.done": events("response.output_text.done", **AT, text=LONG),
    "response.output_text.done, parts": by_turns(
        events(D, output_index=0, content_index=lambda i: i, delta=LONG),
        events("response.output_text.done", output_index=0, content_index=lambda i: i, text=LONG + "y"),
    ),
    "response.output_text.annotation.added": lambda n: [
        event(D, **AT, delta=LONG),
        *events("response.output_text.annotation.added", **AT, annotation_index=lambda i: i, annotation={"url": LONG})(
            n
        ),
    ],
    "response.output_text.annotation.added, shown often": by_turns(
        events(D, **AT, delta=LONG),
        events("response.output_text.annotation.added", **AT, annotation_index=lambda i: i, annotation={"url": LONG}),
        each_in("response.output_item.done", lambda i: thinking(i + 1)),
    ),
    "response.refusal.delta": events("response.refusal.delta", **AT, delta=LONG),
    "response.refusal.delta, by turns": events("response.refusal.delta", output_index=lambda i: i % 50, delta=LONG),
    "response.refusal.done": events("response.refusal.done", output_index=lambda i: i, refusal=LONG),
    **{
        f"response.{name}.delta": events(f"response.{name}.delta", output_index=0, content_index=0, delta=LONG)
        for name in ("reasoning_text", "reasoning", "audio", "audio.transcript")
    },
    **{
        f"response.{name}.done": by_turns(
            events(f"response.{name}.delta", output_index=0, content_index=lambda i: i, delta=LONG),
            events(f"response.{name}.done", output_index=0, content_index=lambda i: i, text=LONG),
        )
        for name in ("reasoning_text", "reasoning")
    },
    f"{SUMMARY}.delta": events(f"{SUMMARY}.delta", output_index=0, summary_index=0, delta=LONG),
    f"{SUMMARY}.delta, parts": events(
        f"{SUMMARY}.delta", output_index=lambda i: i % 7, summary_index=lambda i: i, delta=LONG
    ),
    f"{SUMMARY}.done": events(f"{SUMMARY}.done", output_index=0, summary_index=lambda i: i, text=LONG),
    "response.reasoning_summary_part.done": events(
        "response.reasoning_summary_part.done",
        output_index=0,
        summary_index=lambda i: i,
        part={"type": "summary_text", "text": LONG},
    ),
}
for _kind, _field in (("function_call_arguments", "arguments"), ("custom_tool_call_input", "input")):
    _added = event("response.output_item.added", output_index=0, item=call(0, _kind.rpartition("_")[0]))
    EVENTS |= {
        f"response.{_kind}.delta": after(_added, events(f"response.{_kind}.delta", output_index=0, delta=LONG)),
        f"response.{_kind}.delta, by turns": events(
            f"response.{_kind}.delta", output_index=lambda i: i % 50, delta=LONG
        ),
        f"response.{_kind}.delta, new": events(f"response.{_kind}.delta", output_index=lambda i: i, delta=LONG),
        f"response.{_kind}.done": after(_added, events(f"response.{_kind}.done", output_index=0, **{_field: LONG})),
        f"response.{_kind}.done, many": by_turns(
            each_in("response.output_item.added", lambda i: call(i)),
            events(f"response.{_kind}.delta", output_index=lambda i: i, delta=LONG),
            events(f"response.{_kind}.done", output_index=lambda i: i, **{_field: LONG}),
        ),
    }

SNAPSHOT = {"id": "resp_1", "model": "m", "metadata": {"a": LONG}, "usage": {"input_tokens": 1}, "service_tier": LONG}
ABOUT: Cases = {
    **{
        f"response.{name}": events(f"response.{name}", response=SNAPSHOT)
        for name in ("created", "queued", "in_progress")
    },
    **{
        f"response.{name}": lambda n, name=name: [
            event(D, **AT, delta="x"),
            event(f"response.{name}", response={**SNAPSHOT, "status": name, "error": {"message": LONG * n}}),
        ]
        for name in ("completed", "incomplete", "failed", "cancelled")
    },
    **{
        f"response.completed, {name}": lambda n, item=ITEMS[name]: [
            event("response.completed", response={"status": "completed", "output": [item(i) for i in range(n)]})
        ]
        for name in FEW
    },
    "response.completed, repeated": lambda n: [
        *each_in("response.output_item.done", message)(n),
        event("response.completed", response={"status": "completed", "output": [message(i) for i in range(n)]}),
    ],
    "response.completed, ends were empty": lambda n: [
        *each_in("response.output_item.done", lambda i: message(i, content=[]))(n),
        event("response.completed", response={"status": "completed", "output": [message(i) for i in range(n)]}),
    ],
    "response.completed, texts were empty": lambda n: [
        *each_in("response.output_item.done", lambda i: message(i, content=[text_part("")]))(n),
        event("response.completed", response={"status": "completed", "output": [message(i) for i in range(n)]}),
    ],
    "response.completed, other names": lambda n: [
        *each_in("response.output_item.done", message)(n),
        event("response.completed", response={"status": "completed", "output": [message(f"x{i}") for i in range(n)]}),
    ],
    "response.completed, calls twice": lambda n: [
        event(
            "response.completed",
            response={"status": "completed", "output": [call(i // 2, arguments='{"a":1}') for i in range(n)]},
        ),
    ],
    "response.completed, nameless": lambda n: [
        *each_in("response.output_item.done", lambda i: message(i, id=None))(n),
        event(
            "response.completed", response={"status": "completed", "output": [message(i, id=None) for i in range(n)]}
        ),
    ],
    **{
        f"response.created, long {name}": lambda n, name=name: [
            event("response.created", response={**SNAPSHOT, name: "x" * 20 * n}),
            *events(D, **AT, delta="x")(n),
        ]
        for name in ("id", "model", "service_tier")
    },
    "error": lambda n: [event(D, **AT, delta="x"), event("error", message=LONG * n)],
    "unknown": events("response.vendor", text=LONG),
}


def done(make: Chunks) -> Chunks:
    return lambda n: [*make(n), event("response.completed", response={"status": "completed", "output": []})]


def test_every_event_has_a_case() -> None:
    """An event without one would be a new way to be slow."""
    assert keys_of(EVENTS) == to_chat_events.EVENTS.keys() >= to_chat_events.APPENDERS.keys()
    assert keys_of(ABOUT) - {"unknown"} == to_chat_transducer.EVENTS.keys()
    assert {
        name.split(", ")[0] for name in ITEMS
    } >= output_reader.FINISHERS.keys() | item_parts.TEXTS.keys() | calls.CALLS.keys()
    assert set(_DeltaEvent.__struct_fields__) == {
        *("type", "delta", "output_index", "item_id", "content_index", "summary_index", "logprobs", "obfuscation")
    }


@each(EVENTS)
def test_events(make: Chunks) -> None:
    """However many, whatever is in them, however they belong together."""
    streamed(done(make), for_chat)


@each(ABOUT)
def test_events_about_the_whole(make: Chunks) -> None:
    """Snapshots, endings, and what nobody knows."""
    streamed(make, for_chat)


@pytest.mark.parametrize(
    "name",
    [
        *(D, f"{D}, parts", f"{D}, by turns", f"{SUMMARY}.delta", "response.reasoning_text.delta"),
        *("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"),
    ],
)
def test_the_fast_path_of_responses(name: str) -> None:
    """From bytes to bytes, where pieces take the short way."""
    streamed(done(EVENTS[name]), for_chat, in_bytes=True)


READS: dict[str, Callable[[int], list[bytes]]] = {
    "events": lambda n: [_sse(chunk({"content": LONG}))] * n,
    "one read": lambda n: [_sse(chunk({"content": LONG})) * n],
    "bytes": lambda n: [b"%c" % byte for byte in _sse(chunk({"content": "x" * n}))],
    "one long event": lambda n: [b"data: ", *[b"x" * 100] * n, b"\n\n"],
    "data lines": lambda n: [b"data: x\n"] * n,
    "comments": lambda n: [b": " + b"x" * 100 + b"\n\n"] * n,
    "names": lambda n: [b"event: name %d\ndata: {}\n\n" % i for i in range(n)],
    "garbage": lambda n: [b"data: no JSON " + b"x" * 100 + b"\n\n"] * n,
    "blank": lambda n: [b"\r\n"] * n,
    "marks": lambda n: [b"data: [DONE]\n\n"] * n,
}


@pytest.mark.parametrize("serving", [lambda: for_responses(Profile()), for_chat], ids=["responses", "chat"])
@pytest.mark.parametrize("make", READS.values(), ids=READS)
def test_bytes(make: Callable[[int], list[bytes]], serving: Callable[[], Any]) -> None:
    """However events are framed and cut."""

    def reading(n: int) -> Callable[[], Any]:
        stream, reads = serving().stream(), make(n)
        return lambda: [*map(stream.feed, reads), stream.ended or stream.finish()]

    assert_linear(reading)


def stopped() -> Iterator[tuple[str, Chunks]]:
    cited = events(
        "response.output_text.annotation.added", **AT, annotation_index=lambda i: i, annotation={"url": LONG}
    )
    open_call = event("response.function_call_arguments.delta", output_index=1, delta="{")
    yield "text", events(D, **AT, delta="x" * 20 + "a")
    yield "nearly", events(D, **AT, delta="xab")
    yield "tokens", events(D, **AT, delta="xa", logprobs=[TOKEN])
    yield (
        "behind",
        lambda n: [
            open_call,
            *events(D, **AT, delta="-" * 99)(n),
            event(D, **AT, delta="abc"),
            *events(D, **AT, delta=LONG)(n),
        ],
    )
    yield (
        "cited behind",
        lambda n: [
            open_call,
            *events(D, **AT, delta="-" * 2_000)(n),
            event(D, **AT, delta="abc"),
            *by_turns(cited, each_in("response.output_item.done", lambda i: thinking(i + 2)))(n),
        ],
    )


@each(dict(stopped()))
def test_stop_sequences(make: Chunks) -> None:
    """They are looked for in every piece once, and what is cited behind them is measured once."""
    streamed(done(make), lambda: for_chat(stop=["abc", "aab", "x" * 20 + "b"]))


@each({name: make for name, make in EVENTS.items() if "call" in name})
def test_older_clients(make: Chunks) -> None:
    """Those that know one function call."""
    streamed(done(make), lambda: for_chat(functions=[{"name": "f"}]))


@each({**{name: (lambda n, item=item: [item(i) for i in range(n)]) for name, item in ITEMS.items()}})
def test_finished_responses(make: Chunks) -> None:
    """The same, said at once."""
    assert_linear(lambda n: lambda body={"status": "completed", "output": make(n)}: for_chat().answer(body))
