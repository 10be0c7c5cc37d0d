"""Former names work, and say that they will not for ever."""

import subprocess
import sys

import pytest

from diglot import translator
from diglot.translator import deprecated


@pytest.mark.parametrize("name", deprecated.RENAMED)
def test_a_former_name(name: str) -> None:
    """It is the same class, and the warning has the present name and the line that uses it."""
    present = deprecated.RENAMED[name]
    with pytest.warns(DeprecationWarning, match=rf"diglot\.translator\.{name} is now {present};") as caught:
        found = getattr(translator, name)
    assert found is getattr(translator, present)
    assert caught[0].filename == __file__
    assert name not in translator.__all__
    assert present in translator.__all__


def test_an_import() -> None:
    """It works in the usual form, and warns there."""
    code = "from diglot.translator import BadRequest, RequestError; assert BadRequest is RequestError"
    run = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True)
    assert "<string>:1: DeprecationWarning: diglot.translator.BadRequest is now RequestError;" in run.stderr


def test_other_names() -> None:
    """What never was there is missing as in any module."""
    with pytest.raises(AttributeError, match=r"module 'diglot\.translator' has no attribute 'Nonsense'"):
        getattr(translator, "Nonsense")  # noqa: B009
