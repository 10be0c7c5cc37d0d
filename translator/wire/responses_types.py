"""The shapes of Responses requests and answers, for type checkers; those of events are in `event_types.py`.

They describe what may be present, not everything that is allowed: fields outside the specification are passed through.
(Without `from __future__ import annotations`: with it, a TypedDict cannot tell at run time what is required.)
"""

from typing import Literal, NotRequired, Required, TypedDict

from .chat_types import ChatToken, Json


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
    background_options: Json
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
    """The model's refusal to answer."""

    type: Literal["refusal"]
    refusal: str


class SummaryText(TypedDict):
    """A summary of reasoning."""

    type: Literal["summary_text"]
    text: str


class ReasoningText(TypedDict):
    """A text of reasoning."""

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
    """The model's reasoning."""

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
    """A request to the client to search for tools."""

    id: str
    type: Literal["tool_search_call"]
    status: ItemStatus
    call_id: str
    execution: str
    arguments: Json


class ShellItem(TypedDict):
    """A request to the client to run commands."""

    id: str
    type: Literal["local_shell_call", "shell_call"]
    status: ItemStatus
    call_id: str
    action: Json


class ApplyPatchItem(TypedDict):
    """A request to the client to change a file."""

    id: str
    type: Literal["apply_patch_call"]
    status: ItemStatus
    call_id: str
    operation: Json


class CompactionItem(TypedDict):
    """The sealed summary of a conversation."""

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


class InputTransformation(TypedDict):
    """A reasoning item of the request that the model was not given."""

    type: Literal["reasoning"]
    id: str
    action: Literal["removed"]
    reason: Literal["organization_mismatch", "model_mismatch"]


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
    previous_response_id: str | None
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
    conversation: NotRequired[dict[str, str]]
    user: NotRequired[str]
    prompt_cache_options: NotRequired[Json]
    prompt_cache_retention: NotRequired[str]
    moderation: NotRequired[Json]
    input_transformations: NotRequired[list[InputTransformation]]
