"""Who takes part in which direction."""

from __future__ import annotations

import os

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # no look-up in the network on import

from benchmarks.directions import Api

from . import agents, litellm_chat, litellm_responses
from .peer import Peer

PEERS: dict[Api, list[Peer]] = {"responses": [litellm_responses.PEER, agents.PEER], "chat": [litellm_chat.PEER]}
