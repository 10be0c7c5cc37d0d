"""What goes wrong: with a line, with the options, or with the whole migration."""

from __future__ import annotations

from ...translator import Loss


class LineError(Exception):
    """A line cannot be converted. ``path`` is the place in the line's own dialect, or None; ``losses`` are those
    that strict mode did not allow.
    """

    def __init__(self, message: str, path: str | None = None, losses: tuple[Loss, ...] = ()) -> None:
        super().__init__(message)
        self.path: str | None = path
        self.losses: tuple[Loss, ...] = losses

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.path, self.losses)


class MigrationError(Exception):
    """The migration failed; what is finished stays. The command exits with 1."""


class SettingError(MigrationError):
    """The inputs, the target and the options do not go together. The command exits with 2."""
