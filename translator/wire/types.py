"""The shapes of what comes out: requests, answers, chunks and events of both dialects, for type checkers.

They say what is there, not what is allowed: fields that no specification has pass through, and are not listed.
(Without `from __future__ import annotations`: with it, a TypedDict cannot tell at run time what is required.)
"""

from typing import Any, Literal, NotRequired, Required, TypedDict

Json = dict[str, Any]
"""An object whose fields are not listed here."""


class ErrorBody(TypedDict):
    """What both APIs say of an error."""

    message: str
    type: str
    param: str | None
    code: str | None


# Chat Completions


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
    """A free-form tool: its input is a text, not JSON."""

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
    """A token with its log-probability, and those that might have stood there."""

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
    """What the assistant says."""

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
    """A piece of a call: the first one says which call it is."""

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
"""What a stream consists of: `"error" in chunk` tells them apart."""


# Responses


class ResponsesRequest(TypedDict, total=False):
    """The body of `POST /responses`."""

    model: Required[str]
    input: Required[str | list[Json]]
    instructions: str
    stream: bool | None
    stream_options: Json
    max_output_tokens: int
    max_tool_calls: int
    temperature: float
    top_p: float
    top_logprobs: int
    tools: list[Json]
    tool_choice: str | Json
    parallel_tool_calls: bool
    text: Json
    reasoning: Json
    truncation: str
    include: list[str]
    store: bool
    metadata: dict[str, str]
    background: bool
    previous_response_id: str
    conversation: str | Json
    prompt: Json
    context_management: list[Json]
    client_metadata: Json
    image: Json
    access_programs: Json
    user: str
    safety_identifier: str
    moderation: Json
    service_tier: str
    prompt_cache_key: str
    prompt_cache_options: Json
    prompt_cache_retention: str


ItemStatus = Literal["in_progress", "completed", "incomplete"]


class OutputText(TypedDict):
    """A text."""

    type: Literal["output_text"]
    text: str
    annotations: list[Json]
    logprobs: list[ChatToken]


class Refusal(TypedDict):
    """What the model says instead of an answer."""

    type: Literal["refusal"]
    refusal: str


class SummaryText(TypedDict):
    """A summary of thoughts."""

    type: Literal["summary_text"]
    text: str


class ReasoningText(TypedDict):
    """Thoughts."""

    type: Literal["reasoning_text"]
    text: str


class MessageItem(TypedDict):
    """A message of the assistant."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    status: ItemStatus
    content: list[OutputText | Refusal]


class ReasoningItem(TypedDict):
    """What the model thought."""

    id: str
    type: Literal["reasoning"]
    status: ItemStatus
    summary: list[SummaryText]
    content: NotRequired[list[ReasoningText]]
    encrypted_content: NotRequired[str]


class FunctionCallItem(TypedDict):
    """A call of a function; its arguments are a JSON text."""

    id: str
    type: Literal["function_call"]
    status: ItemStatus
    call_id: str
    name: str
    namespace: NotRequired[str]
    arguments: str


class CustomCallItem(TypedDict):
    """A call of a free-form tool."""

    id: str
    type: Literal["custom_tool_call"]
    status: ItemStatus
    call_id: str
    name: str
    namespace: NotRequired[str]
    input: str


class ToolSearchItem(TypedDict):
    """The client is to look for tools."""

    id: str
    type: Literal["tool_search_call"]
    status: ItemStatus
    call_id: str
    execution: str
    arguments: Json


class ShellItem(TypedDict):
    """The client is to run commands."""

    id: str
    type: Literal["local_shell_call", "shell_call"]
    status: ItemStatus
    call_id: str
    action: Json


class ApplyPatchItem(TypedDict):
    """The client is to change a file."""

    id: str
    type: Literal["apply_patch_call"]
    status: ItemStatus
    call_id: str
    operation: Json


class CompactionItem(TypedDict):
    """What a conversation was cut down to, sealed."""

    id: str
    type: Literal["compaction"]
    encrypted_content: str
    status: NotRequired[ItemStatus]


OutputItem = (
    MessageItem
    | ReasoningItem
    | FunctionCallItem
    | CustomCallItem
    | ToolSearchItem
    | ShellItem
    | ApplyPatchItem
    | CompactionItem
)


class ResponsesUsage(TypedDict):
    """How many tokens were read and written."""

    input_tokens: int
    input_tokens_details: dict[str, int]
    output_tokens: int
    output_tokens_details: dict[str, int]
    total_tokens: int


class ResponsesError(TypedDict):
    """Why an answer failed."""

    code: str
    message: str


class ResponsesAnswer(TypedDict):
    """A Response object."""

    id: str
    object: Literal["response"]
    created_at: int
    completed_at: int | None
    status: Literal["in_progress", "completed", "incomplete", "failed"]
    incomplete_details: dict[str, str] | None
    error: ResponsesError | None
    model: str
    output: list[OutputItem]
    usage: ResponsesUsage | None
    service_tier: str
    previous_response_id: None
    store: bool
    background: bool
    instructions: str | list[Json] | None
    metadata: Json
    parallel_tool_calls: bool
    temperature: float
    top_p: float
    presence_penalty: float
    frequency_penalty: float
    top_logprobs: int
    tools: list[Json]
    tool_choice: str | Json
    text: Json
    reasoning: Json
    truncation: str
    max_output_tokens: int | None
    max_tool_calls: int | None
    safety_identifier: str | None
    prompt_cache_key: str | None
    user: NotRequired[str]
    moderation: NotRequired[Json]


class AnswerEvent(TypedDict):
    """The answer begins, or has ended."""

    type: Literal[
        "response.created",
        "response.in_progress",
        "response.completed",
        "response.incomplete",
        "response.failed",
    ]
    sequence_number: int
    response: ResponsesAnswer


class ItemEvent(TypedDict):
    """An item begins, or is whole."""

    type: Literal["response.output_item.added", "response.output_item.done"]
    sequence_number: int
    output_index: int
    item: OutputItem


class _InItem(TypedDict):
    """Something happens to an item."""

    sequence_number: int
    item_id: str
    output_index: int


class PartEvent(_InItem):
    """A part of a message or of thoughts begins, or is whole."""

    type: Literal["response.content_part.added", "response.content_part.done"]
    content_index: int
    part: OutputText | Refusal | ReasoningText


class TextDelta(_InItem):
    """A piece of the text."""

    type: Literal["response.output_text.delta"]
    content_index: int
    delta: str
    logprobs: list[ChatToken]


class TextDone(_InItem):
    """A text is whole."""

    type: Literal["response.output_text.done"]
    content_index: int
    text: str
    logprobs: list[ChatToken]


class AnnotationAdded(_InItem):
    """Something is cited."""

    type: Literal["response.output_text.annotation.added"]
    content_index: int
    annotation_index: int
    annotation: Json


class RefusalDelta(_InItem):
    """A piece of a refusal."""

    type: Literal["response.refusal.delta"]
    content_index: int
    delta: str


class RefusalDone(_InItem):
    """A refusal is whole."""

    type: Literal["response.refusal.done"]
    content_index: int
    refusal: str


class SummaryPartEvent(_InItem):
    """A part of a summary begins, or is whole."""

    type: Literal["response.reasoning_summary_part.added", "response.reasoning_summary_part.done"]
    summary_index: int
    part: SummaryText


class SummaryDelta(_InItem):
    """A piece of a summary."""

    type: Literal["response.reasoning_summary_text.delta"]
    summary_index: int
    delta: str


class SummaryDone(_InItem):
    """A summary is whole."""

    type: Literal["response.reasoning_summary_text.done"]
    summary_index: int
    text: str


class ReasoningDelta(_InItem):
    """A piece of thoughts; the shorter name is that of Open Responses (`events="openresponses"`)."""

    type: Literal["response.reasoning_text.delta", "response.reasoning.delta"]
    content_index: int
    delta: str


class ReasoningDone(_InItem):
    """Thoughts are whole."""

    type: Literal["response.reasoning_text.done", "response.reasoning.done"]
    content_index: int
    text: str


class ArgumentsDelta(_InItem):
    """A piece of a call's arguments."""

    type: Literal["response.function_call_arguments.delta"]
    delta: str


class ArgumentsDone(_InItem):
    """The arguments of a call are whole."""

    type: Literal["response.function_call_arguments.done"]
    arguments: str
    name: str


class InputDelta(_InItem):
    """A piece of a free-form tool's input."""

    type: Literal["response.custom_tool_call_input.delta"]
    delta: str


class InputDone(_InItem):
    """The input of a free-form tool is whole."""

    type: Literal["response.custom_tool_call_input.done"]
    input: str


class Compacting(_InItem):
    """The summary of a conversation is being written."""

    type: Literal["response.compaction.compacting"]


class ErrorEvent(TypedDict):
    """The answer fails; only for `events="openresponses"`, ahead of `response.failed`."""

    type: Literal["error"]
    sequence_number: int
    error: ErrorBody


ResponsesEvent = (
    AnswerEvent
    | ItemEvent
    | PartEvent
    | TextDelta
    | TextDone
    | AnnotationAdded
    | RefusalDelta
    | RefusalDone
    | SummaryPartEvent
    | SummaryDelta
    | SummaryDone
    | ReasoningDelta
    | ReasoningDone
    | ArgumentsDelta
    | ArgumentsDone
    | InputDelta
    | InputDone
    | Compacting
    | ErrorEvent
)
"""One event of a stream; its `type` says which."""
