"""What is translated. Small bodies are files; large ones are made here, the same on every run."""

from __future__ import annotations

import base64
import copy
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

INPUTS = Path(__file__).parent / "inputs"
_WORDS = ("the", "file", '"main.py"', "returns", "value\n-", "list,", r"\d+", "of", "two-step", "a\tparser", "error:")

encode = msgspec.json.encode


def stored(name: str) -> Any:
    return msgspec.json.decode((INPUTS / f"{name}.json").read_bytes())


def prose(size: int, seed: int) -> str:
    """About *size* characters of text with line breaks, quotes and backslashes; one in eight also has "été 你"."""
    choose = random.Random(seed)
    words = choose.choices(_WORDS, k=size // 5)
    return " ".join(["été 你", *words] if seed % 8 == 0 else words)[:size]


# requests


def small() -> bytes:
    return encode(stored("small"))


def codex() -> bytes:
    """A captured request of the Codex CLI (44 KB), its tool turn repeated with outputs of real length: 40 turns."""
    body = stored("codex")
    *head, reasoning, call, output = body["input"]
    body["input"] = head
    for turn in range(40):
        items = copy.deepcopy([reasoning, call, output])
        items[0]["id"] = f"rs_{turn:048}"
        items[1]["id"] = f"fc_{turn:048}"
        items[1]["call_id"] = items[2]["call_id"] = f"call_{turn:024}"
        items[2]["output"] = prose(4_040, turn)
        body["input"] += items
    return encode(body)


def messages() -> bytes:
    """A conversation of 1,000 messages, 1 MB."""
    said: list[Any] = []
    for turn in range(500):
        asked = {"type": "input_text", "text": prose(870, 2 * turn)}
        told = {"type": "output_text", "text": prose(870, 2 * turn + 1), "annotations": [], "logprobs": []}
        done = {"id": f"msg_{turn:048}", "status": "completed"}
        said.append({"type": "message", "role": "user", "content": [asked]})
        said.append({"type": "message", "role": "assistant", "content": [told], **done})
    said.append({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And now?"}]})
    return encode({**stored("small"), "input": said})


def image() -> bytes:
    """One message with a picture of 5 MB as a data URL."""
    data = base64.b64encode(random.Random(5).randbytes(3_930_000)).decode()
    parts = [
        {"type": "input_text", "text": "What is on this picture?"},
        {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{data}"},
    ]
    return encode({**stored("small"), "input": [{"type": "message", "role": "user", "content": parts}]})


REQUESTS: dict[str, Callable[[], bytes]] = {
    "small": small,
    "codex": codex,
    "1,000 messages": messages,
    "5 MB image": image,
}

# answers


def long_answer() -> bytes:
    """A text of 20,000 characters."""
    body = stored("answer_text")
    body["choices"][0]["message"]["content"] = prose(20_000, 7)
    return encode(body)


ANSWERS: dict[str, tuple[Callable[[], bytes], str]] = {  # the answer, and the request that it answers
    "text": (lambda: encode(stored("answer_text")), "small"),
    "20,000 characters": (long_answer, "small"),
    "reasoning and two calls": (lambda: encode(stored("answer_calls")), "small"),
    "the same, to Codex": (lambda: encode(stored("answer_calls")), "codex"),
}

# streams: lists of whole server-sent events, as a server writes them


def text(count: int) -> list[bytes]:
    return _stream([{"role": "assistant", "content": ""}], ({"content": piece} for piece in _pieces(count)), "stop")


def reasoning(count: int) -> list[bytes]:
    """Thoughts, and at the end a short text."""
    thoughts = ({"reasoning_content": piece} for piece in _pieces(count - 1))
    return _stream([{"role": "assistant"}], _then(thoughts, {"content": "Done."}), "stop")


def arguments(count: int) -> list[bytes]:
    """One tool call that writes a long file."""
    function = {"name": "write_file", "arguments": ""}
    head = [
        {"role": "assistant", "content": None},
        {"tool_calls": [{"index": 0, "id": "call_82c1f4b07a9d4c5e", "type": "function", "function": function}]},
    ]
    inside = (encode(piece)[1:-1].decode() for piece in _pieces(count - 2))
    pieces = _then(iter(['{"content": "']), *inside, '"}')
    deltas = ({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces)
    return _stream(head, deltas, "tool_calls")


STREAMS: dict[str, Callable[[int], list[bytes]]] = {"text": text, "tool arguments": arguments, "reasoning": reasoning}


def _then(first: Iterator[Any], *more: Any) -> Iterator[Any]:
    yield from first
    yield from more


def _pieces(count: int) -> Iterator[str]:
    choose = random.Random(count)
    return (" été 你" if n % 8 == 0 else f" {choose.choice(_WORDS)}" for n in range(count))


def _stream(head: list[Any], deltas: Iterator[Any], reason: str) -> list[bytes]:
    events = [_choice(delta) for delta in [*head, *deltas]]
    usage = {"prompt_tokens": 31, "completion_tokens": len(events), "total_tokens": 31 + len(events)}
    events.append(_choice({}, reason))
    events.append(_chunk([], usage=usage))
    return [*events, b"data: [DONE]\n\n"]


def _choice(delta: dict[str, Any], reason: str | None = None) -> bytes:
    return _chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}])


def _chunk(choices: list[Any], **more: Any) -> bytes:
    about = {"id": "chatcmpl-8f2b1c0d9e7a46b5", "object": "chat.completion.chunk", "created": 1700000000}
    return b"data: " + encode({**about, "model": "my-local-model", "choices": choices, **more}) + b"\n\n"
