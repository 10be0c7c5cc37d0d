"""The rules of stored responses, still pure: what a request needs, the history it continues, pages, truncation.

1. `needs.of(body)` says what to fetch: the response or the conversation that a request continues, and the items that
   it refers to.
2. `history.expand(...)` makes of that the request that a client would have sent who keeps everything itself.
3. `records.encode` and `records.decode` write and read what is kept of a response: its own input and output, never
   those of its parents.
4. `views`, `pages` and `conversations` are what the other endpoints show; `refusals` has the errors of all of them, in
   OpenAI's words.
5. `tokens` says about how many tokens a request has.
"""

from . import (
    completions,
    conversations,
    history,
    ids,
    needs,
    pages,
    pairing,
    records,
    refusals,
    tokens,
    truncation,
    views,
)
from .continuation import Continuation

__all__ = [
    "Continuation",
    "completions",
    "conversations",
    "history",
    "ids",
    "needs",
    "pages",
    "pairing",
    "records",
    "refusals",
    "tokens",
    "truncation",
    "views",
]
