"""How many tokens a request has, without a tokenizer, and what `POST /responses/input_tokens` takes and answers.

The estimate is for sizing, not for bills (protocol 1.5 l): a token is about four characters of Latin text, or one
Chinese character.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from ..losses import Report
from ..profiles import Profile
from ..wire import json, validate

Way = Literal["upstream", "tiktoken", "estimate"]


class Count(NamedTuple):
    """A number of tokens, and how it was found."""

    tokens: int
    way: Way


class Content(NamedTuple):
    """What a model reads of a request."""

    texts: list[str]
    fixed: int
    """Tokens of what is no text: the frames of messages and tools, images and other media."""
    has_media: bool

    def estimate(self) -> int:
        """Return about how many tokens it has."""
        return self.fixed + sum(map(of_text, self.texts))


_START, _MESSAGE, _TOOL = 3, 4, 8
MEDIA = {
    **dict.fromkeys(("image_url", "input_image", "computer_screenshot"), 765),  # four tiles, as OpenAI counts them
    **dict.fromkeys(("input_audio", "audio"), 500),
    **dict.fromkeys(("file", "input_file"), 1_000),
    "video_url": 2_000,
}
"""Tokens of a part that is no text, by its type: its size says little about them."""
_LOW_DETAIL = 85
_TEXTS = frozenset(
    {
        *("content", "text", "refusal", "name", "arguments", "input", "output", "summary"),
        *("reasoning_content", "reasoning", "reasoning_text", "thinking"),
        *("tool_calls", "function_call", "function", "custom", "namespace", "action", "operation", "stdout", "stderr"),
        *("commands", "command", "diff", "path", "query", "queries", "result", "results"),
    }
)
"""Members of messages and items that a model reads, or that hold what it reads."""
_SEALED_TEXTS = ("compaction", "context_compaction")
"""Items whose `encrypted_content` is a text for the model."""


def of_text(text: str) -> int:
    """Return about how many tokens a text has: a fourth of its ASCII characters, a third of its other bytes.

    >>> of_text("Hello, world"), of_text("你好")
    (3, 2)
    """
    if text.isascii():
        return -(-len(text) // 4)
    plain = len(text.encode("ascii", "ignore"))
    others = len(text.encode("utf-8", "surrogatepass")) - plain
    return -(-(3 * plain + 4 * others) // 12)


def content_of(request: dict[str, Any]) -> Content:
    """Return what a model reads of a chat request: messages, tools and the schema of its answer."""
    found = _of_items(request.get("messages") or ())
    tools = request.get("tools") or ()
    texts = [json.encode(value).decode() for value in (*tools, request.get("response_format")) if value]
    return Content(found.texts + texts, found.fixed + _START + _TOOL * len(tools), found.has_media)


def estimate(request: dict[str, Any]) -> Count:
    """Return about how many tokens a chat request has.

    >>> estimate({"messages": [{"role": "user", "content": "How are you?"}]})
    Count(tokens=10, way='estimate')
    """
    return Count(content_of(request).estimate(), "estimate")


def estimate_after(usage: dict[str, Any] | None, added: Iterable[dict[str, Any]]) -> Count | None:
    """Return the tokens of a chain: what its last response has used, and about what was *added* to it.

    *usage* is that of the last Response object, *added* are input items. None if there is no usage.

    >>> estimate_after({"input_tokens": 90, "output_tokens": 10}, [{"role": "user", "content": "Go on, please."}])
    Count(tokens=108, way='estimate')
    """
    if usage is None:
        return None
    return Count(usage["input_tokens"] + usage["output_tokens"] + _of_items(added).estimate(), "estimate")


def _of_items(items: Iterable[Any]) -> Content:
    """Read messages or items. Without recursion: they may be nested as deeply as a decoder allows."""
    texts: list[str] = []
    waiting = list(items)
    fixed, has_media = _MESSAGE * len(waiting), False
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            cost = _media_cost(value)
            fixed, has_media = fixed + cost, has_media or cost > 0
            if not cost:
                waiting += _read_members(value)
    return Content(texts, fixed, has_media)


def _media_cost(part: dict[str, Any]) -> int:
    kind = part.get("type")
    cost = MEDIA.get(kind, 0) if isinstance(kind, str) else 0
    if kind not in ("image_url", "input_image"):
        return cost
    image = part.get("image_url")
    is_low = "low" in (part.get("detail"), image.get("detail") if isinstance(image, dict) else None)
    return _LOW_DETAIL if is_low else cost


def _read_members(value: dict[str, Any]) -> list[Any]:
    """Return the members that a model reads."""
    members = [member for name, member in value.items() if name in _TEXTS]
    if value.get("tools"):
        members.append(json.encode(value["tools"]).decode())
    if value.get("type") in _SEALED_TEXTS:
        members.append(value.get("encrypted_content"))
    return members


_COUNTED = (
    *("model", "input", "instructions", "conversation", "previous_response_id", "tools", "tool_choice"),
    *("parallel_tool_calls", "reasoning", "text", "truncation"),
)


def request_to_count(body: Any, profile: Profile, report: Report) -> dict[str, Any]:
    """Return the Responses request whose tokens the body of a `POST /responses/input_tokens` asks for.

    Everything in it is optional (protocol 6.1); what does not count is added to *report*. Raises RequestError for a
    body that is no object, or without a model where the profile has no `default_model`.

    >>> request_to_count({"input": "Hi"}, Profile(default_model="m"), Report())
    {'model': 'm', 'input': 'Hi'}
    """
    body = validate.mapping(body, "body")
    for name, value in body.items():
        if name not in _COUNTED and value is not None:
            report.dropped(name, "it has no tokens of its own", value)
    fields = {name: body[name] for name in _COUNTED if body.get(name) is not None}
    model = validate.text(fields.pop("model", profile.default_model or None), "model")
    return {"model": model, "input": [], **fields}


def answer(count: Count) -> dict[str, Any]:
    """Return the answer to a `POST /responses/input_tokens`.

    >>> answer(Count(7, "estimate"))
    {'object': 'response.input_tokens', 'input_tokens': 7}
    """
    return {"object": "response.input_tokens", "input_tokens": count.tokens}
