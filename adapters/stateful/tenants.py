"""Whose a record is: a tenant is known by hashes of what a request shows, never by the credential itself.

Where the server checks keys, a key's name says whose a record is, so that it outlives the key. Otherwise nobody checks
the credential: whoever shows the same one is the same tenant.
"""

from __future__ import annotations

import hashlib
import hmac
import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ...translator import RequestError
from ..asgi.types import CREDENTIALS, KEY_NAME, Scope

Callback = Callable[[Scope], str | Awaitable[str]]
"""Names the tenant of a request by any text; it may refuse one with ``RequestError(..., status=401)``."""
_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_HEADER = "header:"


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant. ``key`` is what stores have; ``seal`` is bound into seals and written nowhere."""

    key: str
    seal: bytes = field(repr=False)


class Tenants:
    """Tells whose a request is, by a rule.

    *rule* is ``credential`` (the name of a key that was checked, or else the first header of `CREDENTIALS`; requests
    without one are one tenant), ``header:NAME`` (a header that a gateway sets), ``none`` (all are one tenant), or a
    callback. *secret* is the key of the hashes, the same in
    all processes on one store. Raises ValueError for another rule.
    """

    def __init__(self, rule: str | Callback, secret: bytes) -> None:
        self._secret = secret
        self._callback: Callback | None = None if isinstance(rule, str) else rule
        self._rule = rule.lower() if isinstance(rule, str) else "callback"
        self._header = b""
        self.may_refuse: bool = self._rule not in ("credential", "none")
        """Whether a request can be without a tenant."""
        if self._rule.startswith(_HEADER) and _TOKEN.fullmatch(self._rule, len(_HEADER)):
            self._header = self._rule.removeprefix(_HEADER).encode()
        elif self._rule not in ("credential", "none") and not callable(rule):
            raise ValueError("tenant must be 'credential', 'none', 'header:NAME' or a function of the scope")

    async def of(self, scope: Scope) -> Tenant:
        """Return the tenant of a request. Raises RequestError (401) for one that does not name its own."""
        if self._callback is None:
            return self._tenant(self._shown_by(scope))
        named = self._callback(scope)
        if inspect.isawaitable(named):
            named = await named
        if not (named and isinstance(named, str)):
            raise _unknown("Nobody is known by this request.")
        return self._tenant([named.encode("utf-8", "surrogatepass")])

    def at_once(self, scope: Scope) -> Tenant:
        """Return the tenant of a request by a rule that refuses none (see ``may_refuse``)."""
        return self._tenant(self._shown_by(scope))

    def _tenant(self, shown: list[bytes]) -> Tenant:
        basis = _joined([self._rule.encode(), *shown])
        return Tenant(
            hmac.digest(self._secret, basis, "sha256").hex()[:32],
            hashlib.sha256(b"diglot: tenant of a seal\0" + basis).digest(),
        )

    def _shown_by(self, scope: Scope) -> list[bytes]:
        if self._header:
            values = _values(scope, self._header)
            if len(values) != 1 or not values[0]:
                raise _unknown(f"The header '{self._header.decode()}' is needed once: it says whose the request is.")
            return values
        return _credential(scope) if self._rule == "credential" else []


def _credential(scope: Scope) -> list[bytes]:
    if name := scope.get(KEY_NAME):
        return [KEY_NAME.encode(), name.encode()]
    for name in CREDENTIALS:
        values = _values(scope, name)
        if any(values):
            return [name, *values]
    return []


def _values(scope: Scope, name: bytes) -> list[bytes]:
    return [bytes(value) for key, value in scope["headers"] if bytes(key).lower() == name]


def _joined(parts: list[bytes]) -> bytes:
    """Return the parts as one: no two lists become the same."""
    return b"".join(b"%d:%b" % (len(part), part) for part in parts)


def _unknown(why: str) -> RequestError:
    return RequestError(why, status=401, code="invalid_api_key")
