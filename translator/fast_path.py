"""The fast path of requests: what most of them consist of, in straight lines.

It takes a request if its profile is usual (which is decided once for each), and its conversation too
(`turns/usual_items.py`, `turns/usual_messages.py`). All others are left to the general path (`request.py`), which gives
the same request and the same losses, and all errors: a property test compares the two.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from . import additions, fields, request, toolset
from .context import Context
from .errors import TranslationError
from .mapping import Rule, Rules, shortcuts, walk
from .parts import formats, tools
from .parts.catalog import Catalog
from .parts.names import ToolNames
from .profiles import Profile
from .request import ChatTranslation, ResponsesTranslation
from .turns.turn import Unusual
from .turns.usual_items import UsualItems
from .turns.usual_messages import UsualMessages

Body = dict[str, Any]


class _Way(NamedTuple):
    """What is decided of a profile once, for one direction."""

    is_usual: bool
    shortcuts: dict[str, str | Rule | None]
    unknown: Literal["pass", "report"]
    finishes: bool = False  # there is something to rename or to add at the end


def to_chat(body: Any, context: Context, strict: bool) -> ChatTranslation | None:
    """Return the translation of a Responses request, without places; None for one that must go the general path.

    Then the report of *context* is of no use.
    """
    way = context.profile.derived(_way_to_chat)
    if not way.is_usual or not isinstance(body, dict):
        return None
    try:
        made = _to_chat(body, way, context)
    except (Unusual, TranslationError, RecursionError):
        return None
    return None if strict and context.report.refused() else made


def to_responses(body: Any, context: Context, strict: bool) -> ResponsesTranslation | None:
    """Return the translation of a chat request, without places; None for one that must go the general path.

    Then the report of *context* is of no use.
    """
    way = context.profile.derived(_way_to_responses)
    if not way.is_usual or not isinstance(body, dict):
        return None
    try:
        made = _to_responses(body, way, context)
    except (Unusual, TranslationError, RecursionError):
        return None
    return None if strict and context.report.refused() else made


def _check(body: Body) -> None:
    model, stream = body.get("model"), body.get("stream")
    if not isinstance(model, str) or len(model) > request.LONGEST_MODEL:
        raise Unusual
    if stream is not None and not isinstance(stream, bool):
        raise Unusual


# Responses -> chat


def _way_to_chat(profile: Profile) -> _Way:
    is_usual = not profile.alternating_roles and profile.call_ids == "any"
    ways = shortcuts(fields.REQUEST, fields.TO_CHAT, "chat", profile)
    return _Way(is_usual, ways, profile.unknown, bool(profile.added) or request.renames_here(profile))


_NOT_READ = frozenset({"messages", "background_options"})


def _to_chat(body: Body, way: _Way, context: Context) -> ChatTranslation:
    conversation = body.get("input")
    if conversation is None or not _NOT_READ.isdisjoint(body):
        raise Unusual
    chat: Body = {}
    _carry(body, chat, fields.TO_CHAT, way, context)
    _check(body)
    profile = context.profile
    items = UsualItems(_catalog(body, conversation, context), context)
    current_turn_only = "reasoning" in body and request.replays_current_turn_only(body, context)
    if "instructions" in body and body["instructions"] is not None:
        items.add_system(body["instructions"], profile.developer_role)
    if "text" in body and not profile.json_schema:
        _ask_for_schema(body["text"], items, profile)
    if isinstance(conversation, str):
        items.messages.append({"role": "user", "content": conversation})
    else:
        items.add(conversation, body["model"], current_turn_only)
    chat["messages"] = items.finish()
    if items.catalog or "tool_choice" in body or profile.declare_called_tools:
        toolset.to_chat(body, items.catalog, chat, context)
    if "include" in body or "top_logprobs" in body:
        request.add_logprobs(body, chat, context)
    if way.finishes:
        request.finish_chat(chat, context)
    elif profile.stream_usage and chat.get("stream"):
        chat["stream_options"] = {"include_usage": True}
    return ChatTranslation(chat, items.catalog, [], {}, [], items.transformations)


def _ask_for_schema(text: Body | None, items: UsualItems, profile: Profile) -> None:
    form = (text or {}).get("format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        items.add_system(formats.instruction(form), profile.developer_role)


def _catalog(body: Body, conversation: Any, context: Context) -> Catalog:
    """The declared tools; those that the input declares are read here only if that is the first that it does."""
    first = conversation[0] if conversation and isinstance(conversation, list) else None
    declares = isinstance(first, dict) and first.get("type") == "additional_tools"
    if not declares and ("tools" not in body or body["tools"] is None):
        return Catalog({})
    return tools.read_catalog({"tools": body.get("tools"), "input": [first] if declares else None}, context)


# chat -> Responses


def _way_to_responses(profile: Profile) -> _Way:
    ways = shortcuts(fields.REQUEST, fields.TO_RESPONSES, "responses", profile)
    return _Way(not profile.system_as_instructions, ways, profile.responses_unknown, additions.may_add(profile))


_MIXED = frozenset(
    {
        *("input", "instructions", "reasoning", "text", "max_output_tokens"),  # names of Responses
        *("functions", "function_call", "stop", "n"),
    }
)
_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})


def _to_responses(body: Body, way: _Way, context: Context) -> ResponsesTranslation:
    messages = body.get("messages")
    if not messages or not isinstance(messages, list) or not _MIXED.isdisjoint(body) or body.keys() >= _LIMITS:
        raise Unusual
    if isinstance(body.get("reasoning_effort"), dict):
        raise Unusual
    out: Body = {}
    _carry(body, out, fields.TO_RESPONSES, way, context)
    _check(body)
    names = ToolNames()
    out["input"] = UsualMessages(messages, names, context).read()
    if "tools" in body or "tool_choice" in body or "web_search_options" in body:
        toolset.to_responses(body, out, False, names, context)
    if "include" in body or "logprobs" in body or "top_logprobs" in body:
        request.add_include(body, out, context)
    request.add_store(body, out, context)
    added = additions.add(body, out, context) if way.finishes else frozenset[str]()
    return ResponsesTranslation(out, [], [], body, (), 1, _shows_usage(body), False, names, added)


def _shows_usage(body: Body) -> bool:
    return "stream_options" in body and bool((body["stream_options"] or {}).get("include_usage"))


# both


def _carry(body: Body, out: Body, rules: Rules, way: _Way, context: Context) -> None:
    """Do what `walk` does."""
    known = way.shortcuts
    for name, value in body.items():
        where = known.get(name, "")
        if where == "":
            walk(rules, {name: value}, out, context, way.unknown)
        elif isinstance(where, str):
            if value is not None:
                out[where] = value
        elif where is not None:
            where(value, out, context)
