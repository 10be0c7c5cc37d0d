"""What differs between upstreams and between clients: data, one frozen Struct. presets.py has those with a name.

What all servers do wrong in their own way is read without any setting.
"""

from __future__ import annotations

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
        raise TypeError("profiles cannot be changed: replace() makes another one")

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


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one translation. The defaults are the most widely understood form of each thing.

    It cannot be changed and can be hashed; ``replace`` makes another one of it.
    """

    name: str = "default"

    # what a Chat Completions upstream needs
    developer_role: Literal["system", "developer"] = "system"
    system_messages: Literal["separate", "leading", "one"] = "leading"
    """*leading*: those at the start become one message (many chat templates take one); *one*: all of them do."""
    alternating_roles: bool = False
    """User and assistant must take turns, the user first, and no user may follow a tool: neighbours of one role become
    one message, and who is missing says a word."""
    content_lists: frozenset[str] = frozenset({"user"})
    """Roles whose content may be a list of parts; for the others, texts are joined."""
    refusals: bool = False
    """Takes an assistant's `refusal`; otherwise it is told as text."""
    media_in_tool_messages: bool = False
    renamed: dict[str, str] = FrozenDict(max_completion_tokens="max_tokens")
    """Chat request fields (dotted paths) that this upstream knows under another name."""
    added: dict[str, str | int | bool] = FrozenDict()
    """Chat request fields (dotted paths) that are sent along unless the client sends them itself."""
    unsupported: frozenset[str] = OPENAI_ONLY
    """Chat request fields that this upstream refuses or ignores: left out and reported."""
    unknown: Literal["pass", "report"] = "pass"
    """Request fields that no specification has (`top_k`): handed to the upstream, or left out and reported."""
    stream_usage: bool = True
    """Ask for usage in streams (`stream_options`)."""
    custom_tools: bool = False
    """Takes free-form tools natively; otherwise they are wrapped as functions."""
    allowed_tools: bool = False
    """Takes the `allowed_tools` choice; otherwise only the allowed tools are declared."""
    named_choice: bool = True
    """Takes a choice of one named tool; otherwise only that tool is declared, and required (llama.cpp)."""
    declare_called_tools: bool = False
    """Takes calls in history only beside declared tools: where there are none, those that were called are declared."""
    call_ids: Literal["any", "nine_alphanumeric"] = "any"
    """The ids of calls that it takes; the client keeps its own."""
    schemas: Literal["keep", "clean"] = "keep"
    """*clean*: it refuses most of JSON Schema (references, unions, constants); what it takes is left, and reported."""
    strict_functions: Literal["keep", "infer", "drop"] = "keep"
    """*infer*: an omitted `strict` becomes true where the schema allows it, as the Responses API does."""
    json_schema: bool = True
    """Takes `json_schema` as a response format; otherwise `json_object` and the schema as an instruction."""
    image_detail_original: bool = False
    efforts: tuple[str, ...] = ()
    """The reasoning efforts that it takes; empty: all. Others become the nearest one."""
    reasoning_field: Literal["reasoning_content", "reasoning", "reasoning_text", "content"] = "reasoning_content"
    """Where earlier reasoning text goes back to; *content*: as a part of type `thinking` among the others."""
    signature_placeholder: str = ""
    """What stands for the thought signature of calls that have none, where a call without one is refused."""
    reasoning_replay: Literal["never", "tool_loop", "same_model", "always"] = "tool_loop"
    """Which earlier reasoning text goes back: none, that since the last user message, all of this model, or all."""
    object_arguments: bool = False
    """Refuses calls in the history whose arguments are no JSON object; they are wrapped in one."""

    # what a Responses upstream needs
    responses_unsupported: frozenset[str] = frozenset()
    """Responses request fields (dotted paths) that it refuses or ignores: left out and reported."""
    responses_extras: frozenset[str] = frozenset()
    """Chat fields that Responses requests have no word for (`stop`, `seed`) and that it takes all the same."""
    responses_unknown: Literal["pass", "report"] = "report"
    """As `unknown`, for what a chat client sends."""
    stores: bool = True
    """Can keep Responses; otherwise `store` is always false."""
    encrypted_reasoning: bool = False
    """In live exchanges, ask for encrypted reasoning where nothing is stored: `reasoning_details` bring it back."""
    reasoning_summary: Literal["", "auto", "concise", "detailed"] = ""
    """Ask for such summaries where the client did not say: without, most models' thoughts stay invisible."""
    derive_prompt_cache_key: bool = False
    """Send a `prompt_cache_key` where the client has none: a hash of model, system texts and first question."""
    system_as_instructions: bool = False
    """Takes no system messages, and wants `instructions`: those in front go there, later ones are the developer's."""
    responses_always_stream: bool = False
    """It only streams: it is asked to, and a client that wants the answer whole gets it gathered."""
    min_output_tokens: int = 1
    """The smallest `max_output_tokens` that it takes (16 at OpenAI); smaller limits become this one."""
    deployments: bool = False
    """Has each model at a path of its own, too: `/openai/deployments/NAME` leads to where the other API is."""
    terminal_event: bool = True
    """Its streams end with one; otherwise a stream that ends after whole items counts as complete (R2)."""

    native_responses: Literal["plain", "trusted", "never"] = "plain"
    """What its own Responses endpoint serves where that is found out (`auto`); the rest is translated if it can be.

    *plain*: what has messages and functions only; what Codex sends besides is refused by many, or lost in silence.
    *never*: its answers are wrong, too."""
    reports_truncation: bool = False
    """Its answers that hit their limit are `incomplete`; otherwise a text as long as its limit counts as cut."""

    cumulative_deltas: bool = False
    """Each piece of its streams has all of the text so far, the thoughts or the arguments, and only its end is new."""
    markup: frozenset[Literal["think", "reasoning", "tool_call"]] = frozenset()
    """Tags that the upstream leaves in its text, to be read as reasoning and as calls."""

    # what the client gets
    events: Literal["openai", "openresponses"] = "openai"
    """Flavour of event names, error events and `[DONE]`."""
    reasoning_expose: Literal["auto", "off", "content", "summary", "both"] = "auto"
    """Where reasoning text goes; *auto*: into the summary when the client asked for one, else into the content.

    A chat client gets it as `reasoning_content`; *auto* takes whichever the upstream sends first."""
    message_separator: str = "\n\n"
    """What stands between the texts of several messages when they become one."""

    def __post_init__(self) -> None:
        for name, freeze in _FREEZE.items():
            value = getattr(self, name)
            if not isinstance(value, freeze):
                msgspec.structs.force_setattr(self, name, freeze(value))

    def replace(self, **changes: Any) -> Profile:
        """Return the same profile with other settings.

        Raises TypeError for a setting that there is not, and for a value that is none of its kind.

        >>> Profile().replace(efforts=("low", "high")).efforts
        ('low', 'high')
        """
        if unknown := changes.keys() - set(self.__struct_fields__):
            raise TypeError(
                f"a profile has no setting {min(unknown)!r}; there are: {', '.join(self.__struct_fields__)}"
            )
        try:
            return msgspec.convert(msgspec.structs.asdict(self) | changes, Profile)
        except msgspec.ValidationError as error:
            raise TypeError(f"a setting does not fit: {error}") from None

    def takes(self, path: str, goal: Literal["chat", "responses"] = "chat") -> bool:
        """Whether the upstream takes a request field (dotted path) of a dialect."""
        unsupported = self.unsupported if goal == "chat" else self.responses_unsupported
        return path not in unsupported and ("." not in path or path.split(".")[0] not in unsupported)


_FREEZE: dict[str, type[Any]] = {
    "renamed": FrozenDict,
    "added": FrozenDict,
    "efforts": tuple,
    **dict.fromkeys(("content_lists", "unsupported", "responses_unsupported", "responses_extras", "markup"), frozenset),
}
