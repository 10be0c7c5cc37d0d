from diglot.translator.stream.to_chat.received_part import ReceivedPart


def test_what_waits_for_a_turn() -> None:
    """It comes once; a part that had nothing to send may get another turn."""
    part = ReceivedPart("content")
    part.pending.append(("a", []))
    assert part.start_turn(1) == [("a", [])]
    assert (part.turn, part.pending) == (1, [])
    part.withdraw_turn()
    assert part.turn == 0


def test_a_text_begins_behind_another() -> None:
    """In code points, the separator included."""
    first, second = ReceivedPart("content"), ReceivedPart("content")
    first.text.add("\U0001f600a")
    second.follow(first, "\n\n")
    assert second.offset == 4
    assert first.begins("\U0001f600ab")
    assert not second.begins("b")


def test_annotations_are_taken_once() -> None:
    """All of them may come again, with more behind."""
    part = ReceivedPart("content")
    part.annotations.append(1)
    assert part.take_annotations() == [1]
    part.set_annotations([1, 2])
    assert part.take_annotations() == [2]
    assert part.take_annotations() == []


def test_an_announced_text_is_decided_once() -> None:
    """Then it is gone."""
    part = ReceivedPart("content")
    part.announce("a")
    early = part.take_early()
    assert early is not None
    assert (early.text, part.take_early()) == ("a", None)
