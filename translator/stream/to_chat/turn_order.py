"""A queue whose members take turns: the order of a message does not depend on how its events were interleaved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import Generic, TypeVar

Member = TypeVar("Member")


class TurnQueue(ABC, Generic[Member]):
    """The first member has the turn until it is complete; the others wait."""

    def __init__(self) -> None:
        self._queue: deque[Member] = deque()

    def advance(self) -> None:
        """Something became complete: give the turn to whoever has it now."""
        while self._queue and self._take_turn(self._queue[0]):
            self._queue.popleft()

    @abstractmethod
    def _take_turn(self, member: Member) -> bool:
        """Let the first member send what it has; return whether it is complete."""
