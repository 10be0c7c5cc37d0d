"""Errors of lines."""

import pickle

from diglot import Loss
from diglot.adapters.migrate import LineError, MigrationError, SettingError


def test_an_error_of_a_line_can_be_pickled() -> None:
    """It comes from another process with all that it says."""
    error = pickle.loads(pickle.dumps(LineError("no", "input", (Loss("seed", "dropped", "why"),))))
    assert (str(error), error.path, error.losses[0].path) == ("no", "input", "seed")


def test_wrong_settings_are_failures() -> None:
    """Whoever catches failures catches these."""
    assert issubclass(SettingError, MigrationError)
