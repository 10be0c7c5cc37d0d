"""The way of one request."""

from diglot.adapters.middleware.model_route import ModelRoute
from diglot.translator import Profile


def test_at_first() -> None:
    """Nothing has happened, and nothing is known of its conversation."""
    route = ModelRoute("asked", "real", "pool", Profile())
    assert (route.asked, route.model, route.upstream, route.profile) == ("asked", "real", "pool", Profile())
    assert (route.began, route.replica, route.conversation, route.previous) == (False, "", b"", "")
