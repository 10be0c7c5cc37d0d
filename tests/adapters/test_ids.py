"""Identifiers."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from diglot.adapters.ids import new_id


def test_ids() -> None:
    """Nobody can guess them, and none comes twice, whoever asks at the same time."""
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(new_id, ["resp"] * 1000))
    assert len(set(made)) == 1000
    assert all(re.fullmatch(r"resp_[0-9a-f]{32}", one) for one in made)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_fork_makes_its_own() -> None:
    """Two workers that came of one process never make the same ones."""
    program = (
        "import os; from diglot.adapters.ids import new_id; new_id('a'); child = os.fork(); "
        "child and os.wait(); print(new_id('b'), flush=True)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, second = done.stdout.split()
    assert first != second
