"""Sealing with AES-GCM: what a client keeps for us, it can neither read nor alter (protocol 2.9).

The text is ``diglot.2.<id of the key>.<nonce and ciphertext in base64>``. Bound into it are the tenant and the kind,
but not the id of the item: clients renumber items.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable, Sequence

from ...translator import Seals
from ..missing import with_install_hint

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ModuleNotFoundError as _error:
    raise with_install_hint(_error, "Sealing", "seal") from None

PREFIX = "diglot.2."
_KEY_BYTES = 32
_NONCE_BYTES = 12
_HEX = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{43}=?", re.ASCII)


def new_key() -> bytes:
    """Return a random key."""
    return os.urandom(_KEY_BYTES)


def read_key(text: str) -> bytes:
    """Return the key that a setting holds. Raises ValueError, which does not show it, if that is no key."""
    text = text.strip()
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    if _BASE64.fullmatch(text):
        return base64.b64decode(f"{text[:43]}=", b"-_")
    raise ValueError(
        "a key for seals is 32 random bytes, written in base64 or as 64 hexadecimal digits (`openssl rand -hex 32`)"
    )


class Sealer:
    """Seals with the first of its *keys* and opens with all of them: put a new one in front to change it.

    A key seals up to 4 billion texts: nonces are random.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("sealing needs a key")
        if any(len(key) != _KEY_BYTES for key in keys):
            raise ValueError(f"a key for seals has {_KEY_BYTES} bytes")
        self._key_id = _id_of(keys[0])
        self._ciphers = {_id_of(key): AESGCM(key) for key in keys}

    def for_tenant(self, tenant: bytes) -> Seals:
        """Return the seals of one tenant, whom *tenant* stands for; it is in no seal."""
        return self.for_request(lambda: tenant)

    def for_request(self, tenant: Callable[[], bytes]) -> Seals:
        """Return the seals of a tenant for whom that stands what *tenant* returns, as soon as it is needed."""

        def seal(kind: str, data: bytes) -> str:
            nonce = os.urandom(_NONCE_BYTES)
            sealed = nonce + self._ciphers[self._key_id].encrypt(nonce, data, _bound(tenant(), kind))
            return f"{PREFIX}{self._key_id}.{_encoded(sealed)}"

        def unseal(kind: str, text: str) -> bytes | None:
            key_id, _, encoded = text.removeprefix(PREFIX).partition(".")
            cipher = self._ciphers.get(key_id)
            if cipher is None or not text.startswith(PREFIX):
                return None
            try:
                sealed = base64.b64decode(encoded, b"-_")
                if _encoded(sealed) != encoded:  # base64 has several spellings of the same bytes
                    return None
                return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(tenant(), kind))
            except (ValueError, InvalidTag):
                return None

        return Seals(seal, unseal)


def _id_of(key: bytes) -> str:
    return hashlib.sha256(b"diglot: id of a key for seals\0" + key).hexdigest()[:8]


def _bound(tenant: bytes, kind: str) -> bytes:
    """Return the associated data: no two pairs have the same."""
    return b"%b%d:%b%b" % (PREFIX.encode(), len(kind), kind.encode(), tenant)


def _encoded(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode()
