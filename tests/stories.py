"""What becomes of an output item, told as its events."""

import itertools
from collections.abc import Callable
from typing import Any

from diglot.translator.stream.to_responses.output import Output, OutputItem


def output() -> Output:
    count = itertools.count(1)
    return Output({"output": []}, lambda prefix: f"{prefix}_{next(count)}", "openai")


def story(out: Output) -> list[tuple[Any, ...]]:
    """The events, each as its name and what it says."""
    said = ("delta", "text", "refusal", "arguments", "input", "content_index", "summary_index")
    return [
        (event["type"].removeprefix("response."), *(event[name] for name in said if name in event))
        for event in out.take_events()
    ]


def grown(item: OutputItem, grow: Callable[[Any], Any], status: str = "completed") -> list[tuple[Any, ...]]:
    """The story of one item from its opening to its end."""
    out = output()
    out.add(item)
    grow(item)
    out.close_all(status)
    return story(out)
