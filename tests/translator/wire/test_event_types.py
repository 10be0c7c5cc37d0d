"""The shapes of events that type checkers are told are those that come out."""

import contextlib
from pathlib import Path
from typing import get_args

import diglot
from diglot.translator import TranslationError
from diglot.translator.wire import event_types

from golden_files import load, profile_of, sse
from shapes import cases, misfits


@cases("serve_responses/stream")
def test_streams(path: Path) -> None:
    """Whatever the upstream sends."""
    case = load(path)
    asked, profile = case["given"]["asked"], profile_of(case)
    with contextlib.suppress(TranslationError):
        for event in diglot.responses_stream(sse(case["given"]), request=asked, profile=profile):
            assert misfits(event, event_types.ResponsesEvent) == []


def test_each_type_is_one_shape() -> None:
    """The type of an event says which it is."""
    types = [word for shape in get_args(event_types.ResponsesEvent) for word in get_args(shape.__annotations__["type"])]
    assert len(types) == len(set(types))
