"""Streams: lists of whole server-sent events as a server writes them, in either dialect, and how they are read."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from benchmarks.directions import Api

from . import answers, requests
from .texts import encode, pieces

Body = dict[str, Any]
CALL_ID = "call_82c1f4b07a9d4c5e"
DONE = b"data: [DONE]\n\n"


class Kind(NamedTuple):
    """One kind of stream: what each of its tokens is, and with what it comes."""

    of: str  # text, arguments or reasoning
    logprobs: bool = False
    obfuscation: bool = False


KINDS: dict[str, Kind] = {
    "text": Kind("text"),
    "tool arguments": Kind("arguments"),
    "reasoning": Kind("reasoning"),
    "logprobs": Kind("text", logprobs=True),
    "obfuscation": Kind("text", obfuscation=True),
}


def asked(kind: str, api: Api) -> Body:
    """The request that such a stream answers."""
    talk = requests.small()._replace(logprobs=KINDS[kind].logprobs)
    if KINDS[kind].of == "reasoning":
        talk = talk._replace(effort="high")
    return requests.body(talk, api)


def writer(kind: str, api: Api) -> Chat | Responses:
    """Writes the events of one stream."""
    return Chat(KINDS[kind]) if api == "chat" else Responses(KINDS[kind], asked(kind, api))


def text_writer(api: Api, asked: Body) -> Chat | Responses:
    """The same for a text; *asked* is the request in the dialect of Responses."""
    return Chat(KINDS["text"]) if api == "chat" else Responses(KINDS["text"], asked)


def events(kind: str, count: int, api: Api) -> list[bytes]:
    """A whole stream with *count* tokens."""
    made = writer(kind, api)
    tokens = list(_tokens(KINDS[kind], count))
    return [*made.head(), *map(made.token, tokens), *made.tail(tokens)]


def free_form(count: int) -> tuple[Body, list[bytes]]:
    """A request of a Responses client with a free-form tool, and the stream of a chat upstream that calls it.

    For such an upstream it is a function with one string (Codex's `apply_patch`).
    """
    kind = Kind("arguments")
    made, tokens = Chat(kind), list(_tokens(kind, count, "input"))
    asked = requests.body(requests.small(), "responses")
    asked["tools"] = [{"type": "custom", "name": "write_file"}]
    return asked, [*made.head(), *map(made.token, tokens), *made.tail(tokens)]


def free_form_input(count: int) -> str:
    """What is in the call of such a stream."""
    return "".join(pieces(count - 2))


def long(kind: str, count: int, api: Api) -> list[bytes]:
    """The same with thousands of tokens: a thousand different ones again and again, so that it takes no memory."""
    made = writer(kind, api)
    head, block = made.head(), list(_tokens(KINDS[kind], 1_000))
    written = list(map(made.token, block))
    times = count // 1_000
    return [*head, *written * times, *made.tail(block * times)]


# how they are read


def one_by_one(made: list[bytes]) -> list[bytes]:
    return made


def sixteen(made: list[bytes]) -> list[bytes]:
    return [b"".join(made[n : n + 16]) for n in range(0, len(made), 16)]


def fragments(made: list[bytes]) -> list[bytes]:
    """Cut anywhere; a read has half an event on average."""
    whole, choose, reads, start = b"".join(made), random.Random(3), [], 0
    longest = len(whole) // len(made)
    while start < len(whole):
        end = start + choose.randint(1, longest)
        reads.append(whole[start:end])
        start = end
    return reads


READS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "one event per read": one_by_one,
    "16 per read": sixteen,
    "random fragments": fragments,
}


def _tokens(kind: Kind, count: int, field: str = "content") -> Iterator[str]:
    """Tool arguments are an object with a long string: a file that is written."""
    if kind.of != "arguments":
        yield from pieces(count)
        return
    yield f'{{"{field}": "'
    yield from (encode(piece)[1:-1].decode() for piece in pieces(count - 2))
    yield '"}'


def _logprobs(token: str) -> list[Body]:
    def one(text: str, value: float) -> Body:
        return {"token": text, "logprob": value, "bytes": list(text.encode())}

    return [{**one(token, -0.0123), "top_logprobs": [one(token, -0.0123), one(" other", -4.5)]}]


class Chat:
    """Chat completion chunks."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._delta = {
            "text": lambda token: {"content": token},
            "reasoning": lambda token: {"reasoning_content": token},
            "arguments": lambda token: {"tool_calls": [{"index": 0, "function": {"arguments": token}}]},
        }[kind.of]

    def head(self) -> list[bytes]:
        if self._kind.of != "arguments":
            return [self._choice({"role": "assistant", "content": ""})]
        function = {"name": "write_file", "arguments": ""}
        call = {"index": 0, "id": CALL_ID, "type": "function", "function": function}
        return [self._choice({"role": "assistant", "content": None}), self._choice({"tool_calls": [call]})]

    def token(self, token: str) -> bytes:
        more: Body = {"obfuscation": "A8fk2Lq0xZ"[: 9 - len(token) % 8]} if self._kind.obfuscation else {}
        tokens = {"content": _logprobs(token), "refusal": None} if self._kind.logprobs else None
        return self._choice(self._delta(token), None, tokens, **more)

    def tail(self, tokens: list[str]) -> list[bytes]:
        last = [self._choice({"content": "Done."})] if self._kind.of == "reasoning" else []
        usage = {"prompt_tokens": 31, "completion_tokens": len(tokens), "total_tokens": 31 + len(tokens)}
        ending = self._choice({}, "tool_calls" if self._kind.of == "arguments" else "stop")
        return [*last, ending, self._chunk([], usage=usage), DONE]

    def _choice(self, delta: Body, reason: str | None = None, logprobs: Body | None = None, **more: Any) -> bytes:
        return self._chunk([{"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": reason}], **more)

    def _chunk(self, choices: list[Any], **more: Any) -> bytes:
        about = {"id": "chatcmpl-8f2b1c0d9e7a46b5", "object": "chat.completion.chunk", "created": answers.CREATED}
        return b"data: " + encode({**about, "model": requests.MODEL, "choices": choices, **more}) + b"\n\n"


class Responses:
    """Events of the Responses API."""

    _NAMES = {
        "text": ("response.output_text", {"content_index": 0}),
        "reasoning": ("response.reasoning_summary_text", {"summary_index": 0}),
        "arguments": ("response.function_call_arguments", {}),
    }

    def __init__(self, kind: Kind, asked: Body) -> None:
        self._kind = kind
        self._asked = asked
        self._name, self._place = self._NAMES[kind.of]
        self._number = 0
        self._item: Body = {
            "text": answers.message(""),
            "reasoning": answers.thinking(""),
            "arguments": answers.call(4, CALL_ID, "write_file", ""),
        }[kind.of]
        self._about = {"item_id": self._item["id"], "output_index": 0, **self._place}

    def head(self) -> list[bytes]:
        begun = answers.begun(self._asked)
        blank = {**self._item, "status": "in_progress", "content": [], "summary": []}
        item = {name: value for name, value in blank.items() if name in self._item}
        first = [self._event("response.created", response=begun), self._event("response.in_progress", response=begun)]
        return [*first, self._event("response.output_item.added", output_index=0, item=item), *self._part("added", "")]

    def token(self, token: str) -> bytes:
        more: Body = {"logprobs": _logprobs(token) if self._kind.logprobs else []} if self._kind.of == "text" else {}
        if self._kind.obfuscation:
            more["obfuscation"] = "A8fk2Lq0xZ"[: 9 - len(token) % 8]
        return self._event(f"{self._name}.delta", **self._about, delta=token, **more)

    def tail(self, tokens: list[str]) -> list[bytes]:
        whole = "".join(tokens)
        probabilities = [one for token in tokens for one in _logprobs(token)] if self._kind.logprobs else None
        item: Body = {
            "text": lambda: answers.message(whole, probabilities),
            "reasoning": lambda: answers.thinking(whole),
            "arguments": lambda: answers.call(4, CALL_ID, "write_file", whole),
        }[self._kind.of]()
        fields: Body = {"arguments" if self._kind.of == "arguments" else "text": whole}
        if self._kind.of == "text":
            fields["logprobs"] = probabilities or []
        ended = [self._event(f"{self._name}.done", **self._about, **fields), *self._part("done", whole)]
        ended.append(self._event("response.output_item.done", output_index=0, item=item))
        output = [item]
        if self._kind.of == "reasoning":
            output.append(answers.message("Done."))
            ended += self._short_text(output[1])
        return [*ended, self._event("response.completed", response=answers.completed(self._asked, output))]

    def _short_text(self, item: Body) -> list[bytes]:
        about = {"item_id": item["id"], "output_index": 1, "content_index": 0}
        part = item["content"][0]
        text = part["text"]
        return [
            self._event("response.output_item.added", output_index=1, item={**item, "content": []}),
            self._event("response.content_part.added", **about, part={**part, "text": ""}),
            self._event("response.output_text.delta", **about, delta=text, logprobs=[]),
            self._event("response.output_text.done", **about, text=text, logprobs=[]),
            self._event("response.content_part.done", **about, part=part),
            self._event("response.output_item.done", output_index=1, item=item),
        ]

    def _part(self, verb: str, text: str) -> list[bytes]:
        if self._kind.of == "arguments":
            return []
        if self._kind.of == "reasoning":
            part: Body = {"type": "summary_text", "text": text}
            return [self._event(f"response.reasoning_summary_part.{verb}", **self._about, part=part)]
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        return [self._event(f"response.content_part.{verb}", **self._about, part=part)]

    def _event(self, name: str, **about: Any) -> bytes:
        data = encode({"type": name, "sequence_number": self._number, **about})
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (name.encode(), data)
