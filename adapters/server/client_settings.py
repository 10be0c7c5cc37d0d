"""How to point clients at this server."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

_NO_KEYS = "The key goes to the upstream unchanged. If it needs none, any value will do, such as `none`."
_OWN_KEYS = "The key is one of this server's (`diglot keys`), and goes no further."


def command() -> str:
    """Return the command that starts this program here: after `make demo`, its path in the environment."""
    program = Path(sys.argv[0])
    return str(program) if program.name == "diglot" and shutil.which("diglot") is None else "diglot"


def client_settings(url: str, has_keys: bool = False, notice: str = _NO_KEYS) -> list[str]:
    """Return one line for each client, for a server at *url* (without the `/v1`) that may have keys of its own.

    If it has none, *notice* says what becomes of those of the clients.
    """
    base = f"{url}/v1"
    key = "KEY" if has_keys else "none"
    env = ',env_key="OPENAI_API_KEY"' if has_keys else ""
    provider = f'{{name="diglot",base_url="{base}",wire_api="responses"{env}}}'
    return [
        f"Codex:       codex -m MODEL -c model_provider=diglot -c 'model_providers.diglot={provider}'",
        f'OpenAI SDK:  OpenAI(base_url="{base}", api_key="{key}")      # .responses and .chat.completions both work',
        f'Agents SDK:  set_default_openai_client(AsyncOpenAI(base_url="{base}", api_key="{key}"))',
        f"Others:      OPENAI_BASE_URL={base} OPENAI_API_KEY={key}",
        _OWN_KEYS if has_keys else notice,
    ]
