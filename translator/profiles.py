"""What differs between upstreams and between clients: data, one frozen Struct, with named presets.

To add an upstream, add a row to PRESETS. What all servers do wrong in their own way is read without any setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, NoReturn, TypeVar

import msgspec

from .losses import Report

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

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = _refuse
    setdefault = update = _refuse  # pyright: ignore[reportAssignmentType]

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
    least_output_tokens: int = 1
    """The smallest `max_output_tokens` that it takes (16 at OpenAI); smaller limits become this one."""
    deployments: bool = False
    """Has each model at a path of its own, too: `/openai/deployments/NAME` leads to where the other API is."""
    terminal_event: bool = True
    """Its streams end with one; otherwise a stream that ends after whole items counts as complete (R2)."""

    native_responses: Literal["plain", "trusted", "never"] = "plain"
    """What its own Responses endpoint serves where that is found out (`auto`); the rest is translated if it can be.

    *plain*: what has messages and functions only; what Codex sends besides is refused by many, or lost in silence.
    *never*: its answers are wrong, too."""
    says_when_cut: bool = False
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

        >>> preset("vllm").replace(efforts=("low", "high")).efforts
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


class Terms(NamedTuple):
    """What a converter needs besides the value and its path."""

    profile: Profile
    report: Report
    live: bool = False
    """Whether a call is translated, with its answer: then some things are emulated that no request can say."""

    @classmethod
    def of(cls, profile: Profile | str | None, report: Report | None, live: bool = False) -> Terms:
        """Return the terms for a profile or the name of one, and for a report or a new one.

        Raises ValueError for an unknown name, and TypeError for anything else.
        """
        if report is None:
            report = Report()
        elif not isinstance(report, Report):
            raise TypeError(f"a report is a Report, not a {type(report).__name__}")
        return cls(chosen(profile), report, live)

    def report_unread(self, value: dict[str, Any], known: frozenset[str] | None, path: str) -> None:
        """Report the fields of *value* that nobody reads."""
        if known is not None and not known.issuperset(value):
            for name in value:
                if name not in known and value[name] is not None:
                    self.report.dropped(f"{path}.{name}", "no such field is known", value[name])


DEFAULT = Profile()
_ALL_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
_OPENAI = Profile(
    name="openai",
    developer_role="developer",
    system_messages="separate",
    content_lists=_ALL_ROLES,
    refusals=True,
    renamed={},
    unsupported=frozenset(),
    custom_tools=True,
    allowed_tools=True,
    strict_functions="infer",
    image_detail_original=True,
    reasoning_replay="never",
    least_output_tokens=16,
    encrypted_reasoning=True,  # https://developers.openai.com/api/docs/guides/reasoning
    native_responses="trusted",
    says_when_cut=True,
)
_LOW_TO_HIGH = ("low", "medium", "high")

PRESETS: Mapping[str, Profile] = FrozenDict(
    (profile.name, profile)
    for profile in (
        DEFAULT,
        _OPENAI,
        msgspec.structs.replace(
            _OPENAI, name="azure", unsupported=frozenset({"moderation", "prompt_cache_options"}), deployments=True
        ),
        # the Codex backend (chatgpt.com/backend-api/codex): https://github.com/mnfst/llm-gateway/pull/1807,
        # https://github.com/james-6-23/codex2api/issues/409, https://github.com/openai/codex/issues/26173
        msgspec.structs.replace(
            _OPENAI,
            name="chatgpt",
            stores=False,
            system_as_instructions=True,
            responses_always_stream=True,
            responses_unsupported=frozenset(
                {
                    *("max_output_tokens", "temperature", "top_p", "truncation", "metadata", "user"),
                    *("safety_identifier", "prompt_cache_retention"),
                }
            ),
        ),
        Profile(
            name="vllm",
            object_arguments=True,  # vllm-project/vllm#43995
            # its request type takes both: vllm/entrypoints/openai/responses/protocol.py
            responses_extras=frozenset({"seed"}),
            responses_unknown="pass",
        ),
        Profile(
            name="llama.cpp",
            named_choice=False,
            object_arguments=True,  # ggml-org/llama.cpp#22948
            native_responses="never",  # b10605: cut answers are `completed`, tools are dropped in silence
        ),
        Profile(name="llama-cpp-python", unsupported=OPENAI_ONLY | {"reasoning_effort", "parallel_tool_calls"}),
        Profile(
            name="transformers",
            json_schema=False,
            native_responses="never",  # 5.19: streams whether it was asked to or not
            unknown="report",
            unsupported=OPENAI_ONLY
            | {
                "tool_choice",
                "parallel_tool_calls",
                "logprobs",
                "reasoning_effort",
                "presence_penalty",
                "response_format",
            },
            responses_unsupported=frozenset(
                {"include", "service_tier", "store", "text", "tool_choice", "top_logprobs", "truncation", "user"}
            ),
        ),
        Profile(
            name="ollama",  # https://docs.ollama.com/api/openai-compatibility; github.com/ollama/ollama/issues/17921
            object_arguments=True,  # its openai/openai.go reads them into a map
            reasoning_field="reasoning",
            unsupported=OPENAI_ONLY | {"parallel_tool_calls", "tool_choice"},
            efforts=("none", "low", "medium", "high"),
            stores=False,
            # what its request type reads: https://github.com/ollama/ollama/blob/main/openai/responses.go
            responses_unsupported=frozenset(
                {
                    *("include", "metadata", "moderation", "parallel_tool_calls", "prompt_cache_key", "user"),
                    *("prompt_cache_options", "prompt_cache_retention", "safety_identifier", "service_tier"),
                    *("text.verbosity", "tool_choice", "top_logprobs"),
                }
            ),
        ),
        Profile(name="sglang"),  # github.com/sgl-project/sglang/issues/35542
        Profile(
            name="lmstudio",  # https://lmstudio.ai/docs/developer/api-changelog: Responses since 0.3.29
            named_choice=False,  # github.com/can1357/llm-git/issues/13
            markup=frozenset({"think"}),  # unless its setting separates them
        ),
        Profile(
            name="deepseek",  # https://api-docs.deepseek.com/guides/thinking_mode
            content_lists=frozenset(),
            json_schema=False,
            unsupported=OPENAI_ONLY | {"parallel_tool_calls"},
            efforts=("minimal", "low", "medium", "high", "xhigh", "max"),  # it maps them itself
            reasoning_replay="always",
        ),
        Profile(
            name="kimi",
            reasoning_replay="always",  # github.com/n8n-io/n8n/issues/29142
            # github.com/can1357/oh-my-pi/issues/1077, github.com/theopenco/llmgateway/pull/3065
            unsupported=OPENAI_ONLY | {"tool_choice", "reasoning_effort"},
        ),
        Profile(
            name="glm",  # https://docs.z.ai/api-reference/llm/chat-completion
            json_schema=False,
            reasoning_replay="always",  # github.com/adolfousier/opencrabs/issues/1348
            unsupported=OPENAI_ONLY | {"tool_choice"},
        ),
        Profile(
            name="minimax",  # https://java.agentscope.io/v2/en/integration/model/minimax
            system_messages="one",  # github.com/openclaw/openclaw/issues/19386
            renamed={},
            added=FrozenDict(reasoning_split=True),  # https://platform.minimax.io/docs/api-reference/text-openai-api
            markup=frozenset({"think"}),
            json_schema=False,
            strict_functions="drop",
            reasoning_replay="always",
            unsupported=OPENAI_ONLY
            | {
                "tool_choice",
                "parallel_tool_calls",
                "reasoning_effort",
                "frequency_penalty",
                "presence_penalty",
                "seed",
            },
        ),
        Profile(
            name="qwen",
            system_messages="one",
            unsupported=OPENAI_ONLY | {"tool_choice"},  # github.com/QwenLM/qwen-code/issues/7659
        ),
        Profile(
            name="groq",  # https://console.groq.com/docs/openai, https://console.groq.com/docs/reasoning
            reasoning_field="reasoning",  # github.com/tashfeenahmed/freellmapi/issues/1070, vercel/ai/pull/8057
            renamed={},
            unsupported=(OPENAI_ONLY - {"service_tier"}) | {"logprobs", "top_logprobs", "logit_bias"},
            efforts=("none", "low", "medium", "high"),
            markup=frozenset({"think"}),
        ),
        Profile(
            name="mistral",
            system_messages="one",
            alternating_roles=True,
            call_ids="nine_alphanumeric",  # github.com/anomalyco/opencode/issues/1680
            reasoning_field="content",  # https://docs.mistral.ai/studio-api/conversations/reasoning
            renamed={"max_completion_tokens": "max_tokens", "seed": "random_seed"},
            unsupported=OPENAI_ONLY | {"logprobs", "top_logprobs", "logit_bias", "user"},
            unknown="report",  # github.com/mistralai/platform-docs-public/issues/7
            stream_usage=False,  # github.com/avante-corp/avante.nvim/issues/2347
            efforts=("none", "high"),  # github.com/mistralai/client-python/pull/511
        ),
        Profile(
            name="xai",
            renamed={},
            # https://docs.x.ai/developers/model-capabilities/text/reasoning
            unsupported=(OPENAI_ONLY - {"service_tier"}) | {"frequency_penalty", "presence_penalty", "stop"},
            efforts=("low", "medium", "high", "xhigh"),  # github.com/mnfst/modelparams.dev/pull/330
            # https://docs.x.ai/developers/model-capabilities/text/best-practices, and what it takes and ignores:
            # https://reference.langchain.com/javascript/interfaces/_langchain_xai.XAIResponsesCreateParamsStreaming.html
            encrypted_reasoning=True,
            responses_unsupported=frozenset({"metadata", "service_tier", "truncation"}),
        ),
        Profile(name="copilot", reasoning_field="reasoning_text"),  # github.com/anomalyco/opencode/pull/8900
        Profile(
            name="perplexity",
            system_messages="one",
            alternating_roles=True,  # github.com/perplexityai/api-discussion/issues/265
            reasoning_replay="never",
            markup=frozenset({"think"}),
        ),
        Profile(
            name="snowflake",  # https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api
            renamed={},  # github.com/anomalyco/opencode/issues/29900
            declare_called_tools=True,
        ),
        Profile(
            name="bedrock",
            declare_called_tools=True,  # github.com/can1357/oh-my-pi/issues/1227
            reasoning_replay="never",  # github.com/mastra-ai/mastra/pull/22159
            markup=frozenset({"reasoning"}),  # github.com/browseros-ai/BrowserOS/issues/167
            efforts=_LOW_TO_HIGH,
        ),
        Profile(
            name="fireworks",  # https://docs.fireworks.ai/guides/reasoning
            efforts=("none", "low", "medium", "high", "xhigh", "max"),
        ),
        Profile(
            name="together",  # https://docs.together.ai/docs/reasoning-overview
            reasoning_field="reasoning",
            efforts=_LOW_TO_HIGH,
        ),
        Profile(
            name="cerebras",  # https://inference-docs.cerebras.ai/capabilities/reasoning
            reasoning_field="reasoning",  # github.com/proxysoul/Empryo/pull/209
            renamed={},
            unknown="report",
            efforts=("none", "low", "medium", "high"),
            markup=frozenset({"think"}),
        ),
        Profile(name="huggingface"),  # github.com/huggingface/responses.js/pull/54
        Profile(
            name="openrouter",  # https://openrouter.ai/docs/use-cases/reasoning-tokens
            renamed={"max_completion_tokens": "max_tokens", "reasoning_effort": "reasoning.effort"},
            unsupported=OPENAI_ONLY - {"verbosity", "prompt_cache_key"},
            reasoning_field="reasoning",
            # https://openrouter.ai/docs/api/api-reference/responses/create-responses.md
            stores=False,
            encrypted_reasoning=True,
            responses_extras=frozenset({"frequency_penalty", "presence_penalty"}),
            responses_unknown="pass",
        ),
        Profile(
            name="gemini",  # https://ai.google.dev/gemini-api/docs/openai
            unsupported=OPENAI_ONLY | {"frequency_penalty", "presence_penalty"},
            unknown="report",
            efforts=("none", "minimal", "low", "medium", "high"),
            reasoning_replay="never",
            schemas="clean",  # github.com/theopenco/llmgateway/issues/1763
            # https://ai.google.dev/gemini-api/docs/thought-signatures
            signature_placeholder="skip_thought_signature_validator",
        ),
        Profile(name="tokenops"),
        Profile(name="tokenhub", unsupported=OPENAI_ONLY | {"parallel_tool_calls"}, efforts=_LOW_TO_HIGH),
        Profile(
            name="mytokengate",
            unsupported=OPENAI_ONLY | {"reasoning_effort", "parallel_tool_calls", "tool_choice", "presence_penalty"},
            stream_usage=False,
        ),
    )
)


def preset(name: str, **changes: Any) -> Profile:
    """Return the named preset, with other settings if there are any *changes*.

    Raises ValueError that lists the names for a name that there is not, and TypeError for settings as ``replace`` does.

    >>> preset("vllm", efforts=("low", "high")).efforts
    ('low', 'high')
    """
    try:
        named = PRESETS[name]
    except KeyError:
        raise ValueError(f"unknown profile {name!r}; there are: {', '.join(PRESETS)}") from None
    return named.replace(**changes) if changes else named


def chosen(profile: Profile | str | None) -> Profile:
    """Return *profile* itself, the preset of that name, or the default for None.

    Raises ValueError for an unknown name, and TypeError for anything else.
    """
    if profile is None or isinstance(profile, Profile):
        return profile or DEFAULT
    if not isinstance(profile, str):
        raise TypeError(f"a profile is a Profile or the name of a preset, not a {type(profile).__name__}")
    return preset(profile)
