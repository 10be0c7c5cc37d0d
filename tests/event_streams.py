"""Streams of Responses events, made of finished Responses: whole, or with what some servers leave out."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Body = dict[str, Any]

GROWING = {"message": {"content": []}, "function_call": {"arguments": ""}, "custom_tool_call": {"input": ""}}
PART_DONE = ("_text.done", "refusal.done", "part.done", "arguments.done", "input.done")


def pieces_of(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def events_of(response: Body, size: int = 3) -> list[Body]:
    """All the events for *response*, its texts in pieces of *size*; one item after the other."""
    return between(response, [event for events in items_of(response, size) for event in events])


def between(response: Body, events: list[Body]) -> list[Body]:
    """*events* between the first and the last event of a stream."""
    begun = {**response, "output": [], "status": "in_progress", "usage": None}
    first = {"type": "response.created", "response": begun}
    return [first, *events, {"type": f"response.{response['status']}", "response": response}]


def items_of(response: Body, size: int = 3) -> list[list[Body]]:
    """The events of each item."""
    return [list(_item(at, item, size)) for at, item in enumerate(response["output"])]


def _item(at: int, item: Body, size: int) -> Iterator[Body]:
    begun = {**copy.deepcopy(item), **GROWING.get(item["type"], {}), "status": "in_progress"}
    if item["type"] == "reasoning":
        begun = {"type": "reasoning", "id": item["id"], "summary": []}
    yield {"type": "response.output_item.added", "output_index": at, "item": begun}
    of = {"item_id": item["id"], "output_index": at}
    for i, part in enumerate(item.get("summary") or []):
        yield from _text("reasoning_summary_text", "reasoning_summary_part", part, {**of, "summary_index": i}, size)
    for i, part in enumerate(item.get("content") or []):
        kind = "refusal" if part["type"] == "refusal" else part["type"]
        yield from _text(kind, "content_part", part, {**of, "content_index": i}, size)
    for name, kind in (("arguments", "function_call_arguments"), ("input", "custom_tool_call_input")):
        if name in item:
            for piece in pieces_of(item[name], size):
                yield {"type": f"response.{kind}.delta", **of, "delta": piece}
            yield {"type": f"response.{kind}.done", **of, name: item[name]}
    yield {"type": "response.output_item.done", "output_index": at, "item": item}


def _text(kind: str, part_kind: str, part: Body, at: Body, size: int) -> Iterator[Body]:
    field = "refusal" if kind == "refusal" else "text"
    yield {"type": f"response.{part_kind}.added", **at, "part": {"type": part["type"], field: ""}}
    tokens = part.get("logprobs") or []
    for i, piece in enumerate(pieces_of(part[field], size)):
        said = {"type": f"response.{kind}.delta", **at, "delta": piece}
        yield {**said, "logprobs": tokens[i * size : (i + 1) * size]} if kind == "output_text" else said
    for i, cited in enumerate(part.get("annotations") or []):
        yield {"type": "response.output_text.annotation.added", **at, "annotation_index": i, "annotation": cited}
    yield {"type": f"response.{kind}.done", **at, field: part[field]}
    yield {"type": f"response.{part_kind}.done", **at, "part": part}


# What servers leave out, and do differently (protocol 8.2)


def without(events: list[Body], *endings: str) -> list[Body]:
    return [event for event in events if not event["type"].endswith(endings)]


def without_fields(events: list[Body], *names: str) -> list[Body]:
    return [{key: value for key, value in event.items() if key not in names} for event in events]


def with_other_ids(events: list[Body]) -> list[Body]:
    """R8: another id in every event."""
    renamed = [{**e, "item_id": f"x_{i}"} if "item_id" in e else e for i, e in enumerate(events)]
    return [{**e, "item": {**e["item"], "id": f"y_{i}"}} if "item" in e else e for i, e in enumerate(renamed)]


def with_output(events: list[Body], output: Any) -> list[Body]:
    """R1: another output in the last event; None for none at all."""
    last = {key: value for key, value in events[-1]["response"].items() if key != "output"}
    if output is not None:
        last["output"] = output
    return [*events[:-1], {**events[-1], "response": last}]


def with_counted_parts(events: list[Body]) -> list[Body]:
    """W30: `content_index` and `summary_index` count events; only the announcement of a part has its place (vLLM)."""
    counts: dict[str, int] = {}

    def counted(event: Body) -> Body:
        names = [name for name in ("content_index", "summary_index") if name in event]
        if not names or event["type"].endswith("part.added"):
            return event
        counts[event["item_id"]] = counts.get(event["item_id"], 10) + 1
        return {**event, names[0]: counts[event["item_id"]]}

    return [counted(event) for event in events]


def with_parts_at_zero(events: list[Body]) -> list[Body]:
    """W30: each delta says that it is of the first part."""
    names = ("content_index", "summary_index")
    return [{**e, **{n: 0 for n in names if n in e}} if e["type"].endswith("delta") else e for e in events]


def with_places(events: list[Body], *endings: str, times: int = 1, plus: int = 0) -> list[Body]:
    """W30: events of some kinds have another `output_index` than their item."""

    def placed(event: Body) -> Body:
        if "output_index" not in event or not event["type"].endswith(endings):
            return event
        return {**event, "output_index": event["output_index"] * times + plus}

    return [placed(event) for event in events]


def with_items_at_once(events: list[Body], response: Body) -> list[Body]:
    """W31: an item is announced with all that it has."""
    return [
        {**e, "item": response["output"][e["output_index"]]} if e["type"].endswith("item.added") else e for e in events
    ]


def with_parts_at_once(events: list[Body]) -> list[Body]:
    """W31: a part is announced with all that it has."""
    whole = {_address(e): e["part"] for e in events if e["type"].endswith("part.done")}
    return [{**e, "part": whole[_address(e)]} if e["type"].endswith("part.added") else e for e in events]


def with_empty_ends(events: list[Body]) -> list[Body]:
    """W31: what ends a thing says nothing of it; the last event has it all."""
    return [_emptied(e) if e["type"].endswith((*PART_DONE, "item.done")) else e for e in events]


def _address(event: Body) -> tuple[Any, ...]:
    return tuple([event.get(name) for name in ("item_id", "content_index", "summary_index")])


def _emptied(value: Any) -> Any:
    if isinstance(value, list):
        return []
    if not isinstance(value, dict):
        return value
    texts = ("text", "refusal", "arguments", "input")
    nested = ("item", "part", "content", "summary", "annotations")
    return {k: "" if k in texts else _emptied(v) if k in nested else v for k, v in value.items()}


def with_repeated_calls(response: Body) -> Body:
    """W33: each call of an output stands there twice."""
    output = [again for item in response["output"] for again in ([item, item] if "name" in item else [item])]
    return {**response, "output": output}
