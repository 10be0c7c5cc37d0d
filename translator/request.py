"""Requests: Responses <-> Chat Completions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from . import additions, fields, spellings, toolset
from .additions import SEALED as SEALED
from .context import Context
from .errors import RequestError, UntranslatableError
from .losses import Report
from .mapping import put, put_supported, walk
from .parts import background, formats, limits, tools
from .parts.catalog import Catalog
from .parts.names import ToolNames
from .profiles import Profile
from .turns.to_chat import MessageBuilder
from .turns.to_responses import ItemBuilder
from .wire import validate

_LOGPROBS = "message.output_text.logprobs"
_NOTHING_TO_INCLUDE = (  # what these would show comes from tools that the server runs, or from a store
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "code_interpreter_call.outputs",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
)


class ResponsesTranslation(NamedTuple):
    """A Responses request made from a chat request, and what is needed to read its answer."""

    body: dict[str, Any]
    origins: list[str]  # for each item, the path of the message or call that it came from
    declared: list[str]  # for each tool, the path of its declaration
    source: dict[str, Any]  # the chat request, as far as it was read
    stops: tuple[str, ...]  # stop sequences that are looked for here
    copies: int  # how often the request is to be sent
    include_usage: bool
    legacy: bool  # the client knows `functions`, not `tools`
    names: ToolNames  # of the tools: the upstream's and the client's
    added: frozenset[str] = frozenset()  # settings of the profile that added something


Translation = TypeVar("Translation", "ChatTranslation", "ResponsesTranslation")


class ChatTranslation(NamedTuple):
    """A chat request made from a Responses request, and what is needed to read its answer."""

    body: dict[str, Any]
    catalog: Catalog
    origins: list[str]  # for each message, the path of the item that it came from
    calls: dict[int, list[str]]  # for a message with calls, the paths of their items
    declared: list[str]  # for each tool, the path of its declaration
    transformations: list[dict[str, Any]]  # the reasoning that was left out, as the answer lists it


def to_chat(
    body: dict[str, Any],
    *,
    report: Report | None = None,
    profile: Profile | str | None = None,
    strict: bool = False,
) -> dict[str, Any]:
    """Return the Chat Completions request for a Responses request; losses are added to *report*.

    *profile* is a Profile, or the name of a preset. Raises RequestError when *body* is not a Responses request or asks
    for state, and UntranslatableError when *strict* and something would be dropped or approximated. What only a live
    exchange (`ServeResponses`) emulates is dropped. *body* is not modified; parts of it are shared with the result.
    """
    return translate_to_chat(body, Context.of(profile, report), strict=strict).body


def translate_to_chat(body: Any, context: Context, *, strict: bool = False) -> ChatTranslation:
    """Translate a request and keep what reading the answer needs (specification: protocol 1.2)."""
    return _checked(_to_chat, body, context, strict)


def _checked(
    translate: Callable[[dict[str, Any], Context], Translation], body: Any, context: Context, strict: bool
) -> Translation:
    try:
        made = translate(validate.mapping(body, "body"), context._replace(strict=True) if strict else context)
    except RecursionError:
        raise RequestError("The request is nested too deeply.") from None
    if strict and (losses := context.report.refused()):
        raise UntranslatableError(losses)
    return made


LONGEST_MODEL = 1_024  # every chunk of a chat stream repeats it


def _to_chat(body: dict[str, Any], context: Context) -> ChatTranslation:
    settings = _configured(body)
    if settings:
        body = {**body, **settings}
    chat: dict[str, Any] = {}
    walk(fields.TO_CHAT, body, chat, context, context.profile.unknown)
    if body.get("input") is None and body.get("messages") is not None:
        raise RequestError(
            "'messages' belongs to POST /chat/completions; send the conversation in 'input'.", "messages"
        )
    _check(body, "input", "instructions")
    if body.get("background_options") is not None:
        background.check(body, context)
    catalog = tools.read_catalog(body, context)
    builder = _read_conversation(body, catalog, context)
    conversation = builder.conversation
    chat["messages"] = conversation.messages
    declared = toolset.to_chat(body, catalog, chat, context)
    add_logprobs(body, chat, context)
    finish_chat(chat, context)
    origins, call_origins = conversation.origins, conversation.call_origins
    return ChatTranslation(chat, catalog, origins, call_origins, declared, builder.transformations)


def finish_chat(chat: dict[str, Any], context: Context) -> None:
    """Make the last changes to a chat request: what the upstream calls otherwise, and what is added for it."""
    if chat.get("stream") and context.profile.stream_usage:
        chat["stream_options"] = {"include_usage": True}
    if renames_here(context.profile):
        _rename(chat, context.profile.renamed)
    for name, value in context.profile.added.items():
        if name.split(".")[0] not in chat:
            put(chat, name, value)


_RENAMED_HERE = ("tools", "tool_choice", "parallel_tool_calls", "logprobs", "top_logprobs")
"""What code writes; the rows rename the rest."""


def renames_here(profile: Profile) -> bool:
    """Whether the upstream has another name for something that code writes."""
    return not profile.renamed.keys().isdisjoint(_RENAMED_HERE)


def _rename(chat: dict[str, Any], renamed: dict[str, str]) -> None:
    for name in _RENAMED_HERE:
        if name in chat and name in renamed:
            put(chat, renamed[name], chat.pop(name))


def _check(body: dict[str, Any], *conversation: str) -> None:
    if len(validate.text(body.get("model"), "model")) > LONGEST_MODEL:
        raise RequestError(f"Invalid 'model': longer than {LONGEST_MODEL} characters.", "model")
    for name in conversation:
        if body.get(name) is not None:
            break
    else:
        raise validate.missing(conversation[0])
    if body.get("stream") is not None and not isinstance(body["stream"], bool):
        raise validate.wrong_type("stream", "a boolean", body["stream"])


def _configured(body: dict[str, Any]) -> dict[str, Any]:
    """Return *body* with the settings that `configuration_update` items change: the last one wins (protocol 2.7)."""
    settings: dict[str, dict[str, Any]] = {}
    items = body.get("input")
    for i, item in enumerate(items if isinstance(items, list) else []):
        if not isinstance(item, dict) or item.get("type") != "configuration_update":
            continue
        for name in ("reasoning", "text"):
            if item.get(name) is not None:
                if name not in settings:
                    settings[name] = {**validate.mapping(body.get(name) or {}, name)}
                settings[name].update(validate.mapping(item[name], f"input[{i}].{name}"))
    return settings


def _read_conversation(body: dict[str, Any], catalog: Catalog, context: Context) -> MessageBuilder:
    builder = MessageBuilder(catalog, context, body["model"], replays_current_turn_only(body, context))
    if body.get("instructions") is not None:
        builder.add_system(body["instructions"], "instructions")
    form = (body.get("text") or {}).get("format")
    if isinstance(form, dict) and form.get("type") == "json_schema" and not context.profile.json_schema:
        builder.add_system(formats.instruction(form), "text.format")
    if body.get("input") is not None:
        builder.add(body["input"])
    builder.conversation.finish()
    return builder


def replays_current_turn_only(body: dict[str, Any], context: Context) -> bool:
    """Whether the client wants no reasoning of earlier turns sent back; that it wants all may be reported."""
    replayed = (body.get("reasoning") or {}).get("context")
    if replayed == "all_turns" and context.profile.reasoning_replay in ("never", "tool_loop"):
        context.report.approximated("reasoning.context", "reasoning of earlier turns is not sent back")
    return replayed == "current_turn"


def add_logprobs(body: dict[str, Any], chat: dict[str, Any], context: Context) -> None:
    """Ask for log-probabilities, and report what chat answers cannot include."""
    include = validate.optional_array(body.get("include"), "include")
    for i, name in enumerate(include):
        if name not in (_LOGPROBS, SEALED, *_NOTHING_TO_INCLUDE):
            context.report.dropped(f"include[{i}]", "chat answers cannot include it", name)
        elif name == SEALED and not context.live:
            context.report.dropped(f"include[{i}]", "only a live exchange can seal the answer's reasoning", name)
    top = body.get("top_logprobs")
    if (_LOGPROBS in include or top) and not context.profile.takes("logprobs"):
        context.report.dropped("top_logprobs" if top else "include", "the upstream does not support it")
    elif _LOGPROBS in include or top:
        chat["logprobs"] = True
        if top and context.profile.takes("top_logprobs"):
            chat["top_logprobs"] = top
        elif top:
            context.report.dropped("top_logprobs", "the upstream does not support it", top)


# Chat -> Responses


def to_responses(
    body: dict[str, Any],
    *,
    report: Report | None = None,
    profile: Profile | str | None = None,
    strict: bool = False,
) -> dict[str, Any]:
    """Return the Responses request for a chat request; losses are added to *report*.

    *profile* is a Profile, or the name of a preset. Raises RequestError when *body* is not a chat request or asks for
    what Responses cannot give (audio), and UntranslatableError when *strict* and something would be dropped or
    approximated. What only a live exchange (`ServeChat`) emulates, `stop` and `n` for example, is dropped. *body* is
    not modified; parts of it are shared with the result.
    """
    return translate_to_responses(body, Context.of(profile, report), strict=strict).body


def translate_to_responses(body: Any, context: Context, *, strict: bool = False) -> ResponsesTranslation:
    """Translate a request and keep what reading the answer needs (specification: protocol 1.1)."""
    return _checked(_to_responses, body, context, strict)


def _to_responses(body: dict[str, Any], context: Context) -> ResponsesTranslation:
    _check(body, "messages", "input")
    body = spellings.without_synonyms(body, context)
    out: dict[str, Any] = {}
    early, late = body, {}
    if "stop" in body or "n" in body:  # that may be refused, but for better reasons first
        early, late = {**body}, {name: body[name] for name in ("stop", "n") if name in body}
        for name in late:
            del early[name]
    walk(fields.TO_RESPONSES, early, out, context, context.profile.responses_unknown)
    names = ToolNames()
    items = ItemBuilder(context, names)
    if body.get("input") is None:
        items.add(body["messages"])
    else:
        items.add_items(body["input"])
    _instruct(body, items, out, context)
    out["input"] = items.items
    legacy = bool(body.get("functions")) and not body.get("tools")
    declared = toolset.to_responses(body, out, legacy, names, context)
    add_include(body, out, context)
    add_store(body, out, context)
    if context.profile.system_as_instructions:
        additions.instruct(items, out, context)
    added = additions.add(body, out, context)
    if late:
        walk(fields.TO_RESPONSES, late, out, context, "report")
    return ResponsesTranslation(
        body=out,
        origins=items.origins,
        declared=declared,
        source=body,
        stops=() if "stop" in out else limits.stops(body.get("stop"), "stop", context),
        copies=1 if "n" in out else limits.copies(body.get("n"), "n", context),
        include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        legacy=legacy,
        names=names,
        added=added,
    )


def _instruct(body: dict[str, Any], items: ItemBuilder, out: dict[str, Any], context: Context) -> None:
    """Send a chat client's `instructions`, which it may use beside system messages."""
    if body.get("instructions") is None:
        return
    instructions = validate.text(body["instructions"], "instructions")
    if context.profile.takes("instructions", "responses"):
        out["instructions"] = instructions
    else:
        context.report.emulated("instructions", "sent as a system message")
        items.put_in_front({"type": "message", "role": "system", "content": instructions}, "instructions")


def add_include(body: dict[str, Any], out: dict[str, Any], context: Context) -> None:
    """Ask for what the answer is to include, log-probabilities among them."""
    include = list(validate.optional_array(body.get("include"), "include"))
    logprobs, top = body.get("logprobs"), body.get("top_logprobs")
    if top and not logprobs:
        raise RequestError("'top_logprobs' is only allowed when 'logprobs' is enabled.", "top_logprobs")
    if not context.profile.takes("include", "responses"):
        for name in ("include", "logprobs", "top_logprobs"):
            if body.get(name):
                context.report.dropped(name, "the upstream does not support 'include'", body[name])
        return
    if logprobs and _LOGPROBS not in include:
        include.append(_LOGPROBS)
    if include:
        out["include"] = include
    if top:
        put_supported(out, "top_logprobs", top, "top_logprobs", context)


def add_store(body: dict[str, Any], out: dict[str, Any], context: Context) -> None:
    """Set `store`: by default a Response is stored and a chat completion is not (protocol 1.3)."""
    store = body.get("store")
    if not context.profile.takes("store", "responses"):
        if store:
            context.report.dropped("store", "the upstream does not support 'store'", store)
        return
    if store and not context.profile.stores:
        context.report.dropped("store", "the upstream stores nothing", store)
        store = False
    if store:
        context.report.approximated("store", "it is stored as a Response, not as a chat completion", store)
    out["store"] = False if store is None else store
