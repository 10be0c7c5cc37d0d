"""How upstreams and clients differ, as data: one frozen Struct. The named profiles are in presets.py.

Quirks that can be recognised in an answer need no setting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NoReturn, TypeVar

import msgspec

OPENAI_ONLY = frozenset(
    {
        "verbosity",
        "moderation",
        "safety_identifier",
        "service_tier",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
    }
)


K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dict that cannot be changed and can be hashed; msgspec reads and writes it like any other."""

    def _refuse(self, *args: Any, **named: Any) -> NoReturn:
        raise TypeError("profiles cannot be changed: use replace()")

    __setitem__: Any = _refuse
    __delitem__: Any = _refuse
    __ior__: Any = _refuse
    clear: Any = _refuse
    pop: Any = _refuse
    popitem: Any = _refuse
    setdefault: Any = _refuse
    update: Any = _refuse

    def __hash__(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return hash(frozenset(self.items()))

    def __copy__(self) -> FrozenDict[K, V]:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenDict[K, V]:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


class Profile(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The settings of a translation. The defaults are what most servers understand.

    A profile is immutable and hashable; ``replace`` returns a changed copy.
    """

    name: str = "default"

    # what a Chat Completions upstream needs
    developer_role: Literal["system", "developer"] = "system"
    system_messages: Literal["separate", "leading", "one"] = "leading"
    """*leading*: those at the start are merged (many chat templates accept only one); *one*: all are merged."""
    alternating_roles: bool = False
    """User and assistant must alternate, the user first, and no user message may follow a tool message: consecutive
    messages of one role are merged, and placeholders fill the gaps."""
    content_lists: frozenset[str] = frozenset({"user"})
    """Roles whose content may be a list of parts; for the others, texts are joined."""
    refusals: bool = False
    """Accepts an assistant's `refusal`; otherwise it is sent as text."""
    media_in_tool_messages: bool = False
    renamed: dict[str, str] = FrozenDict(max_completion_tokens="max_tokens")
    """Chat request fields (dotted paths) that have another name at this upstream."""
    added: dict[str, str | int | bool] = FrozenDict()
    """Chat request fields (dotted paths) that are added unless the client sends them itself."""
    unsupported: frozenset[str] = OPENAI_ONLY
    """Chat request fields that this upstream refuses or ignores: left out and reported."""
    unknown: Literal["pass", "report"] = "pass"
    """Request fields that no specification has (`top_k`): passed on to the upstream, or left out and reported."""
    stream_usage: bool = True
    """Ask for usage in streams (`stream_options`)."""
    custom_tools: bool = False
    """Supports free-form tools; otherwise they are sent as functions with one string argument."""
    allowed_tools: bool = False
    """Supports the `allowed_tools` choice; otherwise only the allowed tools are declared."""
    named_choice: bool = True
    """Supports the choice of one named tool; otherwise only that tool is declared, and required (llama.cpp)."""
    declare_called_tools: bool = False
    """Refuses calls in the history unless tools are declared: if there are none, the called ones are declared."""
    call_ids: Literal["any", "nine_alphanumeric"] = "any"
    """The call ids that it accepts; the client keeps its own."""
    schemas: Literal["keep", "clean"] = "keep"
    """*clean*: it refuses most of JSON Schema (references, unions, constants): schemas are reduced and reported."""
    strict_functions: Literal["keep", "infer", "drop"] = "keep"
    """*infer*: an omitted `strict` becomes true where the schema allows it, as the Responses API does."""
    json_schema: bool = True
    """Supports the format `json_schema`; otherwise `json_object` is sent, with the schema as an instruction."""
    image_detail_original: bool = False
    efforts: tuple[str, ...] = ()
    """The reasoning efforts that it supports; empty: all. Others become the nearest one."""
    reasoning_field: Literal["reasoning_content", "reasoning", "reasoning_text", "content"] = "reasoning_content"
    """The field in which earlier reasoning text is sent back; *content*: as a part of type `thinking`."""
    signature_placeholder: str = ""
    """The thought signature for calls that have none, if the upstream refuses calls without one."""
    reasoning_replay: Literal["never", "tool_loop", "same_model", "always"] = "tool_loop"
    """Which earlier reasoning is sent back: none, that since the last user message, all of this model, or all."""
    object_arguments: bool = False
    """Refuses calls in the history whose arguments are not a JSON object; they are wrapped in one."""

    # what a Responses upstream needs
    responses_unsupported: frozenset[str] = frozenset()
    """Responses request fields (dotted paths) that it refuses or ignores: left out and reported."""
    responses_extras: frozenset[str] = frozenset()
    """Chat fields that Responses does not have (`stop`, `seed`), but this upstream accepts."""
    responses_unknown: Literal["pass", "report"] = "report"
    """Like `unknown`, for the fields that a chat client sends."""
    stores: bool = True
    """Can store Responses; otherwise `store` is always false."""
    encrypted_reasoning: bool = False
    """In live exchanges, request encrypted reasoning if nothing is stored; `reasoning_details` brings it back."""
    reasoning_summary: Literal["", "auto", "concise", "detailed"] = ""
    """The summaries to request if the client did not choose; without one, most models show no reasoning."""
    derive_prompt_cache_key: bool = False
    """Send a `prompt_cache_key` if the client sends none: a hash of model, system texts and first question."""
    system_as_instructions: bool = False
    """Requires `instructions` and refuses system messages: leading ones go there, later ones become `developer`."""
    responses_always_stream: bool = False
    """It only streams: clients that did not ask for a stream get the collected answer."""
    min_output_tokens: int = 1
    """The smallest `max_output_tokens` that it accepts (16 at OpenAI); smaller limits are raised to it."""
    deployments: bool = False
    """Has a path for each model, too (`/openai/deployments/NAME`), which is mapped to the path of the other API."""
    terminal_event: bool = True
    """Its streams end with a terminal event; otherwise a stream that ends after whole items is complete (R2)."""

    native_responses: Literal["plain", "trusted", "never"] = "plain"
    """With `auto`, which requests go to its own Responses endpoint; the others are translated if possible.

    *plain*: those with only messages and functions; many servers refuse or silently lose what else Codex sends.
    *never*: none, because its answers are wrong, too."""
    tokenizer: Literal["", "vllm", "llama.cpp"] = ""
    """Whose endpoints it has, beside its `/v1`, for counting tokens: `/tokenize`, with `/apply-template` or without."""
    default_model: str = ""
    """The model whose tokens are counted when a client names none."""
    reports_truncation: bool = False
    """Answers that reach their limit are `incomplete`; otherwise a text as long as its limit is treated as cut off."""

    cumulative_deltas: bool = False
    """Each delta repeats the whole text, reasoning or arguments so far, and only the end of it is new."""
    markup: frozenset[Literal["think", "reasoning", "tool_call"]] = frozenset()
    """Tags that the upstream leaves in its text, to be parsed as reasoning and calls."""

    # what the client gets
    events: Literal["openai", "openresponses"] = "openai"
    """The style of event names, error events and `[DONE]`."""
    reasoning_expose: Literal["auto", "off", "content", "summary", "both"] = "auto"
    """Where reasoning text goes; *auto*: into the summary if the client asked for one, else into the content.

    A chat client gets it as `reasoning_content`; *auto* uses whichever the upstream sends first."""
    message_separator: str = "\n\n"
    """The text between messages that are joined into one."""

    def __post_init__(self) -> None:
        for name, freeze in _FREEZE.items():
            value = getattr(self, name)
            if not isinstance(value, freeze):
                msgspec.structs.force_setattr(self, name, freeze(value))

    def replace(self, **changes: Any) -> Profile:
        """Return the same profile with other settings.

        Raises TypeError for an unknown setting, and for a value of the wrong type.

        >>> Profile().replace(efforts=("low", "high")).efforts
        ('low', 'high')
        """
        if unknown := changes.keys() - set(self.__struct_fields__):
            raise TypeError(
                f"a profile has no setting {min(unknown)!r}; its settings are: {', '.join(self.__struct_fields__)}"
            )
        try:
            return msgspec.convert(msgspec.structs.asdict(self) | changes, Profile)
        except msgspec.ValidationError as error:
            raise TypeError(f"invalid setting: {error}") from None

    def takes(self, path: str, goal: Literal["chat", "responses"] = "chat") -> bool:
        """Whether the upstream supports a request field (dotted path) of a dialect."""
        unsupported = self.unsupported if goal == "chat" else self.responses_unsupported
        return path not in unsupported and ("." not in path or path.split(".")[0] not in unsupported)

    def derived(self, make: Callable[[Profile], V]) -> V:
        """Return what *make* makes of this profile: it is made once, and shared."""
        known: Any = self.__dict__
        made: V | None = known.get(make)
        if made is None:
            made = known[make] = make(self)
        return made


_FREEZE: dict[str, type[Any]] = {
    "renamed": FrozenDict,
    "added": FrozenDict,
    "efforts": tuple,
    **dict.fromkeys(("content_lists", "unsupported", "responses_unsupported", "responses_extras", "markup"), frozenset),
}
