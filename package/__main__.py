"""The command, as `diglot` and as `python -m diglot`."""

from __future__ import annotations


def main() -> None:
    """Run the command; where its packages are not installed, say how to get them."""
    try:
        from diglot.adapters.cli import main as command

        command()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "diglot":
            raise
        raise SystemExit(f"The diglot command needs {error.name}: pip install 'diglot[server]'") from None


if __name__ == "__main__":
    main()
