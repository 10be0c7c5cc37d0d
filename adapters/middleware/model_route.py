"""Where the request for one model goes, for a middleware that is one of several."""

from __future__ import annotations

from ...translator import Profile


class ModelRoute:
    """The way of one request. It stands in the scope (`MODEL_ROUTE`), and whoever serves the request notes on it how it
    went.
    """

    __slots__ = ("asked", "began", "conversation", "model", "previous", "profile", "replica", "upstream")

    def __init__(
        self, asked: str, model: str, upstream: str, profile: Profile, conversation: bytes = b"", previous: str = ""
    ) -> None:
        self.asked: str = asked
        """The name that the client sent, and gets in its answer."""
        self.model: str = model
        """The name at the upstream."""
        self.upstream: str = upstream
        """The name of the upstream in the settings."""
        self.profile: Profile = profile
        """How the upstream treats this model."""
        self.conversation: bytes = conversation
        """What all requests of a conversation have in common; empty if that is not known."""
        self.previous: str = previous
        """The id of the response that the request continues."""
        self.began: bool = False
        """Whether anything was sent to the client."""
        self.replica: str = ""
        """The replica that was asked last."""
