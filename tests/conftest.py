"""What all tests share: the hypothesis profile, ids and a clock that repeat, and --update for the golden files."""

import itertools
import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "diglot",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),  # what passed in CI passes there again; new examples are found at the desk
)
settings.load_profile("diglot")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite what the golden files expect; review the diff")


@pytest.fixture
def new_id() -> Callable[[str], str]:
    """Ids that repeat from run to run: resp_1, msg_2, ..."""
    count = itertools.count(1)
    return lambda prefix: f"{prefix}_{next(count)}"


@pytest.fixture
def clock() -> Callable[[], float]:
    """A clock that stands still."""
    return lambda: 1_700_000_000.0
