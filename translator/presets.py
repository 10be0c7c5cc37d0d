"""The named profiles: what is known about upstreams. To add one, add a row to PRESETS.

The evidence is next to each row, or in docs/upstreams.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .profiles import OPENAI_ONLY, FrozenDict, Profile

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
    min_output_tokens=16,
    encrypted_reasoning=True,  # https://developers.openai.com/api/docs/guides/reasoning
    native_responses="trusted",
    reports_truncation=True,
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
        # no upstream, but a file: it refuses nothing, and earlier reasoning stays in it (`diglot migrate`)
        msgspec.structs.replace(
            _OPENAI,
            name="dataset",
            strict_functions="keep",
            reasoning_replay="always",
            min_output_tokens=1,
            encrypted_reasoning=False,
            unknown="pass",
            responses_unknown="pass",
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
            tokenizer="vllm",  # vllm/entrypoints/serve/tokenize/protocol.py
        ),
        Profile(
            name="llama.cpp",
            tokenizer="llama.cpp",  # tools/server/README.md
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
    """Return the named preset, with *changes* applied to its settings.

    Raises ValueError for an unknown name (its message lists all names), and TypeError like ``Profile.replace``.

    >>> preset("vllm", efforts=("low", "high")).efforts
    ('low', 'high')
    """
    try:
        named = PRESETS[name]
    except KeyError:
        raise ValueError(f"unknown profile {name!r}; the presets are: {', '.join(PRESETS)}") from None
    return named.replace(**changes) if changes else named


def resolve_profile(profile: Profile | str | None) -> Profile:
    """Return *profile* itself, the preset of that name, or the default for None.

    Raises ValueError for an unknown name, and TypeError for anything else.
    """
    if profile is None or isinstance(profile, Profile):
        return profile or DEFAULT
    if not isinstance(profile, str):
        raise TypeError(f"a profile must be a Profile or the name of a preset, not a {type(profile).__name__}")
    return preset(profile)
