"""Keys in the output of tests are found."""

from pathlib import Path

import pytest

from leaks import leak

MADE = "sk-diglot-" + "0aB-" * 10


@pytest.mark.parametrize("key", [MADE, "k3y", "sk-very-secret-1"])
def test_output(key: str) -> None:
    """The message says where, without the key."""
    found = leak([("Captured stdout", "all is well"), ("Captured stderr", f"sent {key} to")], None)
    assert found == "A key is in Captured stderr: ...sent [KEY]"
    assert leak([("Captured stdout", "sk-diglot-... is the form of a key")], None) is None


def test_logs(tmp_path: Path) -> None:
    """The logs of servers are read, too; other files of a test may hold keys."""
    (tmp_path / "keys").write_text(MADE)
    (tmp_path / "logs").mkdir()
    assert leak([], tmp_path) is None
    log = tmp_path / "logs" / "log"
    log.write_text(f"key: {MADE}")
    assert leak([], tmp_path) == f"A key is in {log}: ...key: [KEY]"
    log.unlink()  # otherwise this test would fail itself
