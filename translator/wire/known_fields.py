"""The Responses vocabulary that is known here: the fields of each item, part and tool.

Listed are the fields that are read, and those that only the server that made them needs (ids, states, marks): leaving
those out loses nothing that a chat upstream could use. A field that is in no list is reported.
"""

from __future__ import annotations

_MARKS = frozenset(
    {
        "type",
        "id",
        "status",
        "created_by",
        "caller",
        "async",
        "phase",
        "internal_chat_message_metadata_passthrough",  # Codex
    }
)


def _item(*names: str) -> frozenset[str]:
    return _MARKS.union(names)


ITEM_FIELDS: dict[str, frozenset[str]] = {
    "message": _item("role", "content", "name"),
    "reasoning": _item("summary", "content", "encrypted_content"),
    "function_call": _item("call_id", "name", "namespace", "arguments", "parsed_arguments"),
    "function_call_output": _item("call_id", "name", "namespace", "output"),
    "custom_tool_call": _item("call_id", "name", "namespace", "input"),
    "custom_tool_call_output": _item("call_id", "name", "output"),
    "tool_search_call": _item("call_id", "arguments", "execution"),
    "tool_search_output": _item("call_id", "tools", "execution"),
    "local_shell_call": _item("call_id", "action"),
    "local_shell_call_output": _item("call_id", "output"),
    "shell_call": _item("call_id", "action", "environment"),
    "shell_call_output": _item("call_id", "output", "max_output_length"),
    "apply_patch_call": _item("call_id", "operation"),
    "apply_patch_call_output": _item("call_id", "output"),
    "computer_call": _item("call_id", "action", "actions", "pending_safety_checks"),
    "computer_call_output": _item("call_id", "output", "acknowledged_safety_checks"),
    "additional_tools": _item("role", "tools"),
    "configuration_update": _item("reasoning", "text"),
    "compaction": _item("encrypted_content"),
    "context_compaction": _item("encrypted_content"),
    "agent_message": _item("author", "recipient", "content"),
}

_PART_MARKS = frozenset({"type", "prompt_cache_breakpoint"})

PART_FIELDS: dict[str, frozenset[str]] = {
    "input_text": _PART_MARKS | {"text"},
    "text": _PART_MARKS | {"text"},
    "output_text": _PART_MARKS | {"text", "annotations", "logprobs", "parsed"},
    "summary_text": _PART_MARKS | {"text"},
    "reasoning_text": _PART_MARKS | {"text"},
    "refusal": _PART_MARKS | {"refusal"},
    "input_image": _PART_MARKS | {"image_url", "detail", "file_id"},
    "image_url": _PART_MARKS | {"image_url", "detail", "file_id"},
    "computer_screenshot": _PART_MARKS | {"image_url", "detail", "file_id"},
    "input_file": _PART_MARKS | {"file_id", "file_data", "filename", "file_url", "detail"},
    "file": _PART_MARKS | {"file"},
    "document_url": _PART_MARKS | {"document_url", "document_name", "filename"},
    "file_url": _PART_MARKS | {"file_url", "file_name", "filename"},
    "input_audio": _PART_MARKS | {"input_audio"},
    "input_video": _PART_MARKS | {"video_url"},
    "video_url": _PART_MARKS | {"video_url"},
}

TOOL_FIELDS: dict[str, frozenset[str]] = {
    "function": frozenset(
        {
            *("type", "name", "description", "parameters", "strict", "function", "output_schema"),
            *("defer_loading", "allowed_callers", "async"),
        }
    ),
    "custom": frozenset(
        {"type", "name", "description", "format", "custom", "defer_loading", "allowed_callers", "async"}
    ),
    "namespace": frozenset({"type", "name", "description", "tools"}),
    "tool_search": frozenset({"type", "execution", "description", "parameters"}),
    "local_shell": frozenset({"type"}),
    "shell": frozenset({"type", "environment", "allowed_callers"}),
    "apply_patch": frozenset({"type", "allowed_callers"}),
}
