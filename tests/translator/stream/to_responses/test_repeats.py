import pytest

from diglot.translator import Report
from diglot.translator.stream.growing import TextBuffer
from diglot.translator.stream.to_responses.repeats import new_of, rest_of


@pytest.mark.parametrize(
    ("whole", "texts", "rest"),
    [
        ("Hello", [], "Hello"),
        ("", [], ""),
        ("Hello", ["Hel"], "lo"),
        ("Hello", ["Hel", "lo"], ""),
        ("Hello", [TextBuffer(b"He"), "l", TextBuffer(b"lo")], ""),
        ("Hel", ["He", "llo"], ""),
        ("He", ["He", "llo"], ""),
        ("Hel", [TextBuffer(b"Hello" * 9)], ""),
        ("Hal", [TextBuffer(b"Hello" * 9)], None),
        ("Hal", ["Hello"], None),
        ("Hallo", ["He"], None),
        ("été!", [TextBuffer("été".encode())], "!"),
        ("\ud800x", [TextBuffer("\ud800".encode("utf-8", "surrogatepass"))], "x"),
    ],
)
def test_what_is_new_of_a_whole_text(whole: str, texts: list[str | TextBuffer], rest: str | None) -> None:
    """What stands behind all that was texts; a text that ends earlier has nothing new."""
    assert rest_of(whole, texts) == rest


@pytest.mark.parametrize(
    ("rest", "loose", "new", "losses"),
    [("lo", False, "lo", []), ("", True, "", []), (None, True, "Hello", []), (None, False, "", ["content"])],
)
def test_what_differs_is_more_or_reported(rest: str | None, loose: bool, new: str, losses: list[str]) -> None:
    """Nothing is lost in silence."""
    report = Report()
    assert new_of(rest, "Hello", loose, report, "content") == new
    assert [loss.path for loss in report] == losses
