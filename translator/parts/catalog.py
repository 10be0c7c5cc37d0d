"""The tools of one request, each with its client name and its upstream name."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal, NamedTuple

from .names import ToolNames

Kind = Literal["function", "custom", "tool_search", "local_shell", "shell", "apply_patch"]


class DeclaredTool(NamedTuple):
    """A declared tool with both of its names."""

    flat: str  # the name that the upstream knows
    kind: Kind
    name: str
    namespace: str | None
    path: str
    chat: dict[str, Any]  # its declaration in a chat request
    wrapped: bool = False  # a free-form tool that the upstream sees as a function

    @classmethod
    def of(
        cls, kind: Kind, name: str, namespace: str | None, path: str, inner: dict[str, Any], wrapped: bool = False
    ) -> DeclaredTool:
        """Return a tool whose chat declaration holds the *inner* fields that are not null."""
        if None in inner.values():
            inner = {key: value for key, value in inner.items() if value is not None}
        form = "custom" if kind == "custom" and not wrapped else "function"
        return cls(name, kind, name, namespace, path, {"type": form, form: inner}, wrapped)


class Catalog:
    """The tools of one request: by flat name (for answers) and by native name (for history and choices)."""

    def __init__(self, tools: dict[str, DeclaredTool], names: ToolNames | None = None) -> None:
        self._flat: dict[str, DeclaredTool] = tools
        if names is not None:
            self._names = names

    @cached_property
    def _names(self) -> ToolNames:
        return ToolNames()

    @cached_property
    def _native(self) -> dict[tuple[str | None, str], DeclaredTool]:
        return {(tool.namespace, tool.name): tool for tool in self._flat.values()}

    def without_declarations(self) -> Catalog:
        """What answers need: names and kinds."""
        return Catalog({flat: tool._replace(chat={}) for flat, tool in self._flat.items()}, self._names)

    def __iter__(self) -> Iterator[DeclaredTool]:
        return iter(self._flat.values())

    def __len__(self) -> int:
        return len(self._flat)

    def by_flat(self, flat: str) -> DeclaredTool | None:
        return self._flat.get(flat)

    def declared_or_known(self, flat: str) -> DeclaredTool | None:
        """The tool that the upstream calls *flat*: a declared one, or one that only history names."""
        tool = self._flat.get(flat)
        if tool is None and (own := self._names.own(flat)) is not None:
            return DeclaredTool(flat, "function", own[1], own[0], "", {})
        return tool

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._flat)

    def may_go_on(self, flat: str) -> bool:
        """Whether a tool has a longer name that begins so."""
        at = bisect_right(self._sorted, flat)
        return at < len(self._sorted) and self._sorted[at].startswith(flat)

    def by_name(self, name: str, namespace: str | None = None) -> DeclaredTool | None:
        """The tool called *name*; a deferred function may come back in a namespace of its own name (protocol 3.4)."""
        tool = self._native.get((namespace, name))
        return tool or (self._native.get((None, name)) if namespace == name else None)

    def flat(self, name: str, namespace: str | None = None) -> str:
        """The name by which the upstream knows a tool, declared or not (history outlives declarations)."""
        tool = self.by_name(name, namespace)
        return tool.flat if tool else self._names.flat(name, namespace)
