"""What is needed of the request to read an answer for a chat client."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...context import Context


class CompletionContext(NamedTuple):
    """What is needed of the chat request to read its answer."""

    model: str
    context: Context
    include_usage: bool  # the client asked for usage in its stream
    legacy: bool  # the client knows `function_call` only
    stops: tuple[str, ...]  # where the text is to end
    new_id: Callable[[str], str]
    clock: Callable[[], float]
    limit: int | None = None  # `max_output_tokens`, if the client set it
    caller_path: Callable[[str], str | None] = str  # turns a path in the upstream's request into the client's
    caller_name: Callable[[str], str] = str  # turns the upstream's name of a tool into the client's
    keeps_model: bool = False  # the answer carries this `model`, whatever the upstream says
    own_id: str = ""  # of the completion, if it is not made from the upstream's
    has_format: bool = False  # the client asked for a format: it reads the content as JSON
