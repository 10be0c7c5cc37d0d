import pytest

from diglot.translator import Profile, Report
from diglot.translator.context import Context


def test_unread_fields_are_reported() -> None:
    """Fields that nobody reads are dropped with their path; nulls say nothing."""
    context = Context(Profile(), Report())
    context.report_unread({"a": 1, "b": 2, "c": None}, frozenset("a"), "input[0]")
    assert [(loss.path, loss.kind, loss.value) for loss in context.report] == [("input[0].b", "dropped", 2)]


@pytest.mark.parametrize("known", [None, frozenset("ab")])
def test_nothing_unread_is_nothing_reported(known: frozenset[str] | None) -> None:
    """No list, or a list that has all: nothing to report."""
    context = Context(Profile(), Report())
    context.report_unread({"a": 1}, known, "input[0]")
    assert len(context.report) == 0
