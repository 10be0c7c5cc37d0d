"""What commands share."""

from typing import Any

import click
import pytest
from click.testing import CliRunner

from diglot.adapters.cli.options import SettingsError, amount, profile_options, strict_option


@click.command()
@profile_options
@strict_option
def command(**given: Any) -> None:
    if given["profile"]:
        raise SettingsError("no such thing")
    click.echo(repr(given))


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ((), {"profile": None, "set_": (), "strict": None}),
        (("--set", "a=1", "--set", "b=2", "--strict"), {"profile": None, "set_": ("a=1", "b=2"), "strict": True}),
    ],
)
def test_options(arguments: tuple[str, ...], given: dict[str, Any]) -> None:
    """What is not said is None, so that it can be said elsewhere."""
    got = CliRunner().invoke(command, arguments)
    assert eval(got.output) == given


def test_a_wrong_setting() -> None:
    """It ends the command as any misuse does."""
    got = CliRunner().invoke(command, ("--profile", "x"))
    assert (got.exit_code, got.stderr) == (2, "Error: no such thing\n")


def test_amounts() -> None:
    """One of something is not several."""
    assert [amount(count, "part") for count in (0, 1, 1_000)] == ["0 parts", "1 part", "1,000 parts"]
    assert amount(2, "process", "processes") == "2 processes"
