"""How many tokens a request has: the upstream says so, else tiktoken, else it is estimated.

tiktoken brings no vocabularies: it fetches them, in the middle of a request. So it is only asked for what is on disk
already, undamaged (it would fetch a damaged file again).
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio

from ...translator import Profile, state
from ..asgi.types import App, Headers, Scope
from ..limits import Limits
from . import upstream_tokens

if TYPE_CHECKING:
    from tiktoken import Encoding

_log = logging.getLogger("diglot")


class Vocabulary(NamedTuple):
    """A file that tiktoken needs."""

    url: str
    sha256: str


_URL = "https://openaipublic.blob.core.windows.net/encodings/"
_O200K = Vocabulary(_URL + "o200k_base.tiktoken", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d")
VOCABULARIES: dict[str, Vocabulary] = {
    "o200k_base": _O200K,
    "o200k_harmony": _O200K,
    "cl100k_base": Vocabulary(
        _URL + "cl100k_base.tiktoken", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
    ),
}
"""The encodings of chat models, as in `tiktoken_ext/openai_public.py`."""
DEFAULT = "o200k_base"
"""The encoding for models that tiktoken does not know: closer than an estimate for most of them."""
_PIECE = 2**16
"""Characters that are encoded at once: the time for some texts grows faster than their length."""
_MOST = 2**24
"""Characters that are encoded at all: more are estimated."""


async def count(
    app: App, scope: Scope, request: dict[str, Any], profile: Profile, limits: Limits
) -> state.tokens.Count:
    """Return how many tokens a translated chat *request* has.

    *app* is the upstream's application, *scope* the client's connection, whose headers it gets. Images and other
    media count a fixed number, because upstreams count only a mark for them.
    """
    content = await anyio.to_thread.run_sync(state.tokens.content_of, request)
    if not content.has_media:
        number = await upstream_tokens.count(app, scope, request, profile.tokenizer, limits)
        if number is not None:
            return state.tokens.Count(number, "upstream")
    return await anyio.to_thread.run_sync(_count_here, content, str(request.get("model")))


def answer(count: state.tokens.Count) -> tuple[dict[str, Any], Headers]:
    """Return the answer to a `POST /responses/input_tokens`, and the header that says how it was counted."""
    return state.tokens.answer(count), [(b"diglot-token-count", count.way.encode())]


def _count_here(content: state.tokens.Content, model: str) -> state.tokens.Count:
    encoding = encoding_on_disk(model) if sum(map(len, content.texts)) <= _MOST else None
    if encoding is None:
        return state.tokens.Count(content.estimate(), "estimate")
    pieces = (text[i : i + _PIECE] for text in content.texts for i in range(0, len(text), _PIECE))
    return state.tokens.Count(content.fixed + sum(len(encoding.encode_ordinary(piece)) for piece in pieces), "tiktoken")


def encoding_on_disk(model: str) -> Encoding | None:
    """Return the encoding of a model if tiktoken is installed and has its vocabulary; nothing is fetched."""
    try:
        import tiktoken
    except ImportError:
        return None
    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        name = DEFAULT
    vocabulary = VOCABULARIES.get(name)
    if name in _loaded or vocabulary is None:
        return _loaded.get(name)
    if not _is_on_disk(vocabulary):
        return None
    try:
        _loaded[name] = tiktoken.get_encoding(name)
    except (OSError, ValueError) as error:
        _log.warning("tiktoken cannot read its vocabulary %s", name, exc_info=error)
    return _loaded.get(name)


_loaded: dict[str, Encoding] = {}


def _is_on_disk(vocabulary: Vocabulary) -> bool:
    path = cached_file(vocabulary.url)
    try:
        return path is not None and hashlib.sha256(path.read_bytes()).hexdigest() == vocabulary.sha256
    except OSError:
        return False


def cached_file(url: str) -> Path | None:
    """Return where tiktoken keeps what it has fetched, as its `load.py` does; None if it is told to keep nothing."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder is None:
        folder = os.path.join(tempfile.gettempdir(), "data-gym-cache")
    return Path(folder) / hashlib.sha1(url.encode()).hexdigest() if folder else None
