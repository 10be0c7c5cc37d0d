import re

import pytest

from diglot.translator import Loss, Report
from diglot.translator.losses import MOST

STRING = r'"(?:[ !#-\[\]-~]|\\["\\])*"'  # RFC 9651
MEMBER = re.compile(rf"{STRING};kind=[a-z]+;why={STRING}|more;count=\d+")


def members_of(header: str) -> list[str]:
    """The members of a structured list; fails where it is none."""
    found = [match[0] for match in MEMBER.finditer(header)]
    assert ", ".join(found) == header
    return found


@pytest.mark.parametrize("kind", ["dropped", "approximated", "emulated", "defaulted"])
def test_each_kind_has_its_verb(kind: str) -> None:
    """A verb adds one loss of its kind, with path, reason and value."""
    report = Report()
    getattr(report, kind)("store", "answers are not stored here", True)
    assert list(report) == [Loss("store", kind, "answers are not stored here", True)]  # pyright: ignore[reportArgumentType]
    assert str(next(iter(report))) == f"{kind} store: answers are not stored here"


def test_the_same_loss_is_kept_once() -> None:
    """A loss found again, on every chunk perhaps, is no second loss; order is that of finding."""
    report = Report()
    report.dropped("b", "why", 1)
    report.dropped("a", "why")
    report.dropped("b", "why", 2)
    assert [(loss.path, loss.value) for loss in report] == [("b", 1), ("a", None)]
    assert len(report) == 2


def test_the_same_path_may_be_lost_in_two_ways() -> None:
    """Other kinds and other reasons are other losses."""
    report = Report()
    report.dropped("a", "one")
    report.dropped("a", "two")
    report.emulated("a", "one")
    assert len(report) == 3


def test_strict_mode_allows_what_keeps_its_meaning() -> None:
    """Only what is gone or shifted is refused; emulated and defaulted things are not."""
    report = Report()
    report.emulated("a", "x")
    report.dropped("b", "x")
    report.defaulted("c", "x")
    report.approximated("d", "x")
    assert [loss.path for loss in report.refused()] == ["b", "d"]


def test_an_empty_report_is_an_empty_header() -> None:
    """No losses: nothing to send."""
    assert Report().header() == ""


def test_the_header_is_a_structured_list() -> None:
    """Each loss is a member with its kind and its reason; values are left out, for headers are logged."""
    report = Report()
    report.dropped("tools[3]", "web search is not run here", {"secret": "x"})
    report.emulated("metadata", "repeated in the answer")
    assert members_of(report.header()) == [
        '"tools[3]";kind=dropped;why="web search is not run here"',
        '"metadata";kind=emulated;why="repeated in the answer"',
    ]


@pytest.mark.parametrize(
    ("why", "quoted"),
    [('a"b', r'"a\"b"'), ("a\\b", r'"a\\b"'), ("a\r\nb", '"a??b"'), ("é\ud800😀", '"???"'), ("\x7f", '"?"')],
)
def test_texts_are_escaped(why: str, quoted: str) -> None:
    """What is said can neither end a string nor a header line."""
    report = Report()
    report.dropped("x", why)
    assert members_of(report.header()) == [f'"x";kind=dropped;why={quoted}']


def test_long_texts_are_cut() -> None:
    """A text shows its first 200 characters, also when every one of them is escaped."""
    report = Report()
    report.dropped("x", '"' * 500)
    assert members_of(report.header()) == ['"x";kind=dropped;why="' + r"\"" * 200 + '"']


@pytest.mark.parametrize("limit", [60, 200, 1024])
def test_the_header_has_a_limit(limit: int) -> None:
    """However many losses there are, the header stays within its limit, and what is left out is counted."""
    report = Report()
    for i in range(300):
        report.dropped(f"input[{i}].{'x' * (i % 50)}", "unknown field")
    header = report.header(limit)
    *shown, more = members_of(header)
    assert len(header) <= limit
    assert more == f"more;count={300 - len(shown)}"


def test_a_loss_that_does_not_fit_is_counted() -> None:
    """Not even one fits: only the count is sent."""
    report = Report()
    report.dropped("x" * 100, "y" * 100)
    assert report.header(60) == "more;count=1"


def test_losses_from_elsewhere() -> None:
    """They are added in order, and each is kept once."""
    report, other = Report(), Report()
    report.dropped("a", "gone")
    other.dropped("a", "gone")
    other.emulated("b", "done by other means")
    report.add(other)
    assert [loss.path for loss in report] == ["a", "b"]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("tools[3].function.x-y:z", "tools[3].function.x-y:z"),
        ("what somebody wrote", "?"),
        ("tools[3].what somebody wrote", "tools[3].?"),
        ("input[0].ü.x", "input[0].?"),
        ("a." + "b" * 500, "a.?"),
        ("", ""),
        ("\n", "?"),
    ],
)
def test_where_it_may_be_told(path: str, place: str) -> None:
    """Logs and headers get names, and no texts that somebody put in the place of one."""
    loss = Loss(path, "dropped", "why")
    assert loss.place == place
    report = Report()
    report.add([loss])
    assert report.header() == f'"{place}";kind=dropped;why="why"'


def test_a_great_many_are_counted() -> None:
    """What could go on for ever does not grow for ever."""
    report = Report()
    for i in range(MOST + 5):
        report.dropped(f"x{i}", "why")
        report.dropped("x0", "why")
    assert len(report) == MOST + 5
    *listed, last = report
    assert len(listed) == MOST
    assert last == Loss("", "dropped", "5 more losses are not listed")
    assert report.header(60).endswith(f"more;count={MOST + 4}")


def test_losses_that_move() -> None:
    """They keep their order; those that become one are one."""
    report = Report()
    report.dropped("input[0]", "it is empty", 1)
    report.dropped("input[1]", "it is empty", 2)
    report.emulated("stop", "here")
    report.move(lambda path: "input" if path.startswith("input") else path)
    assert [(loss.path, loss.kind) for loss in report] == [("input", "dropped"), ("stop", "emulated")]
