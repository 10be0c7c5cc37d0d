"""The shapes of the events of a Responses stream, for type checkers; their `type` tells them apart."""

from typing import Literal, TypedDict

from .chat_types import ChatToken, ErrorBody, Json
from .responses_types import OutputItem, OutputText, ReasoningText, Refusal, ResponsesAnswer, SummaryText


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
    """An item begins, or is complete."""

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
    """A part of a message or of reasoning begins, or is complete."""

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
    """A text is complete."""

    type: Literal["response.output_text.done"]
    content_index: int
    text: str
    logprobs: list[ChatToken]


class AnnotationAdded(_InItem):
    """An annotation is added to a text."""

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
    """A refusal is complete."""

    type: Literal["response.refusal.done"]
    content_index: int
    refusal: str


class SummaryPartEvent(_InItem):
    """A part of a summary begins, or is complete."""

    type: Literal["response.reasoning_summary_part.added", "response.reasoning_summary_part.done"]
    summary_index: int
    part: SummaryText


class SummaryDelta(_InItem):
    """A piece of a summary."""

    type: Literal["response.reasoning_summary_text.delta"]
    summary_index: int
    delta: str


class SummaryDone(_InItem):
    """A summary is complete."""

    type: Literal["response.reasoning_summary_text.done"]
    summary_index: int
    text: str


class ReasoningDelta(_InItem):
    """A piece of reasoning; the shorter name is that of Open Responses (`events="openresponses"`)."""

    type: Literal["response.reasoning_text.delta", "response.reasoning.delta"]
    content_index: int
    delta: str


class ReasoningDone(_InItem):
    """Reasoning is complete."""

    type: Literal["response.reasoning_text.done", "response.reasoning.done"]
    content_index: int
    text: str


class ArgumentsDelta(_InItem):
    """A piece of a call's arguments."""

    type: Literal["response.function_call_arguments.delta"]
    delta: str


class ArgumentsDone(_InItem):
    """The arguments of a call are complete."""

    type: Literal["response.function_call_arguments.done"]
    arguments: str
    name: str


class InputDelta(_InItem):
    """A piece of a free-form tool's input."""

    type: Literal["response.custom_tool_call_input.delta"]
    delta: str


class InputDone(_InItem):
    """The input of a free-form tool is complete."""

    type: Literal["response.custom_tool_call_input.done"]
    input: str


class Compacting(_InItem):
    """The summary of a conversation is being written."""

    type: Literal["response.compaction.compacting"]


class ErrorEvent(TypedDict):
    """The answer failed; only with `events="openresponses"`, before `response.failed`."""

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
"""An event of a stream; its `type` says which."""
