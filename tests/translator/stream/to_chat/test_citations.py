from typing import Any

import pytest

from diglot.translator import Report
from diglot.translator.stream.to_chat.citations import Citations
from diglot.translator.stream.to_chat.received_part import ReceivedPart


def part(turn: int, *ends: int, field: str = "content") -> ReceivedPart:
    """A part with annotations of words that end there; without a *turn*, it waits for it."""
    made = ReceivedPart(field)
    if turn:
        made.start_turn(turn)
    made.set_annotations([{"type": "url_citation", "url": "u", "start_index": 0, "end_index": end} for end in ends])
    return made


def ends_of(citations: Citations) -> list[Any]:
    return [link["url_citation"]["end_index"] for link in citations.take()]


@pytest.fixture
def report() -> Report:
    return Report()


@pytest.fixture
def citations(report: Report) -> Citations:
    return Citations(report)


def test_annotations_come_in_the_order_of_their_texts(citations: Citations) -> None:
    """Each once."""
    for one in (part(2, 3), part(1, 1, 2)):
        citations.add(one)
    assert ends_of(citations) == [1, 2, 3]
    assert ends_of(citations) == []


def test_a_part_waits_for_its_turn(citations: Citations) -> None:
    """Before that, nobody knows where its text begins."""
    early = part(0, 1)
    citations.add(early)
    assert ends_of(citations) == []
    early.start_turn(1)
    citations.add(early)
    assert ends_of(citations) == [1]


def test_what_is_shown_as_reasoning_cites_nothing(citations: Citations, report: Report) -> None:
    """It is reported."""
    citations.add(part(1, 1, field="reasoning_content"))
    assert ends_of(citations) == []
    assert [str(loss) for loss in report] == ["dropped annotations: the text with the citation is shown as reasoning"]


def test_a_text_that_was_stopped(citations: Citations, report: Report) -> None:
    """What is about words behind its end is reported."""
    for one in (part(1, 2, 3), part(0, 1)):
        citations.add(one)
    citations.end_text(2)
    assert ends_of(citations) == [2]
    assert [loss.why for loss in report] == ["the cited text comes after a stop sequence"]


def test_files_have_no_address(citations: Citations, report: Report) -> None:
    """Chat cannot cite them."""
    one = part(1)
    one.set_annotations([{"type": "file_citation"}])
    citations.add(one)
    assert citations.take() == []
    assert [loss.why for loss in report] == ["chat has only URL citations"]
