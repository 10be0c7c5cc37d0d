"""What a profile adds to a Responses request if the chat client left it out.

An upstream may refuse an addition: `refused` tells which settings the refusal is about.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from .context import Context
from .parts import upstream_errors
from .profiles import Profile
from .turns.to_responses import ItemBuilder
from .wire import json

SEALED = "reasoning.encrypted_content"
_SYSTEM = ("system", "developer")


def may_add(profile: Profile) -> bool:
    """Whether `add` has anything to do."""
    return bool(
        profile.responses_always_stream
        or profile.encrypted_reasoning
        or profile.reasoning_summary
        or profile.derive_prompt_cache_key
    )


def add(chat: dict[str, Any], out: dict[str, Any], context: Context) -> frozenset[str]:
    """Add to *out*, the request made from *chat*; return the settings whose additions may be refused."""
    profile, added = context.profile, set[str]()
    included, reasoning = out.get("include", []), out.get("reasoning") or {}
    if profile.responses_always_stream:
        out["stream"] = True
    sees_answer = context.live  # elsewhere, nobody would bring it back
    if profile.encrypted_reasoning and sees_answer and out.get("store") is False and SEALED not in included:
        out["include"] = [*included, SEALED]
        added.add("encrypted_reasoning")
    if profile.reasoning_summary and reasoning.get("summary") is None and reasoning.get("generate_summary") is None:
        out["reasoning"] = {**reasoning, "summary": profile.reasoning_summary}
        added.add("reasoning_summary")
    if profile.derive_prompt_cache_key and chat.get("prompt_cache_key") is None:
        out["prompt_cache_key"] = _cache_key(out, out["input"])
        added.add("derive_prompt_cache_key")
    return frozenset(added)


# system messages as `instructions`


def instruct(items: ItemBuilder, out: dict[str, Any], context: Context) -> None:
    """Move leading system messages into `instructions`, which are required; later ones become developer messages."""
    texts: list[str] = [out["instructions"]] if "instructions" in out else []
    first = 0
    for item in items.items[:-1]:  # there has to be some input
        text = _text(item) if item.get("type") == "message" and item.get("role") in _SYSTEM else None
        if text is None:
            break
        texts.append(text)
        first += 1
    items.remove_first(first)
    out["instructions"], out["input"] = "\n\n".join(texts), items.items
    for i, item in enumerate(items.items):
        if item.get("type") == "message" and item.get("role") == "system":
            context.report.emulated(
                items.origins[i], "a system message that is not at the start becomes a developer message"
            )
            items.items[i] = {**item, "role": "developer"}


def _text(item: dict[str, Any]) -> str | None:
    """Return the text of a message that has nothing else."""
    content = item.get("content")
    if isinstance(content, str):
        return content
    texts = (
        [part.get("text") if isinstance(part, dict) else None for part in content] if isinstance(content, list) else []
    )
    return "\n\n".join(map(str, texts)) if texts and all(isinstance(text, str) for text in texts) else None


# a key for the upstream's cache


def _cache_key(request: dict[str, Any], items: list[dict[str, Any]]) -> str:
    """Return one key for all requests of a conversation: a hash of its model, system texts and first question."""
    beginning = [request["model"], request.get("instructions"), *_beginning(items)]
    return f"conversation-{hashlib.sha256(json.encode(beginning)).hexdigest()[:32]}"


def _beginning(items: list[dict[str, Any]]) -> Iterator[Any]:
    """Return the texts up to the first one of the user, without media, whose bytes may not be available."""
    for item in items:
        role, content = item.get("role"), item.get("content")
        if role in (*_SYSTEM, "user"):
            parts = content if isinstance(content, list) else [{"text": content}]
            yield [role, *(part.get("text") for part in parts if isinstance(part, dict))]
        if role == "user":
            return


# what a refusal says of it

_ABOUT = {
    "encrypted_reasoning": re.compile(r"\binclude\b|encrypted[ _]content", re.I),
    "reasoning_summary": re.compile(r"reasoning[._]summar|\bsummar(y|ies)\b", re.I),
    "derive_prompt_cache_key": re.compile(r"prompt_cache_key"),
}
_OFF: dict[str, Any] = {"encrypted_reasoning": False, "reasoning_summary": "", "derive_prompt_cache_key": False}


def refused(added: Iterable[str], profile: Profile, status: int, body: bytes) -> Profile | None:
    """Return *profile* without the settings whose additions an upstream has refused; None if the error names none.

    Some models support neither, and some accounts get no summaries.
    """
    if status not in (400, 422):
        return None
    error = upstream_errors.read(status, body)
    text = f"{error.param} {error.message}"
    off = {name: _OFF[name] for name in sorted(added) if _ABOUT[name].search(text)}
    return msgspec.structs.replace(profile, **off) if off else None
