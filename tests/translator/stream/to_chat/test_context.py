from collections.abc import Callable

from diglot.translator.stream.to_chat.context import CompletionContext


def test_what_nobody_says_is_left_as_it_is(make_context: Callable[..., CompletionContext]) -> None:
    """Paths and names are the client's own, there is no limit, and the text has no format."""
    context = make_context()
    assert (context.caller_path("tools[0]"), context.caller_name("f")) == ("tools[0]", "f")
    assert (context.limit, context.has_format) == (None, False)
