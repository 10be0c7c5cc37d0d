"""What a type checker says of the public names: `make types` reads this file, and it runs as well."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, assert_type

from openai.types.chat import ChatCompletion

import diglot
from diglot import Loss, Profile, types

CHUNKS = [{"choices": [{"delta": {"content": "Hi"}}]}, {"choices": [{"delta": {}, "finish_reason": "stop"}]}]
COMPLETION: dict[str, Any] = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]
}
FINISHED = {"id": "resp_1", "status": "completed", "output": [], "output_text": "Hi"}


def test_bodies() -> None:
    """Each function says what it returns."""
    assert_type(diglot.chat_request({"model": "m", "input": "Hi"}), tuple[types.ChatRequest, list[Loss]])
    body, losses = diglot.chat_request({"model": "m", "input": "Hi"}, profile="vllm", strict=True)
    assert_type(body["model"], str)
    assert_type(body["messages"], list[types.ChatMessage])
    assert_type(losses, list[Loss])
    messages = [{"role": "user", "content": "Hi"}]
    request, _ = diglot.responses_request({"model": "m", "messages": messages}, profile=Profile())
    assert_type(request, types.ResponsesRequest)
    assert_type(diglot.responses_answer(COMPLETION, request=request)[0], types.ResponsesAnswer)
    assert_type(diglot.chat_answer(FINISHED, request=body)[0], types.ChatAnswer)
    assert_type(diglot.convert(COMPLETION), tuple[dict[str, Any], list[Loss]])


def test_what_goes_in() -> None:
    """Mappings, what came out before, and objects of the SDK."""
    frozen: Mapping[str, object] = {"model": "m", "input": "Hi"}
    body, _ = diglot.chat_request(frozen)
    diglot.responses_request(body)
    diglot.responses_answer(ChatCompletion.construct(**COMPLETION))
    diglot.responses_stream(body for body in [ChatCompletion.construct(**COMPLETION)])
    diglot.responses_stream(b"data: [DONE]")


def test_items() -> None:
    """The type of an item says which fields it has."""
    answer, _ = diglot.responses_answer(COMPLETION)
    for item in answer["output"]:
        if item["type"] == "message":
            assert_type(item, types.MessageItem)
            for part in item["content"]:
                if part["type"] == "output_text":
                    assert_type(part["text"], str)
        elif item["type"] == "function_call":
            assert_type(item["arguments"], str)


def test_streams() -> None:
    """The type of an event says which fields it has; what is iterated over says how to iterate."""
    stream = diglot.responses_stream(CHUNKS)
    assert_type(stream, types.ConvertedStream[types.ResponsesEvent])
    same: Iterator[types.ResponsesEvent] = stream
    for event in same:
        if event["type"] == "response.output_text.delta":
            assert_type(event["delta"], str)
        elif event["type"] == "response.completed":
            assert_type(event["response"], types.ResponsesAnswer)
    assert_type(diglot.chat_stream([FINISHED]), types.ConvertedStream[types.ChatEvent])

    for chunk in diglot.chat_stream([FINISHED]):
        if "error" in chunk:
            assert_type(chunk["error"]["message"], str)
        else:
            assert_type(chunk["choices"], list[types.ChatChunkChoice])

    async def pieces() -> AsyncIterator[bytes]:
        yield b"data: [DONE]"

    assert_type(diglot.responses_stream(pieces()), types.AsyncConvertedStream[types.ResponsesEvent])
    assert_type(diglot.chat_stream(pieces()), types.AsyncConvertedStream[types.ChatEvent])


def test_calls_and_profiles() -> None:
    """The other names."""
    exchange = diglot.ServeResponses({"model": "m", "input": "Hi"}, profile="vllm")
    assert_type(exchange.chat, dict[str, Any])
    assert_type(diglot.preset("vllm", efforts=("low",)), Profile)
    assert_type(Profile().replace(name="mine"), Profile)
