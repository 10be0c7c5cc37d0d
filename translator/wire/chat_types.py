"""The shapes of chat requests, answers and chunks, for type checkers.

They describe what may be present, not everything that is allowed: fields outside the specification are passed through.
(Without `from __future__ import annotations`: with it, a TypedDict cannot tell at run time what is required.)
"""

from typing import Any, Literal, NotRequired, Required, TypedDict

Json = dict[str, Any]
"""An object whose fields are not listed here."""


class ErrorBody(TypedDict):
    """An error, as both APIs have it."""

    message: str
    type: str
    param: str | None
    code: str | None


class ChatFunction(TypedDict, total=False):
    """A function, as a tool declares it."""

    name: Required[str]
    description: str
    parameters: Json
    strict: bool | None


class ChatFunctionTool(TypedDict):
    """A function as a tool."""

    type: Literal["function"]
    function: ChatFunction


class ChatCustomTool(TypedDict):
    """A free-form tool, whose input is text instead of JSON."""

    type: Literal["custom"]
    custom: Json


class ChatCalledFunction(TypedDict):
    """The function of a call; its arguments are a JSON text."""

    name: str
    arguments: str


class ChatCalledInput(TypedDict):
    """The free-form tool of a call."""

    name: str
    input: str


class ChatFunctionCall(TypedDict):
    """A call of a function."""

    id: str
    type: Literal["function"]
    function: ChatCalledFunction


class ChatCustomCall(TypedDict):
    """A call of a free-form tool."""

    id: str
    type: Literal["custom"]
    custom: ChatCalledInput


ChatCall = ChatFunctionCall | ChatCustomCall


class ChatMessage(TypedDict, total=False):
    """One message of a conversation; which fields it has depends on its role."""

    role: Required[Literal["system", "developer", "user", "assistant", "tool", "function"]]
    content: str | list[Json] | None
    name: str
    refusal: str | None
    tool_calls: list[ChatCall]
    tool_call_id: str
    function_call: ChatCalledFunction | None
    reasoning_content: str
    reasoning: str


class ChatRequest(TypedDict, total=False):
    """The body of `POST /chat/completions`."""

    model: Required[str]
    messages: Required[list[ChatMessage]]
    stream: bool | None
    stream_options: Json
    max_completion_tokens: int
    max_tokens: int
    temperature: float
    top_p: float
    presence_penalty: float
    frequency_penalty: float
    logit_bias: dict[str, float]
    seed: int
    n: int
    stop: str | list[str]
    logprobs: bool
    top_logprobs: int
    tools: list[ChatFunctionTool | ChatCustomTool]
    tool_choice: str | Json
    parallel_tool_calls: bool
    functions: list[ChatFunction]
    function_call: str | Json
    web_search_options: Json
    response_format: Json
    verbosity: str
    reasoning_effort: str
    reasoning: Json
    modalities: list[str]
    audio: Json
    prediction: Json
    include: list[str]
    store: bool
    metadata: dict[str, str]
    user: str
    safety_identifier: str
    moderation: Json
    service_tier: str
    prompt_cache_key: str
    prompt_cache_options: Json
    prompt_cache_retention: str


class ChatToken(TypedDict):
    """A token with its log-probability and its most likely alternatives."""

    token: str
    bytes: list[int] | None
    logprob: float
    top_logprobs: NotRequired[list[Json]]


class ChatLogprobs(TypedDict):
    """The log-probabilities of a choice."""

    content: list[ChatToken] | None
    refusal: list[ChatToken] | None


class ChatUsage(TypedDict):
    """How many tokens were read and written."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: NotRequired[dict[str, int]]
    completion_tokens_details: NotRequired[dict[str, int]]


class ChatAnswerMessage(TypedDict):
    """The message of a chat completion."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None
    tool_calls: NotRequired[list[ChatCall]]
    function_call: NotRequired[ChatCalledFunction]
    annotations: NotRequired[list[Json]]
    reasoning_content: NotRequired[str]
    reasoning_details: NotRequired[list[Json]]
    images: NotRequired[list[Json]]


ChatFinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


class ChatChoice(TypedDict):
    """One choice of a chat completion."""

    index: int
    message: ChatAnswerMessage
    logprobs: ChatLogprobs | None
    finish_reason: ChatFinishReason


class ChatAnswer(TypedDict):
    """A chat completion."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage | None
    service_tier: NotRequired[str]
    moderation: NotRequired[Json]
    metadata: NotRequired[Json]


class ChatCallDelta(TypedDict):
    """A piece of a call; the first one names the call."""

    index: int
    id: NotRequired[str]
    type: NotRequired[Literal["function", "custom"]]
    function: NotRequired[Json]
    custom: NotRequired[Json]


class ChatDelta(TypedDict, total=False):
    """What a chunk adds to the message."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None
    tool_calls: list[ChatCallDelta]
    function_call: Json
    annotations: list[Json]
    reasoning_content: str
    reasoning_details: list[Json]
    images: list[Json]


class ChatChunkChoice(TypedDict):
    """The one choice of a chunk."""

    index: int
    delta: ChatDelta
    logprobs: ChatLogprobs | None
    finish_reason: ChatFinishReason | None


class ChatChunk(TypedDict):
    """One chunk of a stream; the one with the usage has no choices."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChatChunkChoice]
    usage: NotRequired[ChatUsage | None]
    service_tier: NotRequired[str]
    moderation: NotRequired[Json]
    obfuscation: NotRequired[str]


class ChatErrorChunk(TypedDict):
    """The last chunk of an answer that failed."""

    error: ErrorBody


ChatEvent = ChatChunk | ChatErrorChunk
"""A chunk of a stream; `"error" in chunk` tells the two kinds apart."""
