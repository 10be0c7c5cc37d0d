"""What a refusal teaches about an upstream (W12): a patch of the profile, with one rule for each lesson.

Each rule recognises the wording of a refusal, and applies only if the request has what is refused: an addition, a
spelling, or a parameter that the answer is no worse without. What the client relies on is never left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

import msgspec

from ..parts import upstream_errors
from ..profiles import Profile
from ..wire import json


class RefusedRequest(NamedTuple):
    """An upstream's refusal of *request*, which was made with *profile*."""

    profile: Profile
    request: dict[str, Any]
    status: int
    code: str | None
    param: str | None
    message: str
    added: Collection[str] = ()
    """The fields that were added here."""

    @property
    def said(self) -> str:
        return f"{self.param} {self.message}"

    @property
    def is_unknown(self) -> bool:
        """Whether something is refused because nobody knows it there."""
        return self.code in _UNKNOWN_CODES or _UNKNOWN.search(self.message) is not None

    @property
    def is_value(self) -> bool:
        """Whether something is refused because of its value."""
        return self.code in _VALUE_CODES or _VALUE.search(self.said) is not None


class Lesson(NamedTuple):
    """A rule: what *learn* returns becomes the *setting* of the profile; None if nothing was learned."""

    setting: str
    learn: Callable[[RefusedRequest], Any]
    statuses: tuple[int, ...] = (400, 422)


_VALUE = re.compile(
    r"too (large|small|long|high|low)|must be|at (most|least)|m(ax|in)imum|exceed|between|unsupported value", re.I
)
_VALUE_CODES = ("unsupported_value", "invalid_value", upstream_errors.CONTEXT_LENGTH_EXCEEDED)
_UNKNOWN_CODES = ("unsupported_parameter", "unknown_parameter")
_UNKNOWN = re.compile(
    r"unsupported|(not|n't) support|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed|extra (inputs|fields)",
    re.I,
)
_TEMPLATE = (400, 422, 500)  # chat templates raise, and servers take the blame (llama.cpp)


def learned(profile: Profile, request: dict[str, Any], status: int, body: bytes) -> Profile | None:
    """Return a profile that fits better to a chat upstream that refused *request*; None if nothing was learned."""
    return _first(_CHAT, profile, request, status, body, ())


def learned_of(
    added: Collection[str], profile: Profile, request: dict[str, Any], status: int, body: bytes
) -> Profile | None:
    """Return the same for a Responses upstream; *added* are the fields that the client did not ask for."""
    return _first(_RESPONSES, profile, request, status, body, added)


def _first(
    lessons: tuple[Lesson, ...],
    profile: Profile,
    request: dict[str, Any],
    status: int,
    body: bytes,
    added: Collection[str],
) -> Profile | None:
    if not any(status in lesson.statuses for lesson in lessons):
        return None
    error = upstream_errors.read(status, body)
    param, message = error.param and error.param[:_READ], error.message[:_READ]
    refusal = RefusedRequest(profile, request, status, error.code, param, message, added)
    for lesson in lessons:
        value = lesson.learn(refusal) if status in lesson.statuses else None
        if value is not None and value != getattr(profile, lesson.setting):
            return msgspec.structs.replace(profile, **{lesson.setting: value})
    return None


_READ = 4000  # characters; what is refused is said before


# Spelling


def _stream_usage(refusal: RefusedRequest) -> bool | None:
    return False if "stream_options" in refusal.request and "stream_options" in refusal.said else None


_DEVELOPER, _ROLE = re.compile(r"\bdeveloper\b"), re.compile(r"\broles?\b|['\"`]developer['\"`]", re.I)
_OTHERS = re.compile(r"should be ['\"]?system['\"]?,")  # the list of the roles that there are


def _developer_role(refusal: RefusedRequest) -> str | None:
    said = refusal.said
    if refusal.profile.developer_role != "developer" or not _ROLE.search(said):
        return None
    return "system" if _DEVELOPER.search(said) or _OTHERS.search(said) else None


def _limit(refusal: RefusedRequest) -> dict[str, str] | None:
    """`max_tokens` or `max_completion_tokens`: whichever it is not."""
    limit = next((name for name in ("max_tokens", "max_completion_tokens") if name in refusal.request), None)
    if limit is None or not refusal.is_unknown or refusal.is_value or not re.search(rf"\b{limit}\b", refusal.said):
        return None
    renamed = {k: v for k, v in refusal.profile.renamed.items() if k != "max_completion_tokens"}
    return renamed | ({"max_completion_tokens": "max_tokens"} if limit == "max_completion_tokens" else {})


_LEAST = re.compile(r"(?:>=|at least|minimum(?: value)?(?: of| is)?)\s*(\d{1,4})\b", re.I)
_MOST = 1024  # nobody asks for so little and gets so much


def _min_output_tokens(refusal: RefusedRequest) -> int | None:
    least = _LEAST.search(refusal.message) if "max_output_tokens" in refusal.said else None
    given = refusal.request.get("max_output_tokens")
    return int(least[1]) if least and isinstance(given, int) and given < int(least[1]) <= _MOST else None


# Reasoning: Groq and Mistral refuse that of earlier turns, Kimi and DeepSeek miss it

_REASONING = re.compile(r"\b(reasoning_content|reasoning_details|reasoning)\b")
_MISSING = re.compile(
    r"missing|must be (passed|sent|provided|included)|(is|are) required|must (contain|include|have)", re.I
)


def _reasoning_replay(refusal: RefusedRequest) -> str | None:
    named = {match[1] for match in _REASONING.finditer(refusal.said)}
    if named and _MISSING.search(refusal.message):
        return "always"
    sent = {name for message in _messages(refusal.request) for name in named if message.get(name)}
    return "never" if sent and refusal.is_unknown else None


# Templates

_FIRST = re.compile(
    r"system (message|prompt|role).{0,60}\b(begin|first|start|position 0)|(only|single|one|multiple) system messages?"
    r"|(first|initial) message.{0,30}\bsystem|system.{0,40}\bmust (be|come|appear).{0,30}\b(first|begin|start)",
    re.I | re.S,
)


def _system_messages(refusal: RefusedRequest) -> str | None:
    """Templates of Qwen: "System message must be at the beginning."."""
    roles = [message.get("role") for message in _messages(refusal.request)]
    return "one" if {"system", "developer"} & set(roles[1:]) and _FIRST.search(refusal.message) else None


_ARGUMENTS = re.compile(
    r"argument|json|pars(e|ing)|delimiter|expecting|unterminated|item pairs|mapping|dict|tool.?call|object", re.I
)


def _object_arguments(refusal: RefusedRequest) -> bool | None:
    """vLLM and llama.cpp parse the arguments of earlier calls, and tell what their parser says."""
    is_told = _ARGUMENTS.search(refusal.message) is not None
    return True if is_told and not all(map(_is_object, _arguments(refusal.request))) else None


def _arguments(request: dict[str, Any]) -> Iterator[Any]:
    for message in _messages(request):
        for call in message.get("tool_calls") or ():
            if "function" in call:
                yield call["function"].get("arguments")
    for item in _objects(request.get("input")):
        if item.get("type") == "function_call":
            yield item.get("arguments")


def _is_object(arguments: Any) -> bool:
    try:
        return isinstance(json.decode(arguments), dict)
    except (TypeError, ValueError):
        return False


def _messages(request: dict[str, Any]) -> list[dict[str, Any]]:
    return _objects(request.get("messages"))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


# Parameters

OMITTABLE = (
    *("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed"),  # how tokens are chosen
    *("reasoning_effort", "reasoning.effort", "verbosity", "text.verbosity"),  # how much is thought and said
    "parallel_tool_calls",  # models that refuse it make one call at a time (o3, o4-mini)
    *("service_tier", "user", "safety_identifier", "metadata"),  # who asks, and how fast
    *("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),  # what it costs
)
"""Parameters without which the client still gets the same kind of answer. That excludes tools, formats, limits, stop
sequences, log-probabilities and messages: refusals of those reach the client."""
_ONLY = re.compile(
    r"unsupported value|only (the )?default|does(n't| not) support|only \S+ is (allowed|supported)"
    r"|must be (set to )?(exactly )?1(\.0)?(?![\w.])|cannot both be|only one of",
    re.I,
)
_RANGE = re.compile(r"between|less than|greater than|at (most|least)|m(ax|in)imum|[<>]=|range", re.I)


def _unsupported(refusal: RefusedRequest) -> frozenset[str] | None:
    return _left_out(refusal, refusal.profile.unsupported)


def _responses_unsupported(refusal: RefusedRequest) -> frozenset[str] | None:
    return _left_out(refusal, refusal.profile.responses_unsupported)


def _left_out(refusal: RefusedRequest, before: frozenset[str]) -> frozenset[str] | None:
    """The parameters that are not taken, with those that were not taken before."""
    said, candidates = refusal.param or refusal.message, set[str]()
    if refusal.is_unknown:
        candidates.update(refusal.added)
    has_range = refusal.code != "unsupported_value" and _RANGE.search(refusal.message) is not None
    if not has_range and (refusal.is_unknown or _ONLY.search(refusal.message)):
        candidates.update(name for name in OMITTABLE if _has(refusal.request, name))
    refused = {name for name in candidates if _names(name).search(said)}
    return before | refused if refused else None


def _names(name: str) -> re.Pattern[str]:
    """How *name* is spelled: `presence_penalty`, `presencePenalty`, but not in another path."""
    spelled = "[._]?".join(map(re.escape, re.split(r"[._]", name)))
    return re.compile(rf"(?<![\w.]){spelled}(?![\w\[]|\.\w)", re.I)


def _has(request: dict[str, Any], path: str) -> bool:
    *parents, name = path.split(".")
    for parent in parents:
        inner = request.get(parent)
        request = inner if isinstance(inner, dict) else {}
    return name in request


_CHAT = (
    Lesson("stream_usage", _stream_usage),
    Lesson("developer_role", _developer_role),
    Lesson("renamed", _limit),
    Lesson("reasoning_replay", _reasoning_replay),
    Lesson("system_messages", _system_messages, _TEMPLATE),
    Lesson("object_arguments", _object_arguments, _TEMPLATE),
    Lesson("unsupported", _unsupported),
)
_RESPONSES = (
    Lesson("min_output_tokens", _min_output_tokens),
    Lesson("responses_unsupported", _responses_unsupported),
    Lesson("object_arguments", _object_arguments, _TEMPLATE),
)
