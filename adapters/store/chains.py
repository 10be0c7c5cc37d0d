"""The chains of responses in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .errors import ChainGone, HistoryTooLarge
from .values import NewRecord, Place, Stored, place_of

Name = tuple[str, str]
"""A tenant and a key."""
OVERHEAD = 500
"""Bytes that a record takes besides its body."""


class Chain:
    """The responses of one chain by their depth."""

    def __init__(self, fork: Place | None) -> None:
        self.fork: Place | None = fork
        self.expires: float = 0.0
        self.records: dict[int, Stored] = {}

    @property
    def kept(self) -> list[Stored]:
        """Those that were not deleted."""
        return [stored for stored in self.records.values() if stored.body is not None]


class _Settings:
    def __init__(self, body: bytes) -> None:
        self.body: bytes = body
        self.users: int = 0


class Chains:
    """All chains of all tenants; ``size`` is how many bytes they take."""

    def __init__(self) -> None:
        self.size: int = 0
        self.chains: dict[Name, Chain] = {}
        self._places: dict[Name, Place] = {}
        self._hashes: dict[Name, str] = {}  # the name of the settings of each record
        self._settings: dict[Name, _Settings] = {}

    def __contains__(self, name: Name) -> bool:
        return name in self._places

    def expect_parent(self, tenant: str, record: NewRecord) -> None:
        """Raise ChainGone if the chain that a response continues is not there."""
        if record.parent is not None and (tenant, record.parent.chain) not in self.chains:
            raise ChainGone(record.parent.chain)

    def put(self, tenant: str, record: NewRecord, expires: float, conversation: str | None, position: int) -> Name:
        """Put a response behind its parent or into a chain of its own, and return the name of its chain."""
        parent = record.parent
        depth = parent.depth + 1 if parent else 0
        key = record.key
        if parent is not None and depth not in self.chains[tenant, parent.chain].records:
            key = parent.chain
        else:
            self.chains[tenant, key] = Chain(parent)
        place = self._places[tenant, record.key] = place_of(record, key, depth)
        self._share(tenant, record)
        chain = self.chains[tenant, key]
        chain.records[depth] = Stored(record.key, place, record.created, record.body, b"", conversation, position)
        chain.expires = expires
        self.size += len(record.body) + OVERHEAD
        return tenant, key

    def _share(self, tenant: str, record: NewRecord) -> None:
        name = (tenant, record.settings_hash)
        if name not in self._settings:
            self._settings[name] = _Settings(record.settings)
            self.size += len(record.settings)
        self._settings[name].users += 1
        self._hashes[tenant, record.key] = record.settings_hash

    def _unshare(self, name: Name) -> None:
        shared = (name[0], self._hashes.pop(name))
        settings = self._settings[shared]
        settings.users -= 1
        if not settings.users:
            del self._settings[shared]
            self.size -= len(settings.body)

    def line(self, name: Name) -> Iterator[Name]:
        """The chain of a name, the one that it was forked from, and so on."""
        tenant, key = name
        while (chain := self.chains.get((tenant, key))) is not None:
            yield tenant, key
            key = chain.fork.chain if chain.fork else ""

    def read(self, tenant: str, key: str, now: float) -> Stored | None:
        """Return a response with its settings; None if it is not there, was deleted or has expired."""
        place = self._places.get((tenant, key))
        if place is None:
            return None
        chain = self.chains[tenant, place.chain]
        stored = chain.records[place.depth]
        if chain.expires <= now or stored.body is None:
            return None
        return stored._replace(settings=self._settings[tenant, self._hashes[tenant, key]].body)

    def history(self, tenant: str, place: Place, limit: int) -> list[Stored]:
        """Return the history of the response at a place; [] if not all of it is there. Raises HistoryTooLarge."""
        if place.size > limit:
            raise HistoryTooLarge(place.size)
        found: list[Stored] = []
        depth = place.depth
        for name in self.line((tenant, place.chain)):
            records = self.chains[name].records
            while depth >= place.base and depth in records:
                found.append(records[depth])
                depth -= 1
        return found[::-1] if depth < place.base else []

    def delete(self, tenant: str, key: str) -> None:
        """Take away the body and the settings of a response."""
        place = self._places[tenant, key]
        records = self.chains[tenant, place.chain].records
        self.size -= len(records[place.depth].body or b"")
        records[place.depth] = records[place.depth]._replace(body=None)
        self._unshare((tenant, key))

    def not_forked(self) -> Iterator[tuple[Name, Chain]]:
        """Chains that no other one was forked from."""
        forked = {(name[0], chain.fork.chain) for name, chain in self.chains.items() if chain.fork}
        return ((name, chain) for name, chain in self.chains.items() if name not in forked)

    def end(self, tenant: str | None) -> None:
        """Let the chains of a tenant, or of all, expire at once: what can be continued grows forks while they go."""
        for (owner, _), chain in self.chains.items():
            if tenant in (None, owner):
                chain.expires = 0

    def drop(self, names: Sequence[Name]) -> int:
        """Take whole chains away, and return how many."""
        for tenant, key in names:
            chain = self.chains.pop((tenant, key))
            for stored in chain.records.values():
                self.size -= len(stored.body or b"") + OVERHEAD
                del self._places[tenant, stored.key]
                if stored.body is not None:
                    self._unshare((tenant, stored.key))
        return len(names)

    def names(self) -> list[Name]:
        """All responses."""
        return list(self._places)
