from diglot.translator.stream.to_chat.turn_order import TurnQueue


class Numbers(TurnQueue[int]):
    """Numbers up to a limit are complete."""

    def __init__(self, *numbers: int) -> None:
        super().__init__()
        self.limit = 0
        self.sent: list[int] = []
        self._queue.extend(numbers)

    def _take_turn(self, member: int) -> bool:
        self.sent.append(member)
        return member <= self.limit


def test_the_first_member_has_the_turn_until_it_is_complete() -> None:
    """Then it is that of the next one; an empty queue has nothing to do."""
    queue = Numbers(2, 1, 4)
    queue.advance()
    assert queue.sent == [2]
    queue.limit = 3
    queue.advance()
    assert queue.sent == [2, 2, 1, 4]
    queue.limit = 4
    queue.advance()
    queue.advance()
    assert queue.sent == [2, 2, 1, 4, 4]
