"""Requests: Responses -> Chat Completions."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import fields
from .errors import BadRequest, NotSayable
from .losses import Report
from .mapping import walk
from .parts import choices, formats, tools
from .profiles import Profile, Terms
from .turns import Turns
from .wire import shape

_LOGPROBS = "message.output_text.logprobs"
SEALED = "reasoning.encrypted_content"
_NOTHING_TO_INCLUDE = (  # what these would show comes from tools that the server runs, or from a store
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "code_interpreter_call.outputs",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
)


class Translated(NamedTuple):
    """A request in the other dialect, and what is needed to read the answer to it."""

    chat: dict[str, Any]
    catalog: tools.Catalog
    origins: list[str]  # for each message, the path of the item that it came from
    calls: dict[int, list[str]]  # for a message with calls, the paths of their items
    declared: list[str]  # for each tool, the path of its declaration


def to_chat(
    body: dict[str, Any], report: Report | None = None, profile: Profile | None = None, *, strict: bool = False
) -> dict[str, Any]:
    """Return the Chat Completions request for a Responses request; what was lost is in *report*.

    Raises BadRequest when *body* is not a Responses request or asks for state, and NotSayable when *strict* and
    something would be dropped or approximated. *body* is not modified; parts of it are shared with the result.
    """
    return translate(body, Terms(profile or Profile(), Report() if report is None else report), strict).chat


def translate(body: Any, terms: Terms, strict: bool = False) -> Translated:
    """Translate a request and keep what reading the answer needs (specification: protocol 1.2)."""
    try:
        translated = _translate(shape.mapping(body, "body"), terms)
    except RecursionError:
        raise BadRequest("The request is nested too deeply.") from None
    losses = terms.report.refused()
    if strict and losses:
        raise NotSayable(losses)
    return translated


def _translate(body: dict[str, Any], terms: Terms) -> Translated:
    body = {**body, **_configured(body)}
    chat: dict[str, Any] = {}
    walk(fields.TO_CHAT, body, chat, terms)
    _check(body)
    catalog = tools.declared(body, terms)
    turns = _turns(body, catalog, terms)
    chat["messages"] = turns.messages
    declared = _add_tools(body, catalog, chat, terms)
    _add_logprobs(body, chat, terms)
    if chat.get("stream") and terms.profile.stream_usage:
        chat["stream_options"] = {"include_usage": True}
    return Translated(chat, catalog, turns.origins, turns.call_origins, declared)


def _check(body: dict[str, Any]) -> None:
    shape.text(body.get("model"), "model")
    if body.get("input") is None and body.get("instructions") is None:
        raise shape.missing("input")
    if not isinstance(body.get("stream"), (bool, type(None))):
        raise shape.wrong_type("stream", "a boolean", body["stream"])


def _configured(body: dict[str, Any]) -> dict[str, Any]:
    """The settings that `configuration_update` items change: the last one wins (protocol 2.7)."""
    changed: dict[str, Any] = {}
    items = body.get("input")
    for i, item in enumerate(items if isinstance(items, list) else []):
        if not isinstance(item, dict) or item.get("type") != "configuration_update":
            continue
        for name in ("reasoning", "text"):
            if item.get(name) is not None:
                before = changed.get(name) or shape.mapping(body.get(name) or {}, name)
                changed[name] = {**before, **shape.mapping(item[name], f"input[{i}].{name}")}
    return changed


def _turns(body: dict[str, Any], catalog: tools.Catalog, terms: Terms) -> Turns:
    context = (body.get("reasoning") or {}).get("context")
    turns = Turns(catalog, terms, body["model"], current_turn_only=context == "current_turn")
    if context == "all_turns" and terms.profile.reasoning_replay in ("never", "tool_loop"):
        terms.report.approximated("reasoning.context", "reasoning of earlier turns does not go back")
    if body.get("instructions") is not None:
        turns.add_system(body["instructions"], "instructions")
    form = (body.get("text") or {}).get("format")
    if isinstance(form, dict) and form.get("type") == "json_schema" and not terms.profile.json_schema:
        turns.add_system(formats.instruction(form), "text.format")
    if body.get("input") is not None:
        turns.add(body["input"])
    return turns


def _add_tools(body: dict[str, Any], catalog: tools.Catalog, chat: dict[str, Any], terms: Terms) -> list[str]:
    """Declare the tools and the choice among them; return the paths of the declarations."""
    choice, declared = choices.to_chat(body.get("tool_choice"), catalog, terms)
    if choice is not None and not terms.profile.takes("tool_choice"):
        if choice == "none":
            terms.report.emulated("tool_choice", "no tools are declared")
            declared = []
        elif choice != "auto":
            terms.report.dropped("tool_choice", "the upstream does not take it", choice)
        choice = None
    if not declared:
        return []
    chat["tools"] = [tool.chat for tool in declared]
    if choice is not None:
        chat["tool_choice"] = choice
    parallel = body.get("parallel_tool_calls")
    if parallel is not None and terms.profile.takes("parallel_tool_calls"):
        chat["parallel_tool_calls"] = parallel
    elif parallel is False:
        terms.report.dropped("parallel_tool_calls", "the upstream does not take it", parallel)
    return [tool.path for tool in declared]


def _add_logprobs(body: dict[str, Any], chat: dict[str, Any], terms: Terms) -> None:
    wanted = shape.optional_array(body.get("include"), "include")
    for i, name in enumerate(wanted):
        if name not in (_LOGPROBS, SEALED, *_NOTHING_TO_INCLUDE):
            terms.report.dropped(f"include[{i}]", "nothing of that name can be included", name)
    top = body.get("top_logprobs")
    if (_LOGPROBS in wanted or top) and not terms.profile.takes("logprobs"):
        terms.report.dropped("top_logprobs" if top else "include", "the upstream does not take it")
    elif _LOGPROBS in wanted or top:
        chat["logprobs"] = True
        if top:
            chat["top_logprobs"] = top
