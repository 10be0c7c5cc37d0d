"""What all tests share: the hypothesis profile, ids and a clock that repeat, --update for the golden files, and that no
test passes whose output has a key in it.
"""

import itertools
import os
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from leaks import leak

sys.path.append(str(Path(__file__).parent.parent))  # for the benchmarks; behind the wheel, whose metadata come first

settings.register_profile(
    "diglot",
    max_examples=50 if os.environ.get("CI") else 100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),  # what passed in CI passes there again; new examples are found at the desk
)
settings.load_profile("diglot")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite what the golden files expect; review the diff")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "teardown" and report.passed:
        found = leak(report.sections, getattr(item, "funcargs", {}).get("tmp_path"))
        if found is not None:
            report.outcome, report.longrepr = "failed", found
    return report


@pytest.fixture(autouse=True, scope="session")
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Servers that tests start store nothing in the home of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DIGLOT_REQUIRE_STORES", raising=False)  # the tests have read it, and servers do not know it
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture
def new_id() -> Callable[[str], str]:
    """Ids that repeat from run to run: resp_1, msg_2, ..."""
    count = itertools.count(1)
    return lambda prefix: f"{prefix}_{next(count)}"


@pytest.fixture
def clock() -> Callable[[], float]:
    """A clock that stands still."""
    return lambda: 1_700_000_000.0
