"""The shapes of what comes out of `diglot`, for type checkers: requests, answers, events, and what is in them."""

from diglot.translator.convert import Body
from diglot.translator.convert_stream import AsyncConvertedStream, ConvertedStream
from diglot.translator.wire.chat_types import (
    ChatAnswer,
    ChatAnswerMessage,
    ChatCall,
    ChatChoice,
    ChatChunk,
    ChatChunkChoice,
    ChatDelta,
    ChatErrorChunk,
    ChatEvent,
    ChatMessage,
    ChatRequest,
    ChatUsage,
)
from diglot.translator.wire.event_types import ResponsesEvent
from diglot.translator.wire.responses_types import (
    CustomCallItem,
    FunctionCallItem,
    MessageItem,
    OutputItem,
    OutputText,
    ReasoningItem,
    Refusal,
    ResponsesAnswer,
    ResponsesRequest,
    ResponsesUsage,
)

__all__ = [
    "AsyncConvertedStream",
    "Body",
    "ChatAnswer",
    "ChatAnswerMessage",
    "ChatCall",
    "ChatChoice",
    "ChatChunk",
    "ChatChunkChoice",
    "ChatDelta",
    "ChatErrorChunk",
    "ChatEvent",
    "ChatMessage",
    "ChatRequest",
    "ChatUsage",
    "ConvertedStream",
    "CustomCallItem",
    "FunctionCallItem",
    "MessageItem",
    "OutputItem",
    "OutputText",
    "ReasoningItem",
    "Refusal",
    "ResponsesAnswer",
    "ResponsesEvent",
    "ResponsesRequest",
    "ResponsesUsage",
]
