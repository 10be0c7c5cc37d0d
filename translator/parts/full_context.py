"""How servers report that a conversation no longer fits into the model's context (W11), on which clients compact it.

Each row has the wording, and the servers that use it. To support another one, add a row, and its sentence to the test.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Phrase(NamedTuple):
    pattern: str
    """A regular expression for lower-case text."""
    who: str
    source: str


_PI = "earendil-works/pi packages/ai/src/utils/overflow.ts"

TABLE = (
    Phrase(r"maximum context length", "OpenAI, vLLM, DeepSeek, OpenRouter", "langchain-ai/langchain#11001"),
    Phrase(
        r"exceeds? (the |your )?context (window|length|limit|size)", "OpenAI, Anthropic", "stackblitz/bolt.new#7414"
    ),
    Phrase(r"model'?s context (length|window) is (only )?\d", "vLLM", "vllm-project/vllm#36197"),
    Phrase(r"longer than the maximum model length", "vLLM with images", "Gabesarch/grounded-rl#16"),
    Phrase(r"longer than the model'?s context length", "SGLang, Together", "QwenLM/Qwen3#1321"),
    Phrase(r"input length.{0,40} exceeds the maximum (allowed )?(input )?length", "SGLang", "sgl-project/sglang#4048"),
    Phrase(r"maximum allowed input length", "Poolside at OpenRouter", "earendil-works/pi#4943"),
    Phrase(r"prompt is too long|prompt too long", "Anthropic, Ollama", "stackblitz/bolt.new#1339; " + _PI),
    Phrase(r"input is too long for (the )?requested model", "Bedrock", _PI),
    Phrase(r"input token count.{0,40} exceeds the maximum", "Gemini", "openclaw/openclaw#9562"),
    Phrase(r"maximum prompt length is \d", "xAI", _PI),
    Phrase(r"reduce the length of (the |your )?(messages|input|prompt)", "Groq, vLLM", "THUDM/LongBench#104"),
    Phrase(r"exceeded model token limit", "Kimi", "MoonshotAI/kimi-code#207"),
    Phrase(r"range of input length should be", "Qwen (DashScope)", "QwenLM/qwen-code#98"),
    Phrase(r"prompt ?超长|(上下文|输入).{0,12}(超出|超过|超长|过长)", "GLM", "docs.bigmodel.cn/cn/api"),
    Phrase(r"prompt exceeds max length", "GLM", "docs.z.ai/api-reference/api-code"),
    Phrase(r"exceeds? the available context size", "llama.cpp", "ggml-org/llama.cpp#15780"),
    Phrase(r"exceeds? n_ctx|context size (has been )?exceeded", "llama.cpp", "ggml-org/llama.cpp#12113"),
    Phrase(r"greater than the context length|context (the )?overflow", "LM Studio", "cline/cline#3664"),
    Phrase(r"reached context length of \d", "LM Studio", "lmstudio-ai/lmstudio-bug-tracker#1251"),
    Phrase(r"too large for model with \d+ maximum context", "Mistral", _PI),
    Phrase(r"context window (size )?exceeds", "MiniMax", _PI),
    Phrase(r"(prompt|input) token count.{0,40} exceeds the limit", "GitHub Copilot", _PI),
    Phrase(r"request body too large for .{1,80} model\. max size: \d+ tokens", "GitHub Models", "cline/cline#995"),
    Phrase(r"total number of tokens.{0,60} cannot exceed", "Cohere", "cohere-ai/sandbox-topically#4"),
    Phrase(r"exceeds? max_(seq|model)_len", "Atlas", "0xBakeer/inference-atlas#186"),
    Phrase(r"exceeded maximum context length|context.?(length|window).exceeded", "gateways", _PI),
)

_CODES = re.compile(
    r"(model_)?context_(length|window)_exceeded|contextwindowexceeded(error)?"  # OpenAI, LiteLLM
    r"|exceed_context_size_error|tokens_limit_reached|tokens_too_long|1261"  # llama.cpp, GitHub, UCloud, GLM
)
_PATTERN = re.compile("|".join(f"(?:{row.pattern})" for row in TABLE))
_RATES = re.compile(
    r"rate.?limit|too many requests|per (second|minute|min|hour|day)|\b[rt]p[md]\b|throttl|quota|please wait"
)
_READ = 4000  # characters; nobody says it later


def is_exceeded(code: object, kind: object, message: str | None) -> bool:
    """Whether an error of this code, type and text says that the context is full.

    What is too much for a minute is not too much for the model: such words are no reason to compact.
    """
    if any(isinstance(word, (str, int)) and _CODES.fullmatch(str(word).lower()) for word in (code, kind)):
        return True
    text = (message or "")[:_READ].lower()
    return _PATTERN.search(text) is not None and _RATES.search(text) is None
