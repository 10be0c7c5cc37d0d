"""Hosts and origins from headers and settings, normalized so that they can be compared."""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address
from typing import NamedTuple

ANY = "*"
LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names that no DNS server can point elsewhere."""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{0,5}))?", re.I | re.A)
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#@\s]+)", re.I | re.A)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Host(NamedTuple):
    """A host in lower case, without a trailing dot; `port` is empty if it was not given."""

    name: str
    port: str


class Origin(NamedTuple):
    """The origin of a web page (RFC 6454); `null` has no host."""

    scheme: str
    name: str
    port: str

    def __str__(self) -> str:
        """Return the origin as browsers write it."""
        if not self.name:
            return self.scheme
        port = "" if self.port in ("", _DEFAULT_PORTS.get(self.scheme)) else f":{self.port}"
        return f"{self.scheme}://{self.name}{port}"

    def is_at(self, host: Host | None) -> bool:
        """Whether the page comes from *host*, over either scheme: a proxy may add TLS without the server knowing."""
        if host is None or self.scheme not in _DEFAULT_PORTS:
            return False
        return (self.name, self.port) == (host.name, host.port or _DEFAULT_PORTS[self.scheme])


def host(text: str) -> Host | None:
    """Return the host of a `host` header, or None if it is invalid."""
    match = _HOST.fullmatch(text)
    if match is None:
        return None
    name = match[1].lower().removesuffix(".")
    if name.startswith("["):
        try:
            name = f"[{ip_address(name[1:-1])}]"
        except ValueError:
            return None
    return Host(name, (match[2] or "").lstrip("0")) if name else None


def origin(text: str) -> Origin | None:
    """Return the origin of an `origin` header, or None if it is invalid."""
    if text == "null":
        return Origin("null", "", "")
    match = _ORIGIN.fullmatch(text.removesuffix("/"))
    found = host(match[2]) if match else None
    if match is None or found is None:
        return None
    scheme = match[1].lower()
    return Origin(scheme, found.name, found.port or _DEFAULT_PORTS.get(scheme, ""))


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach a server that listens on *address* (an IP address or a name)."""
    try:
        found = {str(place[4][0]) for place in socket.getaddrinfo(address, None)} if address else set()
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(ip_address(number.partition("%")[0]).is_loopback for number in found)
