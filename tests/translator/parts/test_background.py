from typing import Any

import pytest

from diglot.translator import RequestError
from diglot.translator.context import Context
from diglot.translator.parts import background

WINDOW = "background_options.completion_window"


@pytest.mark.parametrize("options", [None, {}, {"completion_window": None}, {"completion_window": "soonest"}])
@pytest.mark.parametrize("more", [{}, {"background": True}, {"stream": True}])
def test_at_once_is_the_default(options: Any, more: dict[str, Any]) -> None:
    """It says nothing that needs anything."""
    context = Context.of(None, None)
    background.check({"background_options": options, **more}, context)
    assert list(context.report) == []


@pytest.mark.parametrize("window", ["2h", "8h"])
@pytest.mark.parametrize("stream", [{}, {"stream": False}])
def test_hours_are_approximated(window: str, stream: dict[str, Any]) -> None:
    """What may wait is run at once."""
    context = Context.of(None, None)
    background.check({"background": True, "background_options": {"completion_window": window}, **stream}, context)
    assert [(loss.path, loss.kind, loss.value) for loss in context.report] == [(WINDOW, "approximated", window)]


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({"background_options": "2h"}, "background_options", "Invalid type"),
        ({"background_options": {"completion_window": 2}}, WINDOW, "Invalid type"),
        ({"background": True, "background_options": {"completion_window": "3h"}}, WINDOW, "Invalid value: '3h'"),
        ({"background_options": {"completion_window": "2h"}}, WINDOW, "requires 'background'"),
        ({"background": 1, "background_options": {"completion_window": "2h"}}, WINDOW, "requires 'background'"),
        (
            {"background": True, "stream": True, "background_options": {"completion_window": "8h"}},
            WINDOW,
            "cannot be used with 'stream'",
        ),
    ],
)
def test_other_windows_are_refused(body: dict[str, Any], param: str, message: str) -> None:
    """A 400 that says what is wrong."""
    with pytest.raises(RequestError, match=message) as raised:
        background.check(body, Context.of(None, None))
    assert (raised.value.status, raised.value.param) == (400, param)
